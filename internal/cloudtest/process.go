package cloudtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// guard runs its arguments from the second on, and ends them when its own input ends: that happens when the parent
// stops them, and also when the parent is killed. Then it removes the folder that is the first argument. A server that
// ends by itself leaves its log.
const guard = `dir=$1; shift
trap 'told=1; kill "$server" 2>/dev/null' TERM
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ read -r _ <&3; kill -TERM $$; } &
reader=$!
exec 3<&-
wait "$server"; status=$?
if [ "$told" ]; then wait "$server"; rm -rf "$dir"; fi
kill "$reader" 2>/dev/null
exit $status`

const (
	stopTimeout = time.Minute
	logTail     = 4 << 10 // bytes of a log that are worth printing
)

// process is one running server under its guard.
type process struct {
	name    string
	address string
	log     string
	guard   *exec.Cmd
	life    io.WriteCloser // closing it ends the server
	exited  chan struct{}
	exit    error // of the guard, after exited
}

func launch(name string, command []string, address, logFile, dir string) (*process, error) {
	log, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p := &process{
		name:    name,
		address: address,
		log:     logFile,
		guard:   exec.Command("sh", append([]string{"-c", guard, "guard", dir}, command...)...),
		exited:  make(chan struct{}),
	}
	p.guard.Stdout, p.guard.Stderr = log, log
	if p.life, err = p.guard.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.guard.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.name, err)
	}
	go func() {
		p.exit = p.guard.Wait()
		close(p.exited)
	}()
	return p, nil
}

// await returns once the server answers HTTP, with whatever status.
func (p *process) await(ctx context.Context) error {
	client := http.Client{Timeout: 10 * time.Second}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address, nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err == nil {
			return response.Body.Close()
		}
		select {
		case <-p.exited:
			return fmt.Errorf("%s ended before it answered: %w", p.name, errors.Join(p.exit, err))
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", p.name, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p *process) stop() error {
	if err := p.life.Close(); err != nil {
		return err
	}
	select {
	case <-p.exited:
		return nil // how it ended tells nothing: it was killed
	case <-time.After(stopTimeout):
		return errors.Join(fmt.Errorf("%s does not end", p.name), p.guard.Process.Kill())
	}
}

// logTail returns the end of the server's log.
func (p *process) logTail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-logTail):])
}

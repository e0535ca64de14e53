package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// process is a server in a process of its own.
type process struct {
	name     string
	endpoint string
	reports  string // the report API; "" when the server names none
	cmd      *exec.Cmd
	output   *output
	exited   chan struct{} // closed when the process is gone
	exit     error         // of the process, once exited is closed
}

// endpointLine finds the endpoint in what a server prints, reportsLine the report API, which it prints in the same write.
var (
	endpointLine = regexp.MustCompile(`endpoint\s+(http://\S+)`)
	reportsLine  = regexp.MustCompile(`reports\s+(http://\S+)`)
)

// startProcess starts a server and returns when it says where it listens, which it has to do within limit.
func startProcess(name string, cmd *exec.Cmd, limit time.Duration) (*process, error) {
	p := &process{name: name, cmd: cmd, output: &output{}, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.output, p.output
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.exit = cmd.Wait()
		close(p.exited)
	}()
	for begun := time.Now(); time.Since(begun) < limit; time.Sleep(2 * time.Millisecond) {
		if m := endpointLine.FindStringSubmatch(p.output.String()); m != nil {
			p.endpoint = m[1]
			if m := reportsLine.FindStringSubmatch(p.output.String()); m != nil {
				p.reports = m[1]
			}
			return p, nil
		}
		select {
		case <-p.exited:
			return nil, fmt.Errorf("%s ended instead of serving: %w\n%s", name, p.exit, p.output)
		default:
		}
	}
	return nil, errors.Join(fmt.Errorf("%s named no endpoint in %v:\n%s", name, limit, p.output), p.Kill())
}

// Endpoint is the address of the xAPI resources.
func (p *process) Endpoint() string { return p.endpoint }

// Reports is the address of the report API.
func (p *process) Reports() string { return p.reports }

// Pid is the server's process id.
func (p *process) Pid() int { return p.cmd.Process.Pid }

// Output is everything that the server has printed.
func (p *process) Output() string { return p.output.String() }

// Running reports whether the server's process is still there.
func (p *process) Running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// Kill ends the server at once, as a power cut would end the process.
func (p *process) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.name, err)
	}
	<-p.exited
	return nil
}

// Stop asks the server to finish and waits for it. A server that does not end well is an error.
func (p *process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case <-p.exited:
	case <-time.After(maxWait):
		return errors.Join(fmt.Errorf("%s did not end within %v of SIGTERM:\n%s", p.name, maxWait, p.output), p.Kill())
	}
	if p.exit != nil {
		return fmt.Errorf("%s ended badly: %w\n%s", p.name, p.exit, p.output)
	}
	return nil
}

// output collects what a process prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

var _ io.Writer = (*output)(nil)

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

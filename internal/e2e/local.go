package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Build compiles the command of this module into dir and returns the binary's path.
func Build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "cairn")
	said, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/cairn-lrs/cairn/internal/cmd/cairn").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build cairn: %w\n%s", err, said)
	}
	return binary, nil
}

// Local is the local road: `cairn serve` in a process of its own over a data folder.
type Local struct {
	binary, data string
	endpoint     string
	cmd          *exec.Cmd
	output       *output
	exited       chan struct{} // closed when the process is gone
	exit         error         // of the process, once exited is closed
}

// FixedCredential is the credential of the default store on every local road of the tests.
var FixedCredential = Credential{Key: "e2e", Secret: "e2e-secret-of-a-throwaway-folder"}

// startTimeout bounds the wait for the address that the server prints. Opening replays what the last process wrote.
const startTimeout = 30 * time.Second

// endpointLine finds the endpoint in what `cairn serve` prints.
var endpointLine = regexp.MustCompile(`endpoint\s+(http://\S+)`)

// Serve starts `cairn serve` over the folder data, with more flags, and returns when it says where it listens.
func Serve(binary, data string, flags ...string) (*Local, error) {
	args := append([]string{"serve", "-addr", "127.0.0.1:0", "-data", data, "-quiet"}, flags...)
	l := &Local{binary: binary, data: data, cmd: exec.Command(binary, args...), output: &output{}, exited: make(chan struct{})}
	l.cmd.Env = append(os.Environ(), "CAIRN_CREDENTIAL="+FixedCredential.Key+":"+FixedCredential.Secret)
	l.cmd.Stdout, l.cmd.Stderr = l.output, l.output
	if err := l.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start cairn: %w", err)
	}
	go func() {
		l.exit = l.cmd.Wait()
		close(l.exited)
	}()
	for begun := time.Now(); time.Since(begun) < startTimeout; time.Sleep(2 * time.Millisecond) {
		if m := endpointLine.FindStringSubmatch(l.output.String()); m != nil {
			l.endpoint = m[1]
			return l, nil
		}
		select {
		case <-l.exited:
			return nil, fmt.Errorf("cairn ended instead of serving: %w\n%s", l.exit, l.output)
		default:
		}
	}
	return nil, errors.Join(fmt.Errorf("cairn named no endpoint in %v:\n%s", startTimeout, l.output), l.Kill())
}

// Endpoint is the address of the xAPI resources.
func (l *Local) Endpoint() string { return l.endpoint }

// Pid is the server's process id.
func (l *Local) Pid() int { return l.cmd.Process.Pid }

// Output is everything that the server has printed.
func (l *Local) Output() string { return l.output.String() }

// Running reports whether the server's process is still there.
func (l *Local) Running() bool {
	select {
	case <-l.exited:
		return false
	default:
		return true
	}
}

// Kill ends the server at once, as a power cut would end the process.
func (l *Local) Kill() error {
	if err := l.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill cairn: %w", err)
	}
	<-l.exited
	return nil
}

// Stop asks the server to finish and waits for it. A server that does not end well is an error.
func (l *Local) Stop() error {
	if err := l.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop cairn: %w", err)
	}
	select {
	case <-l.exited:
	case <-time.After(startTimeout):
		return errors.Join(fmt.Errorf("cairn did not end within %v of SIGTERM:\n%s", startTimeout, l.output), l.Kill())
	}
	if l.exit != nil {
		return fmt.Errorf("cairn ended badly: %w\n%s", l.exit, l.output)
	}
	return nil
}

// NewStore makes a store by `cairn store create`.
func (l *Local) NewStore(ctx context.Context) (string, error) {
	said, err := l.Command(ctx, "store", "create", "-data", l.data, "e2e")
	if err != nil {
		return "", err
	}
	return field(said, "store")
}

// NewCredential makes a credential by `cairn credential create`.
func (l *Local) NewCredential(ctx context.Context, store string, scopes []string, trusted bool) (Credential, error) {
	args := []string{"credential", "create", "-data", l.data, "-store", store}
	if len(scopes) > 0 {
		args = append(args, "-scope", strings.Join(scopes, ","))
	}
	if trusted {
		args = append(args, "-trusted")
	}
	said, err := l.Command(ctx, args...)
	if err != nil {
		return Credential{}, err
	}
	key, keyErr := field(said, "key")
	secret, secretErr := field(said, "secret")
	return Credential{Key: key, Secret: secret}, errors.Join(keyErr, secretErr)
}

// Command runs one of the operator's commands and returns what it printed.
func (l *Local) Command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, l.binary, args...)
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("cairn %s: %w: %s", strings.Join(args[:2], " "), err, &problems)
	}
	return out.String(), nil
}

// field finds the value behind a name at the start of a line.
func field(said, name string) (string, error) {
	for line := range strings.Lines(said) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == name {
			return words[1], nil
		}
	}
	return "", fmt.Errorf("cairn printed no %s: %s", name, said)
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

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is a `cairn serve` in a process of its own. What it prints is in out.txt and err.txt of its folder.
type server struct {
	cmd                   *exec.Cmd
	dir                   string
	ended                 chan struct{} // closed when it has
	endpoint, key, secret string
}

var (
	endpointLine = regexp.MustCompile(`(?m)^  endpoint  (\S+)$`)
	reportsLine  = regexp.MustCompile(`(?m)^  reports   (\S+)$`)
	keyLine      = regexp.MustCompile(`(?m)^  key       (\S+)$`)
	secretLine   = regexp.MustCompile(`(?m)^  secret    ([0-9a-z]{52}) `)
)

// startServer starts a server on a free port and waits until it listens.
func startServer(dir string, env []string, args ...string) (*server, error) {
	s := &server{dir: dir, ended: make(chan struct{})}
	s.cmd = exec.Command("cairn", append([]string{"serve", "-addr", "127.0.0.1:0"}, args...)...)
	s.cmd.Dir, s.cmd.Env = dir, env
	stdout, err := os.Create(filepath.Join(dir, "out.txt"))
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	stderr, err := os.Create(filepath.Join(dir, "err.txt"))
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	s.cmd.Stdout, s.cmd.Stderr = stdout, stderr
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(s.ended)
		s.cmd.Wait() // the exit code is read from the process state
	}()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if out := s.printed("out.txt"); strings.HasSuffix(out, "\n\n") && strings.Contains(out, "  endpoint  ") {
			s.endpoint, s.key, s.secret = first(endpointLine, out), first(keyLine, out), first(secretLine, out)
			return s, nil
		}
		if s.hasEnded() {
			break
		}
	}
	s.kill()
	return nil, fmt.Errorf("the server did not get ready: %s%s", s.printed("out.txt"), s.printed("err.txt"))
}

func (s *server) printed(name string) string {
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func first(pattern *regexp.Regexp, text string) string {
	if match := pattern.FindStringSubmatch(text); match != nil {
		return match[1]
	}
	return ""
}

func (s *server) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// stop signals the server and returns its exit code, -1 when the signal killed it.
func (s *server) stop(signal syscall.Signal) (int, error) {
	if err := s.cmd.Process.Signal(signal); err != nil {
		return 0, err
	}
	select {
	case <-s.ended:
		return s.cmd.ProcessState.ExitCode(), nil
	case <-time.After(patience):
		return 0, errors.New("the server does not end")
	}
}

// kill makes sure that the process is gone.
func (s *server) kill() {
	if !s.hasEnded() {
		s.cmd.Process.Kill()
		<-s.ended
	}
}

// serverFor starts a server for one Go test.
func serverFor(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	s, err := startServer(dir, append(os.Environ(), "CAIRN_CREDENTIAL="), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	return s
}

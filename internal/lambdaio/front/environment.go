package front

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// ErrFunction is wrapped by every error that a function caused: it failed, ended, took too long or too much.
var ErrFunction = errors.New("front: the function failed")

var (
	errEndedBefore = fmt.Errorf("%w: the process ended before the invocation began", ErrFunction)
	errAborted     = errors.New("front: the invocation was aborted")
)

const (
	maxLogLine = 256 << 10 // bytes; CloudWatch's largest event

	headerTimeout = 10 * time.Second // of a request to the runtime API
)

// launcher says how to start the execution environments of one function.
type launcher struct {
	function    Function
	binary      string
	environment map[string]string
	initTimeout time.Duration // until a process asks for its first event
	termTimeout time.Duration // between SIGTERM and the kill of a process that has an extension
	log         func(Line)
	now         func() time.Time
}

// environment is one process with the Runtime API that it talks to. It serves one invocation at a time.
type environment struct {
	launcher
	process  *exec.Cmd
	server   *http.Server
	next     chan *invocation // to the process
	extended atomic.Bool      // an extension has registered

	ready     chan struct{} // closed when the process asks for its first event
	readyOnce sync.Once
	exited    chan struct{} // closed when the process is gone and its log is read

	mu      sync.Mutex
	current *invocation // that the process works on; nil between two
	ending  bool        // it is thawed for good
}

// start starts a process and waits until it is ready. A process that does not become ready in time gets a second chance
// that may take as long as an invocation. Source: Lambda developer guide, "Lambda execution environment lifecycle".
func (l launcher) start(ctx context.Context) (*environment, error) {
	e, err := l.launch()
	if err != nil {
		return nil, err
	}
	if err = e.await(ctx, l.initTimeout); err == nil {
		return e, nil
	}
	if err := e.close(); err != nil {
		return nil, err
	}
	if e, err = l.launch(); err != nil {
		return nil, err
	}
	if err = e.await(ctx, l.function.Timeout); err != nil {
		return nil, errors.Join(err, e.close())
	}
	return e, nil
}

func (l launcher) launch() (*environment, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for runtime: %w", err)
	}
	e := &environment{
		launcher: l, next: make(chan *invocation), ready: make(chan struct{}), exited: make(chan struct{}),
		process: exec.Command(l.binary),
	}
	e.process.Dir = filepath.Dir(l.binary)
	e.process.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(), "LAMBDA_TASK_ROOT=" + e.process.Dir}
	for name, value := range l.environment {
		e.process.Env = append(e.process.Env, name+"="+value)
	}
	printed, writer, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make pipe for log: %w", err), listener.Close())
	}
	e.process.Stdout, e.process.Stderr = writer, writer
	// Nobody else knows the address; the process is not given a time limit to talk.
	e.server = &http.Server{Handler: e.runtimeAPI(), ReadHeaderTimeout: headerTimeout}
	endWithParent(e.process)
	err = e.process.Start()
	closed := writer.Close() // the process has its own
	if err := errors.Join(err, closed); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", l.function.Name, err), printed.Close(), listener.Close())
	}
	go func() { _ = e.server.Serve(listener) }() // until close
	go func() {
		e.copyLog(printed)
		_ = e.process.Wait() // how it ended is seen by what it left undone
		close(e.exited)
	}()
	return e, nil
}

func (e *environment) pid() int { return e.process.Process.Pid }

// copyLog hands on what the process prints, until nobody can print any more.
func (e *environment) copyLog(printed io.ReadCloser) {
	defer printed.Close()
	lines := bufio.NewReaderSize(printed, maxLogLine)
	for {
		line, err := lines.ReadSlice('\n') // a longer line comes in parts
		if text := bytes.TrimRight(line, "\r\n"); len(text) > 0 {
			e.log(Line{Source: e.function.Name, PID: e.pid(), Text: string(text)})
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// await waits until the process asks for its first event.
func (e *environment) await(ctx context.Context, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-e.ready:
		return nil
	case <-e.exited:
		return fmt.Errorf("%w: the process ended before it was ready: %v", ErrFunction, e.process.ProcessState)
	case <-timer.C:
		return fmt.Errorf("%w: the process was not ready within %v", ErrFunction, limit)
	case <-ctx.Done():
		return fmt.Errorf("start %s: %w", e.function.Name, ctx.Err())
	}
}

// invoke lets the process work on one event. After an error the environment must be closed, unless the process itself
// reported the error: then usable is true.
func (e *environment) invoke(i invocation) (answer []byte, usable bool, err error) {
	i.deadline = e.now().Add(e.function.Timeout)
	i.done = make(chan outcome, 1)
	timer := time.NewTimer(e.function.Timeout)
	defer timer.Stop()
	select {
	case e.next <- &i:
	case <-e.exited:
		return nil, false, errEndedBefore
	case <-timer.C:
		return nil, false, e.overtime()
	case <-i.abort:
		return nil, false, errAborted
	}
	select {
	case o := <-i.done:
		if peak := peakMemory(e.pid()); peak > e.function.Memory<<20 {
			return nil, false, fmt.Errorf("%w: it took %d MB of memory and has %d", ErrFunction, peak>>20, e.function.Memory)
		}
		return o.answer, true, o.err
	case <-e.exited:
		return nil, false, e.died()
	case <-timer.C:
		return nil, false, e.overtime()
	case <-i.abort:
		return nil, false, errAborted
	}
}

func (e *environment) died() error {
	return fmt.Errorf("%w: the process ended: %v", ErrFunction, e.process.ProcessState)
}

func (e *environment) overtime() error {
	return fmt.Errorf("%w: it took longer than %v", ErrFunction, e.function.Timeout)
}

// begin notes what the process works on.
func (e *environment) begin(i *invocation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.current = i
}

// freeze stops the process until the next invocation: work that a function left undone after its answer waits too, maybe
// for ever. Source: Lambda developer guide, "Lambda execution environment lifecycle".
func (e *environment) freeze() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.ending {
		e.signal(syscall.SIGSTOP)
	}
}

// thaw lets the process go on.
func (e *environment) thaw() { e.signal(syscall.SIGCONT) }

// thawForGood lets the process go on to its end, also when it asks for another event before it learns of that.
func (e *environment) thawForGood() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ending = true
	e.thaw()
}

// signal does nothing to a process that is gone, which is seen elsewhere.
func (e *environment) signal(s syscall.Signal) {
	if canFreeze {
		_ = e.process.Process.Signal(s)
	}
}

// end reports the outcome of the invocation with this id; false when the process does not work on it.
func (e *environment) end(id string, o outcome) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil || e.current.id != id {
		return false
	}
	e.current.done <- o
	e.current = nil
	return true
}

// close ends the process: at once, or after SIGTERM when an extension asked to be told.
func (e *environment) close() error {
	if e.extended.Load() {
		e.thawForGood()
		if err := e.process.Process.Signal(syscall.SIGTERM); err == nil {
			select {
			case <-e.exited:
			case <-time.After(e.termTimeout):
			}
		}
	}
	if err := e.process.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", e.function.Name, err)
	}
	<-e.exited
	if err := e.server.Close(); err != nil {
		return fmt.Errorf("close runtime API of %s: %w", e.function.Name, err)
	}
	return nil
}

// peakMemory is the most memory that a process has had, in bytes; 0 on systems that do not tell.
func peakMemory(pid int) int {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(status) {
		if value, ok := bytes.CutPrefix(line, []byte("VmHWM:")); ok {
			kilobytes, err := strconv.Atoi(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(value), []byte("kB")))))
			if err != nil {
				return 0
			}
			return kilobytes << 10
		}
	}
	return 0
}

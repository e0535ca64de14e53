package front

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

var errPayloadTooLarge = fmt.Errorf("the event is larger than %d bytes", maxPayload)

// pool holds the execution environments of one function. It is safe for concurrent use.
type pool struct {
	launcher
	slots       chan struct{} // as many as environments may be busy
	invocations atomic.Int64

	mu   sync.Mutex     // also of the launcher's binary
	idle []*environment // the last used one last: a busy time's environments grow cold together
}

func newPool(l launcher, concurrency int) *pool {
	return &pool{launcher: l, slots: make(chan struct{}, concurrency)}
}

// name makes the id of an invocation.
func (p *pool) name() string { return fmt.Sprintf("%s-%d", p.function.Name, p.invocations.Add(1)) }

// invoke runs one event. When every environment is busy it waits for one, at most until ctx ends.
func (p *pool) invoke(ctx context.Context, i invocation) ([]byte, error) {
	if len(i.payload) > maxPayload {
		return nil, errPayloadTooLarge
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for an execution environment: %w", ctx.Err())
	}
	defer func() { <-p.slots }()
	if i.id == "" {
		i.id = p.name()
	}
	for {
		e, idle, err := p.take(ctx)
		if err != nil {
			return nil, err
		}
		answer, usable, err := e.invoke(i)
		if usable {
			return answer, errors.Join(err, p.give(e))
		}
		closed := e.close()
		if !idle || closed != nil || !errors.Is(err, errEndedBefore) {
			return nil, errors.Join(err, closed)
		}
		// It ended after its last answer, as after a panic. That is no fault of this invocation.
	}
}

// take returns an idle environment, or starts one.
func (p *pool) take(ctx context.Context) (e *environment, idle bool, err error) {
	p.mu.Lock()
	if last := len(p.idle) - 1; last >= 0 {
		e, p.idle = p.idle[last], p.idle[:last]
	}
	start := p.launcher.start
	p.mu.Unlock()
	if e != nil {
		return e, true, nil
	}
	e, err = start(ctx)
	return e, false, err
}

// give takes an environment back. One of a binary that was replaced ends.
func (p *pool) give(e *environment) error {
	p.mu.Lock()
	current := e.binary == p.binary
	if current {
		p.idle = append(p.idle, e)
	}
	p.mu.Unlock()
	if current {
		return nil
	}
	return e.close()
}

// replace lets invocations that begin from now on run another binary.
func (p *pool) replace(binary string) error {
	p.mu.Lock()
	p.binary = binary
	p.mu.Unlock()
	return p.close()
}

// close ends the environments that are idle.
func (p *pool) close() error {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	var errs []error
	for _, e := range idle {
		errs = append(errs, e.close())
	}
	return errors.Join(errs...)
}

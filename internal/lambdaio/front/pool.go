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

	mu   sync.Mutex
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
			p.give(e)
			return answer, err
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
	p.mu.Unlock()
	if e != nil {
		return e, true, nil
	}
	e, err = p.start(ctx)
	return e, false, err
}

func (p *pool) give(e *environment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, e)
}

// close ends the environments. No invocation may be under way.
func (p *pool) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, e := range p.idle {
		errs = append(errs, e.close())
	}
	p.idle = nil
	return errors.Join(errs...)
}

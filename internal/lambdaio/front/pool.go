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
	e, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	i.id = fmt.Sprintf("%s-%d", p.function.Name, p.invocations.Add(1))
	answer, usable, err := e.invoke(i)
	if !usable {
		return nil, errors.Join(err, e.close())
	}
	p.give(e)
	return answer, err
}

// take returns an idle environment, or starts one.
func (p *pool) take(ctx context.Context) (*environment, error) {
	p.mu.Lock()
	for len(p.idle) > 0 {
		e := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		select {
		case <-e.exited:
			p.mu.Unlock()
			if err := e.close(); err != nil {
				return nil, err
			}
			p.mu.Lock()
		default:
			p.mu.Unlock()
			return e, nil
		}
	}
	p.mu.Unlock()
	return p.start(ctx)
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

package table

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Pace is the pace of work that nobody waits for: while there are requests it rests every few milliseconds, several times as
// long as it worked, so that they are slowed down a little all the time and never much. A pace is for one piece of work, and
// begins when it is made.
type Pace struct {
	perWork int         // how many times as long it rests
	busy    func() bool // there are requests

	mu    sync.Mutex
	began time.Time // when it last came from a rest
}

// The time that is worked at once, and the longest rest after it: the machine may have been asleep.
const (
	workAtOnce  = 5 * time.Millisecond
	longestRest = 500 * time.Millisecond
)

// NewPace makes a pace that rests perWork times as long as it works while busy says so; 0 never rests.
func NewPace(perWork int, busy func() bool) *Pace {
	return &Pace{perWork: perWork, busy: busy, began: time.Now()}
}

type paceKey struct{}

// WithPace returns a context under which a Metered database keeps the pace: it rests before a call when it is time to.
func WithPace(ctx context.Context, p *Pace) context.Context {
	return context.WithValue(ctx, paceKey{}, p)
}

// Rest rests if the context has a Pace and it is time to. When the context ends the error wraps ErrThrottled.
func Rest(ctx context.Context) error {
	p, ok := ctx.Value(paceKey{}).(*Pace)
	if !ok || p.perWork == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	worked := time.Since(p.began)
	if worked < workAtOnce {
		return nil
	}
	if !p.busy() {
		p.began = time.Now()
		return nil
	}
	select {
	case <-time.After(min(time.Duration(p.perWork)*worked, longestRest)):
		p.began = time.Now()
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: rest: %w", ErrThrottled, ctx.Err())
	}
}

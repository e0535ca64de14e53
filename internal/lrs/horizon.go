package lrs

import (
	"context"
	"time"

	"github.com/cairn-lrs/cairn/internal/position"
)

// Horizon knows the last closed millisecond: nothing can still be stored at or before it, and everything stored until
// then is listed. Source of the announcement: xAPI 1.0.3 Communication 2.1.4, X-Experience-API-Consistent-Through.
type Horizon interface {
	Through(ctx context.Context) (time.Time, error)
}

// OneProcess is the horizon where this process is the only writer: it waits for the writes in flight and announces the
// millisecond before the current one, less the time that index entries may lag.
type OneProcess struct {
	Positions *position.Clock
	IndexLag  time.Duration
}

// Through waits for the writes in flight.
func (h OneProcess) Through(ctx context.Context) (time.Time, error) {
	through, err := h.Positions.Closed(ctx)
	return through.Add(-h.IndexLag), err
}

// The allowances of ManyProcesses.
const (
	DefaultIndexLag  = time.Second // of a global secondary index; "normally a fraction of a second" (DynamoDB developer guide)
	DefaultClockSkew = time.Second // between two processes
)

// ManyProcesses is the horizon where any number of processes write: what bounds the age of a commit (maxAge,
// commitLife) and the allowances for indexes and clocks, before now.
type ManyProcesses struct {
	Now                 func() time.Time
	IndexLag, ClockSkew time.Duration
	ClockRight          func() error // as in Config; nil: it is right
}

// Through announces now less all allowances, 5 s with the default ones, and nothing by a clock that is wrong.
func (h ManyProcesses) Through(context.Context) (time.Time, error) {
	if h.ClockRight != nil {
		if err := h.ClockRight(); err != nil {
			return time.Time{}, unavailable("until when lists are complete cannot be told now", err)
		}
	}
	return h.Now().Add(-maxAge - commitLife - h.IndexLag - h.ClockSkew).UTC().Truncate(time.Millisecond), nil
}

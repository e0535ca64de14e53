package table

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Pause waits before a write is tried again: 10 to 20 ms before the first new try (try is 1), longer at each, up to half
// a second, and each time a little differently, so that writers who met once do not meet again. The error is the context's.
func Pause(ctx context.Context, try int) error {
	longest := min(10*time.Millisecond<<min(try, 10), 500*time.Millisecond)
	return Sleep(ctx, longest/2+rand.N(longest/2))
}

// Sleep waits for some time. The error is the context's.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Retryable reports whether a call whose writes may be made twice may be made again as it was.
func Retryable(err error) bool {
	return errors.Is(err, ErrThrottled) || errors.Is(err, ErrConflict) || errors.Is(err, ErrUnknown)
}

package position

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"
)

// perMilli is how many positions fit one millisecond: the 12 bits that count.
const perMilli = 1 << 12

// Clock makes positions that rise strictly, also within one millisecond and while the wall clock stands still or
// steps back; then it counts on from its last position. It is safe for concurrent use.
type Clock struct {
	now    func() time.Time
	random io.Reader

	mu      sync.Mutex
	milli   int64 // of the last position
	count   int   // positions made in that millisecond
	open    map[*Lease]struct{}
	waiters map[chan struct{}]struct{} // closed whenever a lease ends
}

// NewClock makes a Clock; now and random default to the wall clock and crypto/rand.
func NewClock(now func() time.Time, random io.Reader) *Clock {
	if now == nil {
		now = time.Now
	}
	if random == nil {
		random = rand.Reader
	}
	return &Clock{now: now, random: random, open: map[*Lease]struct{}{}, waiters: map[chan struct{}]struct{}{}}
}

// Now is the clock's time.
func (c *Clock) Now() time.Time { return c.now() }

// Lease holds the positions of one write. While it is open the clock's horizon stays before its first position.
type Lease struct {
	Positions []Position
	clock     *Clock
}

// Open makes n rising positions for one write. The caller must Close the lease once nothing can be stored at them any more.
func (c *Clock) Open(n int) (*Lease, error) {
	tail := make([]byte, 8*n)
	if _, err := io.ReadFull(c.random, tail); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	lease := &Lease{Positions: make([]Position, n), clock: c}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range lease.Positions {
		lease.Positions[i] = c.next([8]byte(tail[8*i:]))
	}
	c.open[lease] = struct{}{}
	return lease, nil
}

// next makes one position; the caller holds the lock.
func (c *Clock) next(random [8]byte) Position {
	switch wall := c.now().UnixMilli(); {
	case wall > c.milli:
		c.milli, c.count = wall, 0
	case c.count == perMilli:
		c.milli, c.count = c.milli+1, 0
	}
	var p Position
	binary.BigEndian.PutUint64(p[:8], uint64(c.milli)<<16|7<<12|uint64(c.count))
	copy(p[8:], random[:])
	p[8] = p[8]&0x3f | 0x80
	c.count++
	return p
}

// Close ends the lease. Closing twice is harmless.
func (l *Lease) Close() {
	c := l.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, l)
	for w := range c.waiters {
		close(w)
		delete(c.waiters, w)
	}
}

// Closed waits for the open leases with a position before the current millisecond and returns the millisecond before
// it: no position at or before that will be made any more, and every write at one has ended.
func (c *Clock) Closed(ctx context.Context) (time.Time, error) {
	through := time.UnixMilli(c.now().UnixMilli() - 1).UTC()
	for {
		wait := c.openThrough(through)
		if wait == nil {
			return through, nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("wait for writes in flight: %w", ctx.Err())
		}
	}
}

// Drain waits for the leases that are open now.
func (c *Clock) Drain(ctx context.Context) error {
	c.mu.Lock()
	leases := maps.Clone(c.open)
	c.mu.Unlock()
	for {
		wait := c.stillOpen(leases)
		if wait == nil {
			return nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return fmt.Errorf("wait for writes in flight: %w", ctx.Err())
		}
	}
}

// stillOpen returns nil when all of the leases have ended, else a channel that is closed when a lease ends.
func (c *Clock) stillOpen(leases map[*Lease]struct{}) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	for lease := range leases {
		if _, open := c.open[lease]; open {
			return c.nextEnd()
		}
	}
	return nil
}

// nextEnd returns a channel that is closed when a lease ends. The caller holds the lock.
func (c *Clock) nextEnd() <-chan struct{} {
	w := make(chan struct{})
	c.waiters[w] = struct{}{}
	return w
}

// openThrough returns nil when no lease has a position at or before the millisecond, else a channel that is closed
// when a lease ends. It also keeps later positions out of that millisecond, should the wall clock step back.
func (c *Clock) openThrough(through time.Time) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m := through.UnixMilli(); m >= c.milli {
		c.milli, c.count = m+1, 0
	}
	for lease := range c.open {
		if !lease.Positions[0].Time().After(through) {
			return c.nextEnd()
		}
	}
	return nil
}

// Package position makes the 16-byte, time-ordered positions of statements: their order
// and their stored time. The layout is UUIDv7's (RFC 9562, 5.7): 48 bits of Unix
// milliseconds, 12 bits that count within the millisecond, 62 random bits.
package position

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"time"
)

// Position is one statement's place in its store's order.
type Position [16]byte

// Time returns the millisecond at which the statement was stored.
func (p Position) Time() time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(p[:8]) >> 16)).UTC()
}

// First returns the lowest position of t's millisecond; sub-millisecond parts of t do not count.
func First(t time.Time) Position {
	var p Position
	binary.BigEndian.PutUint64(p[:8], uint64(t.UnixMilli())<<16)
	return p
}

// Last returns the highest position of t's millisecond.
func Last(t time.Time) Position {
	p := First(t)
	for i := 6; i < len(p); i++ {
		p[i] = 0xff
	}
	return p
}

// Parse reads a position from its 16 bytes.
func Parse(b []byte) (Position, error) {
	if len(b) != len(Position{}) {
		return Position{}, errors.New("position: want 16 bytes")
	}
	return Position(b), nil
}

// perMilli is how many positions fit one millisecond.
const perMilli = 1 << 12

// Clock makes positions that rise strictly, also within one millisecond and when the wall clock steps back.
// It never runs ahead of the wall clock: when a millisecond is used up it waits for the next.
// It is safe for concurrent use.
type Clock struct {
	now    func() time.Time
	random io.Reader

	mu    sync.Mutex
	milli int64 // of the last position
	count int   // positions made in that millisecond
	open  map[Position]struct{}
	done  *sync.Cond
}

// NewClock makes a Clock. now and random default to the wall clock and crypto/rand.
func NewClock(now func() time.Time, random io.Reader) *Clock {
	if now == nil {
		now = time.Now
	}
	if random == nil {
		random = rand.Reader
	}
	c := &Clock{now: now, random: random, open: map[Position]struct{}{}}
	c.done = sync.NewCond(&c.mu)
	return c
}

// Now is the clock's time.
func (c *Clock) Now() time.Time { return c.now() }

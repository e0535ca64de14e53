// Package position makes the 16-byte, time-ordered positions of statements: their order
// and their stored time. The layout is UUIDv7's (RFC 9562, 5.7): 48 bits of Unix
// milliseconds, 12 bits that count within the millisecond, 62 random bits.
package position

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"
)

// Position is one statement's place in its store's order.
type Position [16]byte

// Time returns the millisecond at which the statement was stored.
func (p Position) Time() time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(p[:8]) >> 16)).UTC()
}

// First returns the lowest position of t's millisecond; sub-millisecond parts of t do not count. Times before 1970
// have the lowest position of all, times after the year 10889 the highest millisecond.
func First(t time.Time) Position {
	var p Position
	binary.BigEndian.PutUint64(p[:8], uint64(min(max(t.UnixMilli(), 0), 1<<48-1))<<16)
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

// Compare orders positions.
func (p Position) Compare(q Position) int { return bytes.Compare(p[:], q[:]) }

// Next returns the position that follows p; the highest stays.
func (p Position) Next() Position {
	next := p
	for i := len(next) - 1; i >= 0; i-- {
		next[i]++
		if next[i] != 0 {
			return next
		}
	}
	return p
}

// Previous returns the position before p; the lowest stays.
func (p Position) Previous() Position {
	previous := p
	for i := len(previous) - 1; i >= 0; i-- {
		previous[i]--
		if previous[i] != 0xff {
			return previous
		}
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

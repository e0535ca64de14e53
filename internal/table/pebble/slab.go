package pebble

import (
	"bytes"

	"github.com/cairn-lrs/cairn/internal/table"
)

// slab is room for what is read together: a page takes a few pieces of memory instead of some for each item. An item keeps the
// pieces alive that it has a part of.
type slab struct {
	bytes pieces[byte]
	sets  pieces[[]byte]
	rows  pieces[table.Value]
}

// The largest pieces, and what has one to itself.
const (
	maxPiece = 16 << 10 // bytes
	maxMany  = 512      // members of sets, or values of rows
	aside    = 4        // what takes more than this fraction
)

// clone copies bytes.
func (s *slab) clone(b []byte) []byte {
	switch {
	case len(b) == 0:
		return []byte{} // an empty binary is not nil
	case len(b) > maxPiece/aside:
		return bytes.Clone(b)
	}
	c := s.bytes.take(len(b), maxPiece)
	copy(c, b)
	return c
}

// members makes a set of n members.
func (s *slab) members(n int) [][]byte {
	if n > maxMany/aside {
		return make([][]byte, n)
	}
	return s.sets.take(n, maxMany)
}

// row makes a row of n values.
func (s *slab) row(n int) table.Row {
	if n > maxMany/aside {
		return make(table.Row, n)
	}
	return s.rows.take(n, maxMany)
}

// pieces are cut from memory that is taken in one go: at first as much as is asked for, then twice as much each time.
type pieces[T any] struct {
	free []T
	last int // how much was taken
}

// take cuts a piece of n, capped so that appending to it cannot reach the next. Most bounds what is taken for it and others.
func (p *pieces[T]) take(n, most int) []T {
	if n > len(p.free) {
		p.last = max(n, min(2*p.last, most))
		p.free = make([]T, p.last)
	}
	piece := p.free[:n:n]
	p.free = p.free[n:]
	return piece
}

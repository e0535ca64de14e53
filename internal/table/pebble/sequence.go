package pebble

import "sync"

// sequencer numbers the changes of all feeds. A commit takes its numbers while it holds the locks of its items, so
// they rise for each item; other commits may finish in another order. Therefore readers see only what lies before
// the oldest commit under way: no change can appear later behind a reader's back.
type sequencer struct {
	mu       sync.Mutex
	next     uint64
	underway []span        // in the order of their numbers
	moved    chan struct{} // closed when the mark rises; nil while nobody waits
}

// span is the numbers of one commit.
type span struct {
	first uint64
	done  bool
}

func newSequencer(next uint64) *sequencer { return &sequencer{next: next} }

// begin takes n ≥ 1 numbers and returns the first.
func (s *sequencer) begin(n int) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.next
	s.next += uint64(n)
	s.underway = append(s.underway, span{first: first})
	return first
}

// end says that the commit which took its numbers from first is over. 0 stands for a commit that took none.
func (s *sequencer) end(first uint64) {
	if first == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.underway {
		if s.underway[i].first == first {
			s.underway[i].done = true
			break
		}
	}
	n := 0
	for n < len(s.underway) && s.underway[n].done {
		n++
	}
	if n == 0 {
		return
	}
	s.underway = append(s.underway[:0], s.underway[n:]...)
	if s.moved != nil {
		close(s.moved)
		s.moved = nil
	}
}

// mark returns the number below which every change can be read, and a channel that is closed when it rises.
func (s *sequencer) mark() (uint64, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.moved == nil {
		s.moved = make(chan struct{})
	}
	if len(s.underway) > 0 {
		return s.underway[0].first, s.moved
	}
	return s.next, s.moved
}

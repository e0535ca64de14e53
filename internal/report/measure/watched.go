package measure

import (
	"cmp"
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// segments is a list of played segments, in the order in which they were played.
type segments []fact.Segment

// clip cuts segments to 0 … length, and leaves out those of which nothing stays. A length of 0 clips nothing: none is known.
func (s segments) clip(length int64) segments {
	if length <= 0 {
		return s
	}
	var out segments
	for _, x := range s {
		if x.To = min(x.To, length); x.From < x.To {
			out = append(out, x)
		}
	}
	return out
}

// total is the sum of the lengths.
func (s segments) total() (sum int64) {
	for _, x := range s {
		sum += x.To - x.From
	}
	return sum
}

// union merges segments that touch or overlap, sorted.
func (s segments) union() segments {
	sorted := slices.SortedFunc(slices.Values(s), compareSegments)
	var out segments
	for _, x := range sorted {
		if n := len(out); n > 0 && x.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, x.To)
		} else {
			out = append(out, x)
		}
	}
	return out
}

// overlap is how much of from … to the segments cover; of a union, no more than all of it.
func (s segments) overlap(from, to int64) (sum int64) {
	for _, x := range s {
		sum += max(0, min(x.To, to)-max(x.From, from))
	}
	return sum
}

func compareSegments(a, b fact.Segment) int {
	return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
}

// tolerance is by how much two players' statements of one place may differ: 1 millisecond (M40).
const tolerance = 1

// before reports a ≤ b: a is a prefix of b, where a's last segment may be shorter than b's at that index. within is the
// tolerance in milliseconds.
func (s segments) before(b segments, within int64) bool {
	if len(s) > len(b) {
		return false
	}
	for i, x := range s {
		y := b[i]
		if !near(x.From, y.From, within) {
			return false
		}
		if near(x.To, y.To, within) {
			continue
		}
		if i < len(s)-1 || x.To > y.To {
			return false
		}
	}
	return true
}

func near(a, b, within int64) bool { return a-b <= within && b-a <= within }

// played keeps the maximal lists (M40) of one learner, video and registration while lists are added in order of their statements.
type played struct{ lists []playedList }

// playedList is a list that is not ≤ another so far.
type playedList struct {
	segments
	counts bool     // it was added to be counted, not for what was played before
	base   segments // the list that does not count from which it went on; nil: none
}

// maxPlayed is with how many of the latest maximal lists a new one is compared. Players that restart their list make one a
// session; the bound is for who sends thousands.
const maxPlayed = 300

// add takes in a list and returns by how much the sum of the lengths of the maximal lists grows: nothing for a list ≤ another,
// else its own length less that of the lists that are ≤ it.
func (p *played) add(list segments, counts bool) (added int64) {
	if len(list) == 0 {
		return 0
	}
	n := playedList{segments: list, counts: counts}
	added = list.total()
	from := max(0, len(p.lists)-maxPlayed)
	for _, old := range p.lists[from:] {
		if list.before(old.segments, tolerance) {
			return 0
		}
	}
	kept := p.lists[:from]
	for _, old := range p.lists[from:] {
		if !old.before(list, tolerance) {
			kept = append(kept, old)
			continue
		}
		added -= old.total()
		base := old.base
		if !old.counts {
			base = old.segments
		}
		if base.total() > n.base.total() {
			n.base = base
		}
	}
	p.lists = append(kept, n)
	return max(0, added)
}

// counted is what the lists that count hold beyond their bases.
func (p *played) counted() (out segments) {
	for _, list := range p.lists {
		if list.counts {
			out = append(out, list.from(list.base)...)
		}
	}
	return out
}

// from is what follows a list that is ≤ s.
func (s segments) from(e segments) segments {
	if len(e) == 0 {
		return s
	}
	rest := slices.Clone(s[len(e)-1:])
	if rest[0].From = max(rest[0].From, e[len(e)-1].To); rest[0].From >= rest[0].To {
		return rest[1:]
	}
	return rest
}

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

func compareLists(a, b segments) int { return slices.CompareFunc(a, b, compareSegments) }

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

// maxTolerant is up to how many lists are compared with a tolerance: each with each. Beyond it, which no player reaches, lists are
// compared exactly.
const maxTolerant = 300

// maximal keeps the lists that are not ≤ another (M40), sorted: the order in which lists came, and how often, changes nothing. Of lists
// that are equal within the tolerance the last in order stays.
func maximal(lists []segments) []segments {
	lists = slices.DeleteFunc(slices.Clone(lists), func(s segments) bool { return len(s) == 0 })
	slices.SortFunc(lists, compareLists)
	// Exactly: what lies between a and a larger list in this order begins like both, so a's successor decides.
	kept := lists[:0]
	for i, s := range lists {
		if i+1 == len(lists) || !s.before(lists[i+1], 0) {
			kept = append(kept, s)
		}
	}
	if len(kept) > maxTolerant {
		return kept
	}
	dropped := make([]bool, len(kept))
	for i, a := range kept {
		for j, b := range kept {
			if i != j && !dropped[j] && a.before(b, tolerance) && (i < j || !b.before(a, tolerance)) {
				dropped[i] = true
				break
			}
		}
	}
	out := kept[:0]
	for i, s := range kept {
		if !dropped[i] {
			out = append(out, s)
		}
	}
	return out
}

// beyond is what lists add to earlier ones: each from where the longest of the earlier lists that are ≤ it ends.
func beyond(lists, earlier []segments) []segments {
	var out []segments
	for _, list := range lists {
		var longest segments
		for _, e := range earlier {
			if e.before(list, tolerance) && (len(e) > len(longest) || len(e) == len(longest) && e.total() > longest.total()) {
				longest = e
			}
		}
		if rest := list.from(longest); len(rest) > 0 {
			out = append(out, rest)
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
	if rest[0].From = max(rest[0].From, e[len(e)-1].To); rest[0].From+tolerance >= rest[0].To {
		return rest[1:]
	}
	return rest
}

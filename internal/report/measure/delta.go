package measure

import (
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// delta is how a list of facts changed: what it is now, which of them came, and which went. All three are in order.
type delta struct{ after, came, went Facts }

// changes returns the facts that only new has and those that only old has. Both are in order.
func changes(old, new []fact.Fact) (came, went Facts) {
	if n := min(len(old), len(new)); n > 0 && &old[0] == &new[0] { // new goes on where old ends, in the same memory
		old, new = old[n:], new[n:]
	}
	for len(old) > 0 || len(new) > 0 {
		switch {
		case len(new) == 0 || len(old) > 0 && old[0].Before(&new[0]):
			went, old = append(went, &old[0]), old[1:]
		case len(old) == 0 || new[0].Before(&old[0]):
			came, new = append(came, &new[0]), new[1:]
		default:
			old, new = old[1:], new[1:]
		}
	}
	return came, went
}

// before is what the list was.
func (d delta) before() Facts {
	if len(d.after) == len(d.came) {
		return d.went
	}
	before := make(Facts, 0, len(d.after)-len(d.came)+len(d.went))
	came, went := d.came, d.went
	for _, f := range d.after {
		if len(came) > 0 && came[0] == f {
			came = came[1:]
			continue
		}
		for len(went) > 0 && went[0].Before(f) {
			before, went = append(before, went[0]), went[1:]
		}
		before = append(before, f)
	}
	return append(before, went...)
}

// eachScope calls do for each activity that a fact which came or went is under, with how the facts under it changed.
func (d delta) eachScope(do func(scope fact.Hash, d delta)) { d.each(appendScopes, do) }

// eachContent calls do for each activity that a fact which came or went is about, with how the facts about it changed.
func (d delta) eachContent(do func(content fact.Hash, d delta)) {
	d.each(func(to []fact.Hash, f *fact.Fact) []fact.Hash {
		if f.Content == (fact.Hash{}) {
			return to
		}
		return append(to, f.Content)
	}, do)
}

// each calls do for each key that a fact which came or went has, in order, with how the facts with that key changed.
func (d delta) each(appendKeys func(to []fact.Hash, f *fact.Fact) []fact.Hash, do func(key fact.Hash, d delta)) {
	keys := make([]fact.Hash, 0, 2+fact.MaxGroupings)
	for _, f := range d.came {
		keys = appendKeys(keys, f)
	}
	for _, f := range d.went {
		keys = appendKeys(keys, f)
	}
	slices.SortFunc(keys, compareHashes)
	keys = slices.Compact(keys)
	after := d.after.sortedOut(keys, appendKeys)
	if len(d.came)+len(d.went) == 1 { // the keys are its own
		for i, key := range keys {
			do(key, delta{after[i], d.came, d.went})
		}
		return
	}
	came, went := d.came.sortedOut(keys, appendKeys), d.went.sortedOut(keys, appendKeys)
	for i, key := range keys {
		do(key, delta{after[i], came[i], went[i]})
	}
}

// sortedOut are, for each of the keys, which are sorted, the facts that have it.
func (f Facts) sortedOut(keys []fact.Hash, appendKeys func([]fact.Hash, *fact.Fact) []fact.Hash) []Facts {
	type hit struct {
		fact *fact.Fact
		key  int
	}
	hits, counts, out := make([]hit, 0, 2*len(f)), make([]int, len(keys)), make([]Facts, len(keys))
	its := make([]fact.Hash, 0, 2+fact.MaxGroupings)
	for _, x := range f {
		for _, key := range appendKeys(its[:0], x) {
			if i := find(keys, key); i >= 0 {
				hits = append(hits, hit{x, i})
				counts[i]++
			}
		}
	}
	room := make(Facts, len(hits))
	for i, n := range counts {
		out[i], room = room[:0:n], room[n:]
	}
	for _, h := range hits {
		out[h.key] = append(out[h.key], h.fact)
	}
	return out
}

// find is the index of a key among sorted ones; -1 when it is not there. Most often there are a few.
func find(keys []fact.Hash, key fact.Hash) int {
	if len(keys) <= 8 {
		return slices.Index(keys, key)
	}
	if i, ok := slices.BinarySearchFunc(keys, key, compareHashes); ok {
		return i
	}
	return -1
}

package measure

import (
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// Facts are one learner's facts in order (fact.Fact.Before), or those of them that a question is about. They point into the
// ledger that was read and hold no copies.
type Facts []*fact.Fact

// Of orders a ledger's facts.
func Of(facts []fact.Fact) Facts {
	out := make(Facts, len(facts))
	for i := range facts {
		out[i] = &facts[i]
	}
	if !slices.IsSortedFunc(out, compareFacts) {
		slices.SortFunc(out, compareFacts)
	}
	return out
}

func compareFacts(a, b *fact.Fact) int {
	switch {
	case a.Before(b):
		return -1
	case b.Before(a):
		return 1
	}
	return 0
}

// Where keeps the facts for which keep is true.
func (f Facts) Where(keep func(*fact.Fact) bool) Facts {
	var out Facts
	for _, x := range f {
		if keep(x) {
			out = append(out, x)
		}
	}
	return out
}

// share reports whether all are alike.
func (f Facts) share(alike func(a, b *fact.Fact) bool) bool {
	for i := range f {
		if !alike(f[0], f[i]) {
			return false
		}
	}
	return true
}

// Under keeps the facts in the scope of an activity: its own and those of everything under it by parent or grouping. The zero
// scope is the store, which keeps all.
func (f Facts) Under(scope fact.Hash) Facts {
	if scope == (fact.Hash{}) {
		return f
	}
	return f.Where(func(x *fact.Fact) bool { return x.Under(scope) })
}

// About keeps the facts whose object is the activity.
func (f Facts) About(content fact.Hash) Facts {
	return f.Where(func(x *fact.Fact) bool { return x.Content == content })
}

// In keeps the facts of a period.
func (f Facts) In(p Period) Facts { return f.Where(func(x *fact.Fact) bool { return p.Holds(x.T) }) }

// Period is From ≤ t < To in milliseconds of Unix time.
type Period struct{ From, To int64 }

// Holds reports whether t lies in the period.
func (p Period) Holds(t int64) bool { return p.From <= t && t < p.To }

// Time is a moment in milliseconds of Unix time that may be absent.
type Time struct {
	At int64
	Is bool // false: absent
}

func moment(at int64) Time { return Time{at, true} }

// first is the earlier of t, if there is one, and at.
func (t *Time) first(at int64) {
	if !t.Is || at < t.At {
		*t = moment(at)
	}
}

// eachContent calls f for the facts of each activity, in order of their first fact. Facts about no activity are left out.
func (f Facts) eachContent(do func(content fact.Hash, facts Facts)) {
	f.eachBy(func(x *fact.Fact) fact.Hash { return x.Content }, func(content fact.Hash, facts Facts) {
		if content != (fact.Hash{}) {
			do(content, facts)
		}
	})
}

// eachBy calls do for each group of facts with one key, in order of their first fact.
func (f Facts) eachBy(key func(*fact.Fact) fact.Hash, do func(fact.Hash, Facts)) {
	if f.share(func(a, b *fact.Fact) bool { return key(a) == key(b) }) {
		if len(f) > 0 {
			do(key(f[0]), f)
		}
		return
	}
	at := map[fact.Hash]int{}
	var keys []fact.Hash
	var groups []Facts
	for _, x := range f {
		k := key(x)
		i, ok := at[k]
		if !ok {
			i = len(groups)
			at[k] = i
			keys, groups = append(keys, k), append(groups, nil)
		}
		groups[i] = append(groups[i], x)
	}
	for i, group := range groups {
		do(keys[i], group)
	}
}

// byScope groups facts by the scopes that they are under, the store left out.
func (f Facts) byScope() map[fact.Hash]Facts {
	out := map[fact.Hash]Facts{}
	var scopes []fact.Hash
	for _, x := range f {
		scopes = appendScopes(scopes[:0], x)
		for _, scope := range scopes {
			out[scope] = append(out[scope], x)
		}
	}
	return out
}

// appendScopes appends each activity that a fact is under once.
func appendScopes(to []fact.Hash, f *fact.Fact) []fact.Hash {
	none := fact.Hash{}
	if f.Content != none {
		to = append(to, f.Content)
	}
	if f.Parent != none && f.Parent != f.Content {
		to = append(to, f.Parent)
	}
	for i, g := range f.Groupings {
		if g != none && g != f.Content && g != f.Parent && !slices.Contains(f.Groupings[:i], g) {
			to = append(to, g)
		}
	}
	return to
}

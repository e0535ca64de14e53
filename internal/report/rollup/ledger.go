package rollup

import (
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// Ledger is everything that reports know of one learner.
type Ledger struct {
	Learner fact.Hash
	// Identity is the learner's identifier as a JSON Agent, Name the last name that came with it; "" when nobody said.
	Identity, Name string
	// Unattributed marks the facts of statements whose actor is no learner: an identified or an anonymous group. They are
	// kept in 256 such ledgers by statement and count for no number of learners.
	Unattributed bool
	Facts        []fact.Fact // live, in order (fact.Fact.Before)
}

// ledger is a Ledger as it is folded: a set of facts and tombstones by statement, each the newest that was seen. So any
// order of any deliveries comes to the same ledger. A fact counts when it was stored after its tombstone, if there is one:
// an id that was deleted may be used again.
type ledger struct {
	learner      fact.Hash
	identity     string
	name         string
	named        int64 // Stored of the statement that the name came with
	unattributed bool

	facts    []fact.Fact      // those that count, in order; never changed in place, since others may read them
	stored   map[uint64]int64 // by statement: Stored of its fact in facts
	tombs    map[uint64]int64 // by statement: it is not live as it was stored then or before
	segments int              // played segments of all facts

	// How it is stored.
	version int64  // rises with each change; 0: not stored yet
	head    page   // what stands in the head; the rest is in sealed pages
	pages   int    // sealed pages
	books   int    // the first of them: large ones, which are never written again
	recent  []page // those behind the books; the last is the tail, which is written again until it is full
	read    int    // sealed pages that were read

	merged page // what was read and is not settled yet
}

func newLedger(learner fact.Hash) *ledger {
	return &ledger{learner: learner, unattributed: unattributed(learner), stored: map[uint64]int64{}, tombs: map[uint64]int64{}}
}

// change is what one event does to a ledger.
type change struct {
	statementID string
	fact        fact.Fact // of a live statement; of another one its ID and Stored count
	live        bool
	identity    string
	name        string
}

// apply adds changes, in any order, and reports whether the ledger differs from before. It leaves the slice of facts that was
// there as it is.
func (l *ledger) apply(changes []change) (changed bool) {
	var added []fact.Fact
	removed := map[uint64]bool{}
	for i := range changes {
		c := &changes[i]
		if c.live && l.describe(c) {
			changed = true
		}
		id := c.fact.ID
		until, dead := l.tombs[id]
		stored, there := l.stored[id]
		switch {
		case dead && c.fact.Stored <= until, c.live && there && c.fact.Stored <= stored:
			continue
		case c.live:
			if there { // perhaps since a moment ago
				added = slices.DeleteFunc(added, func(f fact.Fact) bool { return f.ID == id })
			}
			added = append(added, c.fact)
			l.stored[id] = c.fact.Stored
		default:
			l.bury(id, c.fact.Stored)
			if there && stored > c.fact.Stored {
				changed = true
				continue
			}
			added = slices.DeleteFunc(added, func(f fact.Fact) bool { return f.ID == id })
			delete(l.stored, id)
		}
		if there {
			removed[id] = true
		}
		changed = true
	}
	l.replace(removed, added)
	return changed
}

// bury notes a tombstone.
func (l *ledger) bury(id uint64, until int64) {
	l.tombs[id] = until
	others := slices.DeleteFunc(slices.Clone(l.head.tombs), func(t tomb) bool { return t.id == id })
	l.head.tombs = append(others, tomb{id, until})
}

// replace takes facts out and others in, in the head too: that is where what changed is written.
func (l *ledger) replace(removed map[uint64]bool, added []fact.Fact) {
	if len(removed) == 0 && len(added) == 0 {
		return
	}
	sortFacts(added)
	l.exchange(removed, added)
	l.head.facts = mergeFacts(l.head.facts, removed, added)
}

// exchange takes facts out and others, which are in order, in.
func (l *ledger) exchange(removed map[uint64]bool, added []fact.Fact) {
	for i := range added {
		l.segments += segmentsOf(&added[i])
	}
	if len(removed) > 0 {
		for i := range l.facts {
			if removed[l.facts[i].ID] {
				l.segments -= segmentsOf(&l.facts[i])
			}
		}
	}
	l.facts = mergeFacts(l.facts, removed, added)
}

// mergeFacts returns facts without those that were removed and with those that were added. Both are in order. It leaves the facts
// as they are, but may use what room there is behind them: most of what comes is the newest, and a long ledger is not copied for
// it.
func mergeFacts(facts []fact.Fact, removed map[uint64]bool, added []fact.Fact) []fact.Fact {
	switch {
	case len(facts) == 0:
		return slices.Clip(added)
	case len(removed) == 0 && (len(added) == 0 || facts[len(facts)-1].Before(&added[0])):
		return append(facts, added...)
	}
	merged := make([]fact.Fact, 0, len(facts)+len(added))
	for i := range facts {
		if len(removed) > 0 && removed[facts[i].ID] {
			continue
		}
		for len(added) > 0 && added[0].Before(&facts[i]) {
			merged, added = append(merged, added[0]), added[1:]
		}
		merged = append(merged, facts[i])
	}
	return append(merged, added...)
}

func segmentsOf(f *fact.Fact) int {
	if f.Video == nil {
		return 0
	}
	return len(f.Video.Segments)
}

// describe keeps the identity and the newest name, of two at once the greater one.
func (l *ledger) describe(c *change) bool {
	if c.identity == "" || l.unattributed {
		return false
	}
	changed := false
	if l.identity == "" || c.identity < l.identity {
		l.identity, changed = c.identity, true
	}
	if c.name != "" && (c.fact.Stored > l.named || c.fact.Stored == l.named && c.name > l.name) {
		l.name, l.named, changed = c.name, c.fact.Stored, true
	}
	return changed
}

// merge takes what a page has; settle when all are there.
func (l *ledger) merge(p page) {
	l.merged.facts = append(l.merged.facts, p.facts...)
	l.merged.tombs = append(l.merged.tombs, p.tombs...)
}

// settle takes in what was merged: of each statement the newest fact counts, unless a tombstone covers it.
func (l *ledger) settle() {
	l.merge(l.head) // last: its facts are the newest, as a rule
	removed := map[uint64]bool{}
	for _, t := range l.merged.tombs {
		if until, ok := l.tombs[t.id]; ok && until >= t.stored {
			continue
		}
		l.tombs[t.id] = t.stored
		if stored, there := l.stored[t.id]; there && stored <= t.stored {
			delete(l.stored, t.id)
			removed[t.id] = true
		}
	}
	added := l.merged.facts[:0]
	for i := range l.merged.facts {
		f := &l.merged.facts[i]
		stored, there := l.stored[f.ID]
		if l.covered(f) || there && f.Stored <= stored {
			continue
		}
		if there {
			removed[f.ID] = true
		}
		l.stored[f.ID] = f.Stored
		added = append(added, *f)
	}
	added = slices.DeleteFunc(added, func(f fact.Fact) bool { return !l.counts(&f) }) // a newer one came after it
	sortFacts(added)
	l.exchange(removed, added)
	l.merged = page{}
}

func (l *ledger) covered(f *fact.Fact) bool {
	until, ok := l.tombs[f.ID]
	return ok && f.Stored <= until
}

// counts reports whether a fact of a page is one of those that count.
func (l *ledger) counts(f *fact.Fact) bool {
	stored, ok := l.stored[f.ID]
	return ok && stored == f.Stored && !l.covered(f)
}

// export makes the Ledger that readers get.
func (l *ledger) export() Ledger {
	return Ledger{Learner: l.learner, Identity: l.identity, Name: l.name, Unattributed: l.unattributed, Facts: slices.Clip(l.facts)}
}

// saved is a ledger as it was before changes that may fail to be committed.
type saved struct {
	ledger  ledger
	changes []change
	ids     []savedID // by change
}

type savedID struct {
	stored, until int64
	there, dead   bool
}

// save makes a saved: what apply and writes change after it can be taken back.
func (l *ledger) save(changes []change) saved {
	s := saved{*l, changes, make([]savedID, len(changes))}
	for i := range changes {
		id := changes[i].fact.ID
		s.ids[i].stored, s.ids[i].there = l.stored[id]
		s.ids[i].until, s.ids[i].dead = l.tombs[id]
	}
	return s
}

// back is the ledger as it was. The one that was changed is not to be used any more.
func (s *saved) back() *ledger {
	for i, was := range s.ids {
		id := s.changes[i].fact.ID
		if delete(s.ledger.stored, id); was.there {
			s.ledger.stored[id] = was.stored
		}
		if delete(s.ledger.tombs, id); was.dead {
			s.ledger.tombs[id] = was.until
		}
	}
	return &s.ledger
}

// goOn makes a head that was read go on from what was remembered of its ledger, so that only the pages that were written since
// are to be read. Facts and tombstones are never taken out of a ledger, so all that was in it still belongs to it.
func (l *ledger) goOn(from *ledger) {
	l.facts, l.stored, l.tombs, l.segments = from.facts, from.stored, from.tombs, from.segments
	l.read = from.books
	if full := len(from.recent) - 1; full > 0 && l.books == from.books {
		l.recent, l.read = slices.Clip(from.recent[:full]), from.books+full
	}
}

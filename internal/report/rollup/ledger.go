package rollup

import (
	"maps"
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
	Facts        []fact.Fact // live, by T and ID
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

	facts map[uint64]fact.Fact
	tombs map[uint64]int64
	// segments counts the played segments of the facts.
	segments int

	// How it is stored.
	version int64           // rises with each change; 0: not stored yet
	head    map[uint64]bool // statements whose facts or tombstones stand in the head; others are in a sealed page
	pages   int             // sealed pages; the last of them is the tail, which is written again until it is full
	read    int             // of them, when it is read
	tail    map[uint64]bool // statements that stand in the tail
}

func newLedger(learner fact.Hash) *ledger {
	return &ledger{
		learner: learner, unattributed: unattributed(learner),
		facts: map[uint64]fact.Fact{}, tombs: map[uint64]int64{}, head: map[uint64]bool{}, tail: map[uint64]bool{},
	}
}

// change is what one event does to a ledger.
type change struct {
	statementID string
	fact        fact.Fact // of a live statement; of another one its ID and Stored only
	live        bool
	identity    string
	name        string
}

// apply adds a change and reports whether the ledger differs from before.
func (l *ledger) apply(c change) bool {
	changed := false
	if c.live {
		changed = l.describe(c)
	}
	if !c.live {
		if until, ok := l.tombs[c.fact.ID]; ok && until >= c.fact.Stored {
			return changed
		}
		l.tombs[c.fact.ID] = c.fact.Stored
		l.head[c.fact.ID] = true
		return true
	}
	if until, ok := l.tombs[c.fact.ID]; ok && until >= c.fact.Stored {
		return changed
	}
	if f, ok := l.facts[c.fact.ID]; ok && f.Stored >= c.fact.Stored {
		return changed
	}
	l.set(c.fact)
	l.head[c.fact.ID] = true
	return true
}

// set puts a fact in the place of an older one of the same statement.
func (l *ledger) set(f fact.Fact) {
	l.segments += segmentsOf(f) - segmentsOf(l.facts[f.ID])
	l.facts[f.ID] = f
}

func segmentsOf(f fact.Fact) int {
	if f.Video == nil {
		return 0
	}
	return len(f.Video.Segments)
}

// describe keeps the identity and the newest name, of two at once the greater one.
func (l *ledger) describe(c change) bool {
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

// live lists the facts that count, by T and ID.
func (l *ledger) live() []fact.Fact {
	facts := make([]fact.Fact, 0, len(l.facts))
	for id, f := range l.facts {
		if until, dead := l.tombs[id]; !dead || f.Stored > until {
			facts = append(facts, f)
		}
	}
	sortFacts(facts)
	return facts
}

// merge takes what a page has.
func (l *ledger) merge(p page, into map[uint64]bool) {
	for _, f := range p.facts {
		if have, ok := l.facts[f.ID]; !ok || f.Stored > have.Stored {
			l.set(f)
		}
		into[f.ID] = true
	}
	for _, t := range p.tombs {
		if until, ok := l.tombs[t.id]; !ok || t.stored > until {
			l.tombs[t.id] = t.stored
		}
		into[t.id] = true
	}
}

// pick makes a page of the facts and tombstones of some statements.
func (l *ledger) pick(ids map[uint64]bool) (p page) {
	for id := range ids {
		until, dead := l.tombs[id]
		if dead {
			p.tombs = append(p.tombs, tomb{id, until})
		}
		if f, ok := l.facts[id]; ok && (!dead || f.Stored > until) {
			p.facts = append(p.facts, f)
		}
	}
	return p
}

func (l *ledger) clone() *ledger {
	c := *l
	c.facts, c.tombs, c.head, c.tail = maps.Clone(l.facts), maps.Clone(l.tombs), maps.Clone(l.head), maps.Clone(l.tail)
	return &c
}

// export makes the Ledger that readers get.
func (l *ledger) export() Ledger {
	return Ledger{Learner: l.learner, Identity: l.identity, Name: l.name, Unattributed: l.unattributed, Facts: slices.Clip(l.live())}
}

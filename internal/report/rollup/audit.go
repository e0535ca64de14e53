package rollup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Audit computes ledgers, buckets and index rows again from the statements alone, in memory (some 600 bytes a statement), and
// reports where the stored ones differ. Nothing may be folded meanwhile.
type Audit struct {
	Tables table.DB
	Stores func(ctx context.Context, id string) (auth.Store, error)
	Report func(Difference)

	stores  map[string]*auditedStore
	Summary AuditSummary
}

// AuditSummary counts what an audit has seen.
type AuditSummary struct {
	Facts, Ledgers, Sums, DeadLetters int
}

// auditedStore is what the statements of one store say.
type auditedStore struct {
	auth.Store
	ledgers map[fact.Hash]*ledger
	dead    map[string]bool // statements that are dead letters: not counted
}

// Add takes statements.
func (a *Audit) Add(ctx context.Context, events []Event) error {
	byStore := map[*auditedStore][]Event{}
	for _, e := range events {
		if e.Store == "" {
			continue // its key is damaged
		}
		s, err := a.store(ctx, e.Store)
		if errors.Is(err, auth.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if !s.dead[e.StatementID] {
			byStore[s] = append(byStore[s], e)
		}
	}
	for s, events := range byStore {
		read, err := readEvents(ctx, s.Store, events)
		if err != nil {
			return err
		}
		for id, reason := range read.unreadable {
			a.Report(Difference{s.ID, WrongLedger, fmt.Sprintf("statement %s cannot be counted and is no dead letter: %v", id, reason)})
		}
		for learner, changes := range read.changes {
			if s.ledgers[learner] == nil {
				s.ledgers[learner] = newLedger(learner)
			}
			s.ledgers[learner].apply(changes)
		}
	}
	return nil
}

func (a *Audit) store(ctx context.Context, id string) (*auditedStore, error) {
	if s := a.stores[id]; s != nil {
		return s, nil
	}
	store, err := a.Stores(ctx, id)
	if err != nil {
		return nil, err
	}
	s := &auditedStore{Store: store, ledgers: map[fact.Hash]*ledger{}, dead: map[string]bool{}}
	for after, more := "", true; more; {
		var letters []DeadLetter
		if letters, more, err = DeadLetters(ctx, a.Tables, id, after, 1000); err != nil {
			return nil, err
		}
		for _, l := range letters {
			s.dead[l.StatementID] = true
			after = l.StatementID
		}
	}
	a.Summary.DeadLetters += len(s.dead)
	if a.stores == nil {
		a.stores = map[string]*auditedStore{}
	}
	a.stores[id] = s
	return s, nil
}

// Compare compares what is stored with what was taken.
func (a *Audit) Compare(ctx context.Context) error {
	for _, id := range slices.Sorted(maps.Keys(a.stores)) {
		s := a.stores[id]
		sums, err := s.contributions()
		if err != nil {
			return err
		}
		if err := a.compareLedgers(ctx, s); err != nil {
			return err
		}
		if err := a.compareBuckets(ctx, s, sums); err != nil {
			return err
		}
		if err := a.compareIndex(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (s *auditedStore) contributions() (measure.Sums, error) {
	zone, err := Zone(s.TimeZone)
	if err != nil {
		return nil, err
	}
	sums := measure.Sums{}
	for _, l := range s.ledgers {
		sums.AddAll(measure.Contribution(l.facts, zone, l.unattributed), 1)
	}
	return sums, nil
}

func (a *Audit) compareLedgers(ctx context.Context, s *auditedStore) error {
	want := maps.Clone(s.ledgers)
	for shard := range ledgerShards {
		for stored, err := range ledgersIn(ctx, a.Tables, current(s.Store), shard, &Reads{}) {
			if err != nil {
				return err
			}
			a.Summary.Ledgers++
			l := want[stored.learner]
			delete(want, stored.learner)
			if l == nil {
				l = newLedger(stored.learner)
			}
			if stored.err != nil {
				a.Report(Difference{s.ID, WrongLedger, fmt.Sprintf("learner %s: %v", hashText(stored.learner), stored.err)})
				continue
			}
			have, should := stored.ledger.facts, l.facts
			a.Summary.Facts += len(have)
			if !equalFacts(have, should) {
				a.Report(Difference{s.ID, WrongLedger, fmt.Sprintf("learner %s: %d facts, and the statements say %d", hashText(stored.learner), len(have), len(should))})
			}
		}
	}
	for learner, l := range want {
		if facts := len(l.facts); facts > 0 {
			a.Report(Difference{s.ID, WrongLedger, fmt.Sprintf("learner %s: there is no ledger, and the statements say %d facts", hashText(learner), facts)})
		}
	}
	return nil
}

func (a *Audit) compareBuckets(ctx context.Context, s *auditedStore, sums measure.Sums) error {
	names, err := readContents(ctx, a.Tables, current(s.Store), &Reads{})
	if err != nil {
		return err
	}
	scopes := map[fact.Hash]string{storeScope: "the store"}
	for cell := range sums {
		if scopes[cell.Scope] == "" {
			scopes[cell.Scope] = "an activity without a name"
		}
	}
	for _, n := range names {
		if !n.Verb {
			scopes[n.Hash] = n.IRI
		}
	}
	want := map[fact.Hash]measure.Sums{}
	for cell, n := range sums {
		if want[cell.Scope] == nil {
			want[cell.Scope] = measure.Sums{}
		}
		want[cell.Scope][cell] = n
	}
	for scope, name := range scopes {
		have, err := allBuckets(ctx, a.Tables, current(s.Store), scope)
		if err != nil {
			return err
		}
		a.Summary.Sums += len(have)
		have.AddAll(want[scope], -1)
		if len(have) > 0 {
			a.Report(Difference{s.ID, WrongBuckets, fmt.Sprintf("%s: %d sums are not what the statements say", name, len(have))})
		}
	}
	return nil
}

// compareIndex looks for index rows that should be there: reports of the activity lack a learner who has none.
func (a *Audit) compareIndex(ctx context.Context, s *auditedStore) error {
	want := map[fact.Hash]map[fact.Hash]bool{} // learners by scope
	for learner, l := range s.ledgers {
		for i := range l.facts {
			for n := range 2 + len(l.facts[i].Groupings) {
				scope := scopeOf(&l.facts[i], n)
				if want[scope] == nil {
					want[scope] = map[fact.Hash]bool{}
				}
				want[scope][learner] = true
			}
		}
	}
	delete(want, storeScope) // of everything there is no index
	for scope, learners := range want {
		q := table.Query{Table: schema.Rollups, Partition: current(s.Store).index(scope), Consistency: table.Strong}
		for item, err := range table.Items(table.QueryPages(ctx, a.Tables, q)) {
			if err != nil {
				return err
			}
			if sort := item[schema.SK].B; len(sort) == len(fact.Hash{}) {
				delete(learners, fact.Hash(sort))
			}
		}
		for learner := range learners {
			a.Report(Difference{s.ID, WrongIndex, fmt.Sprintf("learner %s has facts under %s, whose index does not name it", hashText(learner), hashText(scope))})
		}
	}
	return nil
}

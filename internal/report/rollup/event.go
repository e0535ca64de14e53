package rollup

import (
	"context"
	"errors"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/table"
)

// reading is what events of one store say.
type reading struct {
	changes    map[fact.Hash][]change // by ledger, in the order of the events
	names      map[fact.Hash]nameSeen
	unreadable map[string]error // by statement
	newest     int64            // Stored of the newest event, milliseconds of Unix time
}

// readEvents takes facts out of events. Statements that void others are none. What is not live and cannot be read was never
// counted, so it is passed over. The error is one of the context.
func readEvents(ctx context.Context, store auth.Store, events []Event) (reading, error) {
	r := reading{changes: map[fact.Hash][]change{}, names: map[fact.Hash]nameSeen{}, unreadable: map[string]error{}}
	hash := remembered(store)
	for _, e := range events {
		if err := table.Rest(ctx); err != nil {
			return reading{}, err
		}
		r.newest = max(r.newest, e.Stored.UnixMilli())
		read, err := readEvent(e, hash)
		switch {
		case errors.Is(err, fact.ErrVoiding):
		case err != nil && e.Live:
			r.unreadable[e.StatementID] = err
		case err == nil:
			r.add(e, read)
		}
	}
	return r, nil
}

// remembered is the store's keyed hash with a memory: statements that come together share most of what they name, and a hash
// costs a microsecond.
func remembered(store auth.Store) fact.Hasher {
	type named struct{ kind, value string }
	known := map[named][12]byte{}
	return func(kind, value string) [12]byte {
		h, ok := known[named{kind, value}]
		if !ok {
			h = store.Term(kind, value)
			known[named{kind, value}] = h
		}
		return h
	}
}

func readEvent(e Event, hash fact.Hasher) (fact.Reading, error) {
	if e.Reason != "" {
		return fact.Reading{}, errors.New(e.Reason)
	}
	return fact.From(fact.Input{Statement: e.Statement, ID: e.StatementID, Stored: e.Stored, Hash: hash})
}

func (r *reading) add(e Event, read fact.Reading) {
	learner := read.Actor.Key
	c := change{statementID: e.StatementID, fact: read.Fact, live: e.Live}
	if read.Actor.Unattributed || read.Actor.Group {
		learner = unattributedLedger(read.Fact.ID)
	} else {
		c.identity, c.name = string(read.Actor.Identity), short(read.Actor.Name)
	}
	r.changes[learner] = append(r.changes[learner], c)
	if !e.Live {
		return
	}
	for _, n := range read.Names {
		seen := nameSeen{verb: n.Verb, iri: short(n.IRI), typ: short(n.Type)}
		if len(n.Display) <= maxText {
			seen.display = string(n.Display)
		}
		if n.Hash == read.Fact.Content && !n.Verb {
			seen.kinds = 1 << read.Fact.Kind
		}
		r.names[n.Hash] = r.names[n.Hash].with(seen)
	}
}

// maxText bounds texts of names, in bytes: a statement may hold longer ones than an item may.
const maxText = 1000

func short(text string) string {
	cut, _ := fact.Shorten(text, maxText)
	return cut
}

package rollup

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
)

// years are the statements of one learner, three a week.
func years(t *testing.T, store string, n int) (events []Event) {
	began := time.Date(2015, 1, 5, 8, 0, 0, 0, time.UTC)
	for i := range n {
		at := began.Add(time.Duration(i) * 56 * time.Hour)
		s := statement{learner: "ann", verb: "http://adlnet.gov/expapi/verbs/experienced", content: fmt.Sprint("c", i%5), parent: "course", at: at}
		events = append(events, Event{Store: store, StatementID: uuidOf(i), Stored: at, Statement: s.json(t, uuidOf(i), at), Live: true})
	}
	return events
}

// What changes more sums than a group has room for is folded in parts; so it is taken back.
func TestWideDifferences(t *testing.T) {
	store := storeOf("acme")
	db := memory(t)
	o := newOracle(store)
	events := years(t, store.ID, 1500)
	for _, e := range events {
		o.happened(e)
	}
	f := NewFolder(Folder{Tables: db, Stores: storesOf(store), KeepFacts: 5000})
	mustFold(t, f, events)
	o.check(t, db)
	for i := range events {
		if i%3 == 0 {
			events[i].Live = false
			o.happened(events[i])
		}
	}
	mustFold(t, f, events)
	mustFold(t, NewFolder(Folder{Tables: db, Stores: storesOf(store)}), events)
	o.check(t, db)
	letters, _, err := DeadLetters(t.Context(), db, store.ID, "", 10)
	if err != nil || len(letters) > 0 {
		t.Errorf("dead letters %+v, error %v", letters, err)
	}
}

// A report over a year reads a row for each week or month, whatever the number of statements; what it reads is counted, and
// refused above its bound.
func TestReadsAreCountedAndBounded(t *testing.T) {
	store := storeOf("acme")
	db := memory(t)
	events := years(t, store.ID, 900)
	for lane := range Lanes { // in four lanes, as in the cloud
		mustFold(t, NewFolder(Folder{Tables: db, Stores: storesOf(store), Lane: uint8(lane)}), events[:(lane+1)*len(events)/Lanes])
	}
	r := &Reader{Tables: db}
	scope := fact.Hasher(store.Term).Activity("http://example.org/course")
	zone, err := Zone(store.TimeZone)
	if err != nil {
		t.Fatal(err)
	}
	from := measure.DayOf(time.Date(2016, 1, 1, 12, 0, 0, 0, time.UTC).UnixMilli(), zone)
	year := &Reads{}
	sums, err := r.Buckets(t.Context(), store, scope, measure.Day, from, from+365, year)
	if err != nil {
		t.Fatal(err)
	}
	statements := int64(0)
	for cell, n := range sums {
		if cell.Counter == measure.Statements && cell.At >= from && cell.At <= from+365 {
			statements += n
		}
	}
	if want := int64(366 * 24 / 56); statements < want-1 || statements > want+1 {
		t.Errorf("%d statements in the year, want about %d", statements, want)
	}
	if year.Items < 53 || year.Items > 53*Lanes {
		t.Errorf("%d items are read for a year", year.Items)
	}
	if _, err := r.Buckets(t.Context(), store, scope, measure.Day, from, from+365, &Reads{Most: 10}); !errors.Is(err, ErrTooManyReads) {
		t.Errorf("above the bound: %v", err)
	}
	ledger := &Reads{}
	l, err := r.Ledger(t.Context(), store, fact.Hash{1}, ledger)
	if err != nil || len(l.Facts) != 0 || ledger.Items != 1 {
		t.Errorf("a learner that is not there: %d facts, %d items, error %v", len(l.Facts), ledger.Items, err)
	}
	for range 2 { // whole, and stopped after the first
		reads := &Reads{}
		for l, err := range r.Ledgers(t.Context(), store, scope, reads) {
			if err != nil || len(l.Facts) != len(events) || l.Name != "Name of ann" {
				t.Errorf("%d facts of %q, error %v", len(l.Facts), l.Name, err)
			}
			break
		}
		if reads.Items < 3 { // an index row, a head, pages
			t.Errorf("%d items", reads.Items)
		}
	}
	through, err := r.Through(t.Context(), store, &Reads{})
	if err != nil || !through.Equal(events[len(events)-1].Stored) {
		t.Errorf("through %v, error %v", through, err)
	}
}

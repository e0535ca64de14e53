package rollup

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

var busiest = flag.Int("busiest", 10_000, "facts of the busiest learner of TestUnitsOfABusyLearner")

// kiosk makes the statements of one actor that many people use: one a minute, on 20 activities of a course.
type kiosk struct {
	t     testing.TB
	store string
	n     int
}

func (k *kiosk) next(n int) []Event {
	events := make([]Event, n)
	for i := range events {
		stored := time.Date(2026, 1, 10, 8, 0, 0, 0, time.UTC).Add(time.Duration(k.n) * time.Minute)
		verb := []string{"http://adlnet.gov/expapi/verbs/initialized", "http://adlnet.gov/expapi/verbs/progressed", "http://adlnet.gov/expapi/verbs/completed"}[k.n/20%3]
		s := statement{learner: "kiosk", verb: verb, content: fmt.Sprint("activity", k.n*7%20), parent: "course", at: stored}
		events[i] = Event{Store: k.store, StatementID: uuidOf(k.n), Stored: stored, Statement: s.json(k.t, uuidOf(k.n), stored), Live: true}
		k.n++
	}
	return events
}

// itemsRead counts the items of a DB that are read by key.
type itemsRead struct {
	table.DB
	n *int
}

func (d itemsRead) BatchGet(ctx context.Context, refs []table.Ref, c table.Consistency) ([]table.Item, table.Cost, error) {
	*d.n += len(refs)
	return d.DB.BatchGet(ctx, refs, c)
}

// What a statement of a learner reads and writes does not depend on how many there were before, once the process has read its
// ledger. It is counted by a Folder that is not the only one, as in the cloud.
func TestUnitsOfABusyLearner(t *testing.T) {
	store := storeOf("acme")
	db := memory(t)
	k := &kiosk{t: t, store: store.ID}
	before := NewFolder(Folder{Tables: db, Stores: storesOf(store), KeepFacts: 1})
	for size := 100; size <= *busiest; size *= 10 {
		for k.n < size {
			mustFold(t, before, k.next(min(2000, size-k.n)))
		}
		for _, batch := range []int{1, 100} {
			f := NewFolder(Folder{Tables: table.Metered(db), Stores: storesOf(store), KeepFacts: 1})
			first, items, _ := foldMetered(t, f, k.next(batch), batch)
			if most := 40 + size/1500; items > most {
				t.Errorf("%d facts: the first batch reads %d items, want at most %d", size, items, most)
			}
			n := max(40, batch)
			cost, items, took := foldMetered(t, f, k.next(n), batch)
			read, write := cost.Read/float64(n), cost.Write/float64(n)
			t.Logf("%6d facts, batches of %3d: %5.2f read units, %5.2f items read, %5.2f write units, %7.3f ms a statement; the first batch read %.0f units",
				size, batch, read, float64(items)/float64(n), write, took.Seconds()*1000/float64(n), first.Read)
			if read > 2 || write > 12 {
				t.Errorf("%d facts, batches of %d: %.2f read and %.2f write units a statement", size, batch, read, write)
			}
			for l, err := range (&Reader{Tables: db}).Ledgers(t.Context(), store, fact.Hash{}, &Reads{}) {
				if err != nil || len(l.Facts) != k.n {
					t.Fatalf("the ledger has %d facts, want %d, error %v", len(l.Facts), k.n, err)
				}
			}
		}
	}
}

// foldMetered folds events in batches and says what that cost, and how many items were read by key.
func foldMetered(t *testing.T, f *Folder, events []Event, batch int) (cost table.Cost, items int, took time.Duration) {
	t.Helper()
	var meter table.Meter
	ctx := table.WithMeter(t.Context(), &meter)
	counted := itemsRead{f.Tables, &items}
	f.Tables = counted
	began := time.Now()
	for batch := range slices.Chunk(events, batch) {
		if err := f.Fold(ctx, batch); err != nil {
			t.Fatal(err)
		}
	}
	took = time.Since(began)
	f.Tables = counted.DB
	cost, _ = meter.Total()
	return cost, items, took
}

// What a Folder remembers of a ledger is whole: it goes on behind the pages that it wrote itself.
func TestFolderGoesOnFromItsMemory(t *testing.T) {
	store := storeOf("acme")
	db := memory(t)
	o := newOracle(store)
	k := &kiosk{t: t, store: store.ID}
	f := NewFolder(Folder{Tables: db, Stores: storesOf(store), KeepFacts: 1})
	for _, n := range []int{300, 1, 100, 2500, 1, 100} {
		events := k.next(n)
		for _, e := range events {
			o.happened(e)
		}
		mustFold(t, f, events)
		o.check(t, db)
	}
}

// Long ledgers are not all in memory at once when a report reads those of many learners.
func TestLongLedgersAreReadInParts(t *testing.T) {
	store := storeOf("acme")
	db := memory(t)
	o := newOracle(store)
	var events []Event
	stored := time.Date(2026, 1, 10, 8, 0, 0, 0, time.UTC)
	for n := range 2400 {
		stored = stored.Add(time.Minute)
		s := statement{learner: fmt.Sprint("learner", n%6), verb: "http://example.org/v", content: "c", at: stored}
		events = append(events, Event{Store: store.ID, StatementID: uuidOf(n), Stored: stored, Statement: s.json(t, uuidOf(n), stored), Live: true})
		o.happened(events[n])
	}
	narrow := layout{head: 200, headLeast: 60, page: 150, pagesPerBook: 1, mostPages: 1024, mostFacts: 1000}
	mustFold(t, NewFolder(Folder{Tables: db, Stores: storesOf(store), layout: narrow}), events)
	o.check(t, db)
	counted := mostAtOnce{DB: db, most: new(int)}
	scope := fact.Hasher(store.Term).Activity("http://example.org/c")
	learners, reads := 0, &Reads{}
	for l, err := range (&Reader{Tables: counted}).Ledgers(t.Context(), store, scope, reads) {
		if err != nil || len(l.Facts) != 400 {
			t.Errorf("%d facts, error %v", len(l.Facts), err)
		}
		learners++
	}
	if learners != 6 || reads.Items < 2*pagesAtOnce || *counted.most > pagesAtOnce {
		t.Errorf("%d learners, %d items are read, %d of them at once", learners, reads.Items, *counted.most)
	}
}

// mostAtOnce notes how many items were asked for by one call at most.
type mostAtOnce struct {
	table.DB
	most *int
}

func (d mostAtOnce) BatchGet(ctx context.Context, refs []table.Ref, c table.Consistency) ([]table.Item, table.Cost, error) {
	*d.most = max(*d.most, len(refs))
	return d.DB.BatchGet(ctx, refs, c)
}

// Ledgers that were written before there were books are read, and go on in the new layout.
func TestLedgersWithoutBooks(t *testing.T) {
	store := storeOf("acme")
	db := memory(t)
	o := newOracle(store)
	k := &kiosk{t: t, store: store.ID}
	fold := func(n int) {
		events := k.next(n)
		for _, e := range events {
			o.happened(e)
		}
		mustFold(t, NewFolder(Folder{Tables: db, Stores: storesOf(store)}), events)
	}
	fold(900)
	for learner := range o.ledgers(t) {
		ref := current(store).pageRef(learner, 0)
		item, _, err := db.Get(t.Context(), ref, table.Strong)
		if err != nil {
			t.Fatal(err)
		}
		l, err := readHead(learner, item)
		if err != nil || l.books != 0 || l.pages < 5 {
			t.Fatalf("%d books of %d pages, error %v", l.books, l.pages, err)
		}
		body := item[schema.Body].B
		at := len(body) - len(encodePage(l.head))
		older := table.B(slices.Delete(slices.Clone(body), at-2, at)) // the format and the number of books
		if _, _, err := db.Apply(t.Context(), table.Update(ref, []table.Action{table.SetTo(schema.Body, older)})); err != nil {
			t.Fatal(err)
		}
	}
	o.check(t, db)
	fold(1)
	o.check(t, db)
	fold(2000)
	o.check(t, db)
}

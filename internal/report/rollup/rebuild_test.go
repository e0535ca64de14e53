package rollup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// rebuildWorld is a store whose statements are events, with a directory that knows its generations.
type rebuildWorld struct {
	db        *pebble.DB
	directory *auth.Directory
	stores    *Stores
	oracle    *oracle
}

// newRebuildWorld makes the default store; its keys are random.
func newRebuildWorld(t tester, faults *pebble.Faults) *rebuildWorld {
	t.Helper()
	w := &rebuildWorld{db: openMemory(t, faults)}
	w.directory = auth.NewDirectory(auth.Config{Tables: w.db, Scanner: w.db, Shards: 1})
	if err := w.directory.EnsureDefault(context.Background()); err != nil {
		t.Fatalf("make store: %v", err)
	}
	w.stores = &Stores{Read: w.directory.Store, Now: time.Now}
	w.oracle = newOracle(w.store(t))
	return w
}

func (w *rebuildWorld) store(t tester) auth.Store {
	t.Helper()
	store, err := w.directory.Store(context.Background(), auth.DefaultStore)
	if err != nil {
		t.Fatalf("read store: %v", err)
	}
	return store
}

// check compares with the oracle as the store is now.
func (w *rebuildWorld) check(t tester) {
	t.Helper()
	w.oracle.store = w.store(t)
	w.oracle.check(t, w.db)
}

// rebuild is one whose statements are those that the oracle knows, at the moment of the scan.
func (w *rebuildWorld) rebuild() *Rebuild {
	scan := func(ctx context.Context, segment, of int, f func(context.Context, []Event) error) error {
		var events []Event
		for id, e := range w.oracle.current {
			if int(fact.IDOf(id)%uint64(of)) == segment {
				events = append(events, e)
			}
		}
		return f(ctx, events)
	}
	quickly := func(context.Context, int) error { return nil } // nothing is under way when generations are compared
	return &Rebuild{Tables: w.db, Directory: w.directory, Scan: scan, Forget: w.stores.Forget, Now: time.Now, Log: slog.New(slog.DiscardHandler), pause: quickly}
}

// A rebuild may be killed at any call and run again, changes come meanwhile, the time zone may change: the generation that
// reports read in the end is what the statements say, and nothing is left of the old one.
func TestRebuildEqualsTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stop atomic.Bool
		stop.Store(true)
		w := newRebuildWorld(t, faultsOf(t, &stop))
		defer w.db.Close()
		events := history(t, newOracle(w.store(t)), auth.DefaultStore)
		before := rapid.IntRange(0, len(events)).Draw(t, "before")
		folder := func() *Folder {
			return NewFolder(Folder{Tables: w.db, Stores: w.stores, KeepFacts: 20, OnlyWriter: true})
		}
		feed := func(events []Event) { // a statement changes first; the feed brings it, again after a failure
			for _, e := range events {
				w.oracle.happened(e)
			}
			for f := folder(); len(events) > 0; {
				if err := f.Fold(context.Background(), events); err == nil {
					return
				} else if !errors.Is(err, errCrash) && !table.Retryable(err) {
					t.Fatalf("fold: %v", err)
				}
				f = folder()
			}
		}
		feed(events[:before])
		if rapid.Bool().Draw(t, "zone") {
			if err := w.directory.SetTimeZone(context.Background(), auth.DefaultStore, "Asia/Tokyo"); err != nil {
				t.Fatalf("set zone: %v", err)
			}
		}
		rest := events[before:]
		stop.Store(false)
		for try := 0; ; try++ {
			r := w.rebuild()
			r.Report = func(Progress) { // something comes in every phase
				n := min(1, len(rest))
				feed(rest[:n])
				rest = rest[n:]
			}
			p, err := r.Run(context.Background(), []string{auth.DefaultStore})
			if err == nil {
				if p.Differences > 0 {
					t.Fatalf("differences: %+v", differencesOf(t, w.db, p))
				}
				break
			}
			if !errors.Is(err, errCrash) && !table.Retryable(err) {
				t.Fatalf("rebuild: %v", err)
			}
			if try == 30 { // it comes to an end when nothing goes wrong any more
				stop.Store(true)
			}
			calm := stop.Swap(true)
			w.mustBeKnown(t)
			stop.Store(calm)
		}
		stop.Store(true)
		feed(rest)
		w.check(t)
		if n := rowsOf(t, w.db, fmt.Sprintf("%s#%d#", auth.DefaultStore, w.store(t).Generation-1)); n > 0 {
			t.Errorf("%d rows of the old generation are left", n)
		}
	})
}

// mustBeKnown fails when a rebuild that nobody goes on with is not known, while changes are folded twice for it.
func (w *rebuildWorld) mustBeKnown(t tester) {
	t.Helper()
	_, known, err := Unfinished(context.Background(), w.db)
	if err != nil {
		t.Fatalf("read rebuild: %v", err)
	}
	if building := w.store(t).Building; building != 0 && !known {
		t.Fatalf("generation %d is being built, and no rebuild is known", building)
	}
}

// rowsOf counts the rows of Rollups whose partition begins so.
func rowsOf(t tester, db *pebble.DB, prefix string) (n int) {
	t.Helper()
	for item, err := range table.Items(table.ScanPages(context.Background(), db, schema.Rollups, 0, 1)) {
		if err != nil {
			t.Fatalf("%v", err)
		}
		if strings.HasPrefix(item[schema.PK].S, prefix) {
			n++
		}
	}
	return n
}

// Other processes go on with what they remember of a store: so the scan waits until they fold into the new generation, and the
// old one is deleted when they read it no more. This process is told at once.
func TestRebuildWaitsForOtherProcesses(t *testing.T) {
	for _, test := range []struct{ settle, linger, switched time.Duration }{
		{time.Minute, time.Second, time.Minute},
		{time.Second, time.Minute, time.Minute},
	} {
		w := newRebuildWorld(t, nil)
		now, told := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), 0
		r := w.rebuild()
		r.Now, r.Forget, r.Settle, r.Linger = func() time.Time { return now }, func() { told++; w.stores.Forget() }, test.settle, test.linger
		state := &rebuildState{Progress: Progress{Phase: Beginning, Stores: []string{auth.DefaultStore}}}
		if err := r.begin(t.Context(), state); err != nil {
			t.Fatal(err)
		}
		if state.Progress.Phase != Waiting || !state.Until.Equal(now.Add(test.settle)) || told != 1 || w.store(t).Building != 1 {
			t.Errorf("begun: %+v, this process was told %d times", state, told)
		}
		state.Progress.Done = 0
		if err := r.compare(t.Context(), state); err != nil {
			t.Fatal(err)
		}
		if state.Progress.Phase != Switching || !state.Until.Equal(now.Add(test.switched)) || told != 2 || w.store(t).Generation != 1 {
			t.Errorf("switched over: %+v, this process was told %d times", state, told)
		}
		if err := w.db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Beside a rebuild that is not finished none of other stores begins, and of a store that is not there none ever.
func TestRebuildOfOthers(t *testing.T) {
	w := newRebuildWorld(t, nil)
	defer w.db.Close()
	other, err := w.directory.CreateStore(t.Context(), "Other")
	if err != nil {
		t.Fatal(err)
	}
	known := func() bool {
		t.Helper()
		_, there, err := Unfinished(t.Context(), w.db)
		if err != nil {
			t.Fatal(err)
		}
		return there
	}
	if _, err := w.rebuild().Run(t.Context(), []string{"nobody"}); !errors.Is(err, auth.ErrNotFound) || known() {
		t.Errorf("of a store that is not there: %v, begun %t", err, known())
	}
	unfinished := &rebuildState{Progress: Progress{Phase: Beginning, Stores: []string{auth.DefaultStore}}}
	if err := w.rebuild().save(t.Context(), unfinished); err != nil {
		t.Fatal(err)
	}
	if _, err := w.rebuild().Run(t.Context(), []string{other.ID}); !errors.Is(err, errOther) || !known() {
		t.Errorf("of another store: %v, still known %t", err, known())
	}
	if p, err := w.rebuild().Run(t.Context(), nil); err != nil || !slices.Equal(p.Stores, []string{auth.DefaultStore}) || known() || w.store(t).Generation != 1 {
		t.Errorf("finished: %+v, %v, still known %t", p, err, known())
	}
}

// differencesOf reads every page of what a rebuild found.
func differencesOf(t tester, db *pebble.DB, p Progress) (all []Difference) {
	t.Helper()
	for page := range p.Pages {
		found, err := Differences(context.Background(), db, page)
		if err != nil {
			t.Fatalf("differences: %v", err)
		}
		all = append(all, found...)
	}
	return all
}

// Ledgers and a bucket that somebody spoiled are told, each once however many they are, and are right in the new generation.
// What the rebuild before found is forgotten.
func TestRebuildTellsDifferences(t *testing.T) {
	w := newRebuildWorld(t, nil)
	defer w.db.Close()
	var events []Event
	stored := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	for n := range 300 {
		s := statement{learner: fmt.Sprint("learner", n%150), verb: "http://example.org/v", content: fmt.Sprint("c", n%3), at: stored}
		events = append(events, Event{Store: auth.DefaultStore, StatementID: uuidOf(n), Stored: stored, Statement: s.json(t, uuidOf(n), stored), Live: true})
		w.oracle.happened(events[n])
	}
	mustFold(t, NewFolder(Folder{Tables: w.db, Stores: w.stores}), events)
	learners := slices.Collect(maps.Keys(w.oracle.ledgers(t)))
	spoil := func(write table.Write) {
		t.Helper()
		if _, _, err := w.db.Apply(t.Context(), write); err != nil {
			t.Fatal(err)
		}
	}
	const lost = differencesPage + 20
	for _, learner := range learners[:lost] {
		spoil(table.Delete(current(w.store(t)).pageRef(learner, 0)))
	}
	spoil(table.Update(current(w.store(t)).pageRef(learners[lost], 0), []table.Action{table.SetTo(schema.Body, table.B([]byte{7}))}))
	spoil(table.Update(bucket{grain: 1, at: 20513}.ref(current(w.store(t)), 0), []table.Action{table.Add("a1", table.N(1))}))
	p, err := w.rebuild().Run(t.Context(), []string{auth.DefaultStore})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	all := differencesOf(t, w.db, p)
	for _, d := range all {
		found[d.What]++
	}
	slices.SortFunc(all, func(a, b Difference) int { return cmp.Compare(a.Detail, b.Detail) })
	told := len(slices.Compact(all))
	if found[WrongLedger] != lost+1 || found[WrongBuckets] != 1 || p.Differences != lost+2 || told != lost+2 {
		t.Errorf("%d differences, of which %d are told, %v", p.Differences, told, found)
	}
	w.check(t)
	if p, err = w.rebuild().Run(t.Context(), []string{auth.DefaultStore}); err != nil || p.Differences != 0 || p.Pages != 0 {
		t.Errorf("again: %+v, %v", p, err)
	}
	if left, err := Differences(t.Context(), w.db, 0); err != nil || len(left) > 0 {
		t.Errorf("%d differences of the rebuild before are left, %v", len(left), err)
	}
}

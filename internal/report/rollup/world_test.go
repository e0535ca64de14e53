package rollup

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
	"github.com/cairn-lrs/cairn/internal/table/pebble/pebbletest"
)

// testing.TB, and what rapid gives.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// openMemory opens the embedded engine in memory; close it.
func openMemory(t tester, faults *pebble.Faults) *pebble.DB {
	t.Helper()
	db, err := pebble.Open("data", schema.Tables, pebble.Options{FS: vfs.NewMem(), Faults: faults, CacheBytes: 8 << 20})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return db
}

func memory(t testing.TB) *pebble.DB {
	t.Helper()
	return pebbletest.Open(t, schema.Tables, pebble.Options{CacheBytes: 8 << 20})
}

func storeOf(id string) auth.Store {
	return auth.Store{ID: id, Shards: 1, WriteShards: 1, TimeZone: "Europe/Paris", TermKey: bytes.Repeat([]byte(id), 32)[:32]}
}

// storesOf knows these stores.
func storesOf(stores ...auth.Store) *Stores {
	return &Stores{Now: time.Now, Read: func(_ context.Context, id string) (auth.Store, error) {
		for _, s := range stores {
			if s.ID == id {
				return s, nil
			}
		}
		return auth.Store{}, fmt.Errorf("%w store: %q", auth.ErrNotFound, id)
	}}
}

// oracle says what rows must be, from the last state of each statement alone.
type oracle struct {
	store   auth.Store
	current map[string]Event // by statement: its newest event
}

func newOracle(store auth.Store) *oracle { return &oracle{store, map[string]Event{}} }

// happened notes an event. Of one statement they come in order here.
func (o *oracle) happened(e Event) { o.current[e.StatementID] = e }

// world is what the oracle expects: facts by ledger.
func (o *oracle) ledgers(t tester) map[fact.Hash][]fact.Fact {
	t.Helper()
	ledgers := map[fact.Hash][]fact.Fact{}
	for _, e := range o.current {
		if !e.Live {
			continue
		}
		read, err := fact.From(fact.Input{Statement: e.Statement, ID: e.StatementID, Stored: e.Stored, Hash: o.store.Term})
		if err != nil {
			continue
		}
		learner := read.Actor.Key
		if read.Actor.Group || read.Actor.Unattributed {
			learner = unattributedLedger(read.Fact.ID)
		}
		ledgers[learner] = append(ledgers[learner], read.Fact)
	}
	for _, facts := range ledgers {
		slices.SortFunc(facts, func(a, b fact.Fact) int {
			if a.Before(&b) {
				return -1
			}
			return 1
		})
	}
	return ledgers
}

// check compares everything that a Reader gives with what the oracle says.
func (o *oracle) check(t tester, tables table.DB) {
	t.Helper()
	want := o.ledgers(t)
	zone, err := Zone(o.store.TimeZone)
	if err != nil {
		t.Fatalf("%v", err)
	}
	sums := measure.Sums{}
	scopes := map[fact.Hash]bool{{}: true}
	for learner, facts := range want {
		sums.AddAll(measure.Contribution(facts, zone, unattributed(learner)), 1)
		for _, f := range facts {
			for _, h := range append([]fact.Hash{f.Content, f.Parent}, f.Groupings...) {
				scopes[h] = true
			}
		}
	}
	r := &Reader{Tables: tables}
	names, err := r.Contents(context.Background(), o.store, &Reads{})
	if err != nil {
		t.Fatalf("contents: %v", err)
	}
	named := map[fact.Hash]bool{{}: true}
	for _, n := range names {
		named[n.Hash] = true
		scopes[n.Hash] = true // of what is not live any more too: its sums must be gone
	}
	for scope := range scopes {
		if !named[scope] {
			t.Errorf("scope %x has no name", scope)
		}
		checkLedgers(t, r, o.store, scope, want)
	}
	got := measure.Sums{}
	for scope := range scopes {
		for _, grain := range []measure.Grain{measure.Day, measure.Month, measure.Total, measure.Cohort} {
			part, err := readBuckets(context.Background(), tables, current(o.store), scope, grain, math.MinInt32, math.MaxInt32, &Reads{})
			if err != nil {
				t.Fatalf("buckets: %v", err)
			}
			got.AddAll(part, 1)
		}
	}
	if !maps.Equal(sums, got) {
		t.Errorf("buckets (-oracle +stored):\n%.3000s", cmp.Diff(sums, got))
	}
}

// checkLedgers compares the ledgers of a scope.
func checkLedgers(t tester, r *Reader, store auth.Store, scope fact.Hash, want map[fact.Hash][]fact.Fact) {
	t.Helper()
	under := maps.Clone(want)
	maps.DeleteFunc(under, func(_ fact.Hash, facts []fact.Fact) bool {
		return !slices.ContainsFunc(facts, func(f fact.Fact) bool { return f.Under(scope) })
	})
	for l, err := range r.Ledgers(context.Background(), store, scope, &Reads{}) {
		if err != nil {
			t.Fatalf("ledgers: %v", err)
		}
		if len(l.Facts) == 0 { // all of it was taken back
			continue
		}
		if !reflect.DeepEqual(under[l.Learner], l.Facts) { // cmp takes a hundred times as long
			diff := cmp.Diff(under[l.Learner], l.Facts)
			t.Errorf("scope %x, ledger %x (-oracle +stored):\n%.3000s", scope, l.Learner, diff)
		}
		if !l.Unattributed && l.Identity == "" {
			t.Errorf("ledger %x names nobody", l.Learner)
		}
		delete(under, l.Learner)
	}
	for learner, facts := range under {
		t.Errorf("scope %x: no ledger %x, which has %d facts", scope, learner, len(facts))
	}
}

// mustFold folds a batch.
func mustFold(t testing.TB, f *Folder, events []Event) {
	t.Helper()
	if err := f.Fold(t.Context(), events); err != nil {
		t.Fatalf("fold: %v", err)
	}
}

// statement is what a test says of one.
type statement struct {
	learner, verb, content, parent string
	at                             time.Time
	segments                       string
	group                          bool
}

const videoExtensions = "https://w3id.org/xapi/video/extensions/"

// json renders the statement as it is stored.
func (s statement) json(t tester, id string, stored time.Time) []byte {
	t.Helper()
	actor := map[string]any{"objectType": "Agent", "name": "Name of " + s.learner, "mbox": "mailto:" + s.learner + "@example.org"}
	if s.group {
		actor = map[string]any{"objectType": "Group", "member": []any{actor}}
	}
	st := map[string]any{
		"id": id, "actor": actor, "verb": map[string]any{"id": s.verb},
		"object": map[string]any{"id": "http://example.org/" + s.content, "definition": map[string]any{"name": map[string]any{"en": s.content}}},
		"stored": stored.UTC().Format("2006-01-02T15:04:05.000Z"), "timestamp": s.at.UTC().Format("2006-01-02T15:04:05.000Z"),
	}
	if s.parent != "" {
		st["context"] = map[string]any{"contextActivities": map[string]any{"parent": []any{map[string]any{"id": "http://example.org/" + s.parent}}}}
	}
	if s.segments != "" {
		st["result"] = map[string]any{"extensions": map[string]any{videoExtensions + "played-segments": s.segments, videoExtensions + "time": 3.5}}
	}
	text, err := json.Marshal(st, json.Deterministic(true))
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	return text
}

// uuidOf is the nth statement id of a test.
func uuidOf(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", n, n) }

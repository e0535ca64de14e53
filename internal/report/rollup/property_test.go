package rollup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// history draws what happens to some statements: each is stored, perhaps voided or removed, perhaps stored again under its id
// after it was removed. The events are in the order in which they happen; the oracle knows the outcome.
func history(t *rapid.T, o *oracle, store string) []Event {
	began := time.Date(2026, 3, 27, 20, 0, 0, 0, time.UTC) // two days before clocks change in Paris
	var events []Event
	now := began
	happen := func(e Event) {
		o.happened(e)
		events = append(events, e)
	}
	for n := range rapid.IntRange(1, 25).Draw(t, "statements") {
		now = now.Add(time.Duration(rapid.IntRange(1, 8_000_000).Draw(t, "passed")) * time.Millisecond)
		s := statement{
			learner: rapid.SampledFrom([]string{"ann", "bob", "cem"}).Draw(t, "learner"),
			verb: rapid.SampledFrom([]string{"http://adlnet.gov/expapi/verbs/initialized", "http://adlnet.gov/expapi/verbs/completed",
				"https://w3id.org/xapi/video/verbs/played", "http://example.org/odd"}).Draw(t, "verb"),
			content: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "content"),
			parent:  rapid.SampledFrom([]string{"", "course", "a"}).Draw(t, "parent"),
			group:   rapid.IntRange(0, 9).Draw(t, "group") == 0,
			at:      now.Add(time.Duration(rapid.SampledFrom([]int{0, -1, -40, 30 * 24, 9 * 365 * 24}).Draw(t, "skew")) * time.Hour),
		}
		if rapid.Bool().Draw(t, "video") {
			s.segments = rapid.SampledFrom([]string{"0[.]10", "0[.]10[,]10[.]20", "0[.]10[,]10[.]20[,]15[.]25", "1e308[.]x"}).Draw(t, "segments")
		}
		e := Event{Store: store, StatementID: uuidOf(n), Stored: now, Statement: s.json(t, uuidOf(n), now), Live: true}
		happen(e)
		switch rapid.IntRange(0, 6).Draw(t, "fate") {
		case 0: // voided
			e.Live = false
			happen(e)
		case 1: // removed, and stored again by another learner
			e.Live = false
			happen(e)
			now = now.Add(time.Second)
			s.learner = rapid.SampledFrom([]string{"ann", "bob"}).Draw(t, "next learner")
			happen(Event{Store: store, StatementID: e.StatementID, Stored: now, Statement: s.json(t, e.StatementID, now), Live: true})
		}
	}
	return events
}

var errCrash = errors.New("the process died")

// faultsOf draws what goes wrong: of each call with some chance, until stop is set.
func faultsOf(t *rapid.T, stop *atomic.Bool) *pebble.Faults {
	seed := rapid.Uint64().Draw(t, "seed")
	often := uint64(rapid.SampledFrom([]int{0, 3, 8}).Draw(t, "faults of 30 calls"))
	return &pebble.Faults{Seed: seed, OnCall: func(c pebble.Call) pebble.Fault {
		if stop.Load() {
			return pebble.Fault{}
		}
		x := (uint64(c.Number) + seed) * 0x9e3779b97f4a7c15
		x ^= x >> 29
		x *= 0xbf58476d1ce4e5b9
		x ^= x >> 32
		if x%30 >= often {
			return pebble.Fault{}
		}
		reads := c.Op == pebble.OpGet || c.Op == pebble.OpBatchGet || c.Op == pebble.OpQuery
		switch x / 30 % 5 {
		case 0:
			return pebble.Failed(errCrash)
		case 1:
			return pebble.ReplyLost()
		case 2:
			return pebble.Failed(table.ErrThrottled)
		case 3:
			if !reads {
				return pebble.Failed(table.ErrConflict)
			}
		case 4:
			if c.Op == pebble.OpBatch {
				return pebble.Leftovers(1)
			}
		}
		return pebble.Fault{}
	}}
}

// deliver gives every event to one of some Folders at least once, in any order, in batches of any size, some twice. The batch of
// a Folder that fails comes again, to the same one or to another that remembers nothing.
func deliver(t *rapid.T, events []Event, folder func() *Folder) {
	feed := slices.Clone(events)
	if rapid.Bool().Draw(t, "shuffled") {
		feed = rapid.Permutation(feed).Draw(t, "order")
	}
	for range rapid.IntRange(0, 5).Draw(t, "again") {
		feed = slices.Insert(feed, rapid.IntRange(0, len(feed)).Draw(t, "where"), rapid.SampledFrom(events).Draw(t, "twice"))
	}
	folders := []*Folder{folder(), folder()}
	for len(feed) > 0 {
		n := min(len(feed), rapid.IntRange(1, 10).Draw(t, "batch"))
		which := rapid.IntRange(0, 1).Draw(t, "folder")
		err := folders[which].Fold(context.Background(), slices.Clone(feed[:n]))
		if err != nil {
			if !errors.Is(err, errCrash) && !table.Retryable(err) {
				t.Fatalf("fold: %v", err)
			}
			if rapid.Bool().Draw(t, "died") { // else it goes on, with what it remembers
				folders[which] = folder()
			}
			if rapid.Bool().Draw(t, "later") { // another batch comes first
				feed = append(feed[n:], feed[:n]...)
			}
			continue
		}
		feed = feed[n:]
	}
}

// layoutOf draws the usual layout, or one in which few statements make pages and books. Folders of both may write one ledger.
func layoutOf(t *rapid.T) layout {
	if rapid.Bool().Draw(t, "usual layout") {
		return usualLayout
	}
	return layout{head: 200, headLeast: 60, page: rapid.IntRange(100, 400).Draw(t, "page"), pagesPerBook: rapid.IntRange(1, 3).Draw(t, "pages of a book"), mostPages: 1024, mostFacts: 1000}
}

// equalsTheOracle is the law: whatever happens and whatever goes wrong, ledgers and buckets are what the statements say. It
// returns what is not. wrap plants a fault between the Folders and their tables.
func equalsTheOracle(t *rapid.T, wrap func(table.DB) table.DB) (problems []string) {
	store := storeOf("acme")
	o := newOracle(store)
	events := history(t, o, store.ID)
	var stop atomic.Bool
	db := openMemory(t, faultsOf(t, &stop))
	defer db.Close()
	lane := uint8(0)
	deliver(t, events, func() *Folder {
		lane++
		return NewFolder(Folder{Tables: wrap(db), Stores: storesOf(store), Lane: lane, layout: layoutOf(t),
			KeepFacts: rapid.SampledFrom([]int{0, 1, 50}).Draw(t, "kept"), OnlyWriter: rapid.Bool().Draw(t, "takes it that it is alone")})
	})
	stop.Store(true)
	found := &recorder{T: t}
	o.check(found, db)
	return found.problems
}

// recorder notes errors instead of failing a test.
type recorder struct {
	*rapid.T
	problems []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.problems = append(r.problems, fmt.Sprintf(format, args...))
}

func TestRollupsEqualTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, problem := range equalsTheOracle(t, func(db table.DB) table.DB { return db }) {
			t.Error(problem)
		}
	})
}

// Each of the mistakes that the protocol must not make is found by the same law.
func TestPlantedFaultsAreFound(t *testing.T) {
	const tries = 300
	for name, wrap := range plantedFaults {
		t.Run(name, func(t *testing.T) {
			run := rapid.Custom(func(t *rapid.T) []string { return equalsTheOracle(t, wrap) })
			for seed := range tries {
				if problems := run.Example(seed); len(problems) > 0 {
					t.Logf("found at the %d. try", seed+1)
					return
				}
			}
			t.Errorf("not found in %d tries", tries)
		})
	}
}

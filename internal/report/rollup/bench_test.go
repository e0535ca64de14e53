package rollup

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
)

// BenchmarkFold folds as a local server does: one Folder that remembers ledgers. The figures are those of one statement,
// reading its JSON included.
func BenchmarkFold(b *testing.B) {
	for _, course := range []struct {
		name                                 string
		learners, activities, courses, known int // known: statements that are folded before
	}{
		{"course", 2000, 200, 10, 20_000},
		{"long", 20, 200, 10, 20_000}, // ledgers of 1,000 facts and more
	} {
		for _, batch := range []int{1, 10, 100, 1000} {
			b.Run(fmt.Sprintf("%s, batches of %d", course.name, batch), func(b *testing.B) {
				store := storeOf("acme")
				events := make([]Event, course.known+b.N)
				for n := range events {
					stored := time.Date(2026, 1, 10, 8, 0, 0, 0, time.UTC).Add(time.Duration(n) * 2 * time.Millisecond)
					s := statement{learner: fmt.Sprint("learner", n*7919%course.learners), verb: "http://adlnet.gov/expapi/verbs/experienced",
						content: fmt.Sprint("activity", n*104729%course.activities), parent: fmt.Sprint("course", n%course.courses), at: stored}
					events[n] = Event{Store: store.ID, StatementID: uuidOf(n), Stored: stored, Statement: s.json(b, uuidOf(n), stored), Live: true}
				}
				f := newBenchFolder(b, store)
				for before := range slices.Chunk(events[:course.known], 1000) {
					mustFold(b, f, before)
				}
				b.ReportAllocs()
				b.ResetTimer()
				for events := range slices.Chunk(events[course.known:], batch) {
					mustFold(b, f, events)
				}
			})
		}
	}
	for _, batch := range []int{1, 10, 100, 1000} {
		b.Run(fmt.Sprintf("mooc, batches of %d", batch), func(b *testing.B) {
			store := storeOf("acme")
			events := moocEvents(b, store.ID)
			if events == nil {
				return
			}
			b.ReportAllocs()
			b.ResetTimer()
			for left := b.N; left > 0; left -= len(events) { // each time into nothing
				b.StopTimer()
				f := newBenchFolder(b, store)
				b.StartTimer()
				for batch := range slices.Chunk(events[:min(left, len(events))], batch) {
					mustFold(b, f, batch)
				}
			}
		})
	}
}

func newBenchFolder(b *testing.B, store auth.Store) *Folder {
	return NewFolder(Folder{Tables: memory(b), Stores: storesOf(store), KeepFacts: 50_000, OnlyWriter: true})
}

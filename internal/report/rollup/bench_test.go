package rollup

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// BenchmarkFold folds statements of 2,000 learners and 200 activities, as a local server does: one Folder that remembers ledgers.
// The time is that of one statement, reading its JSON included.
func BenchmarkFold(b *testing.B) {
	store := storeOf("acme")
	began := time.Date(2026, 1, 10, 8, 0, 0, 0, time.UTC)
	for _, batch := range []int{100, 1000} {
		b.Run(fmt.Sprintf("batches of %d", batch), func(b *testing.B) {
			db := memory(b)
			f := NewFolder(Folder{Tables: db, Stores: storesOf(store), KeepFacts: 50_000})
			n := 0
			next := func() []Event {
				events := make([]Event, batch)
				for i := range events {
					stored := began.Add(time.Duration(n) * 2 * time.Millisecond)
					s := statement{learner: fmt.Sprint("learner", n*7919%2000), verb: "http://adlnet.gov/expapi/verbs/experienced",
						content: fmt.Sprint("activity", n*104729%200), parent: fmt.Sprint("course", n%10), at: stored}
					events[i] = Event{Store: store.ID, StatementID: uuidOf(n), Stored: stored, Statement: s.json(b, uuidOf(n), stored), Live: true}
					n++
				}
				return events
			}
			for range 20_000 / batch {
				mustFold(b, f, next())
			}
			var prepared [][]Event
			for range b.N/batch + 1 {
				prepared = append(prepared, next())
			}
			b.ReportAllocs()
			b.ResetTimer()
			for events := range slices.Values(prepared) {
				mustFold(b, f, events[:min(len(events), b.N)])
			}
		})
	}
}

package report_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/report"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// Learners of BenchmarkYear, and what each of them says: some 10,000 and a million statements.
const (
	fewLearners  = 4 * 52 // of each lane one who begins in each week of the year, so that all rows of a year are there
	manyLearners = 100 * fewLearners
	saidByEach   = 49
)

// BenchmarkYear asks every report that buckets answer of 10,192 statements and of 1,019,200, which the Folder folded into
// Pebble in a folder: both in turn, so that whatever else the machine does slows both. It says how many items each reads, which
// must be the same, the medians, and how many times the second is of the first. Folding takes about a minute.
func BenchmarkYear(b *testing.B) {
	few, many := yearOf(b, fewLearners), yearOf(b, manyLearners)
	for _, q := range ofAYear {
		b.Run(fmt.Sprint(q.report, slices.Sorted(maps.Values(q.params))), func(b *testing.B) {
			var took [2][]time.Duration
			var items [2]int
			for b.Loop() {
				for i, w := range []*world{few, many} {
					began := time.Now()
					a := w.ask(q.report, q.params)
					took[i] = append(took[i], time.Since(began))
					if items[i] = a.Read.Items; a.Read.Road != report.Buckets {
						b.Fatalf("answered by %s", a.Read.Road)
					}
				}
			}
			if items[0] != items[1] || items[1] > mostItems {
				b.Errorf("%d items of few statements, %d of many: want the same, %d at most", items[0], items[1], mostItems)
			}
			short, long := median(took[0]), median(took[1])
			b.ReportMetric(0, "ns/op") // of both together
			b.ReportMetric(float64(items[1]), "items")
			b.ReportMetric(float64(short)/float64(time.Millisecond), "few-ms")
			b.ReportMetric(float64(long)/float64(time.Millisecond), "many-ms")
			b.ReportMetric(float64(long)/float64(short), "times")
		})
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// yearOf folds what so many learners say in a year, learner by learner: a ledger is a set, and comes out as if they came as
// they were said.
func yearOf(b *testing.B, learners int) *world {
	b.Helper()
	db, err := pebble.Open(b.TempDir(), schema.Tables, pebble.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	w := newWorldOn(b, db, 0)
	began, n := time.Now(), 0
	const atOnce = 200
	for first := 0; first < learners; first += len(w.folders) * atOnce {
		for lane, folder := range w.folders {
			var events []rollup.Event
			for l := first + lane; l < min(first+len(w.folders)*atOnce, learners); l += len(w.folders) {
				for _, s := range yearOfOne(l, l/len(w.folders)%52) {
					n++
					events = append(events, rollup.Event{Store: w.store.ID, StatementID: fmt.Sprintf("%08x-0000-4000-8000-000000000000", n),
						Stored: s.at.Add(time.Second), Statement: []byte(s.json()), Live: true})
				}
			}
			if err := folder.Fold(context.Background(), events); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Logf("%d statements of %d learners folded in %v", n, learners, time.Since(began).Round(time.Second))
	return w
}

// yearOfOne is what one learner says from a week of the year to its end.
func yearOfOne(learner, week int) []said {
	from := today.AddDate(-1, 0, 1+7*week)
	step := (today.Sub(from) - time.Hour) / saidByEach
	all := make([]said, saidByEach)
	for i := range all {
		all[i] = said{learner: learner, verb: []string{"initialized", "progressed", "completed", "answered"}[i%4],
			content: fmt.Sprint("part", (learner+i/4)%20), parent: "course", platform: "web", at: from.Add(time.Duration(i) * step)}
	}
	return all
}

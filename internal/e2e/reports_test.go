package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestReportsDoNotDependOnHowStatementsCame: the same statements in order and in full batches, and shuffled, twice, in batches of any
// size, voids before what they void, make the same reports.
func TestReportsDoNotDependOnHowStatementsCame(t *testing.T) {
	road := serve(t)
	random := rand.New(rand.NewPCG(1, 2))
	statements := classwork(random, 60)
	ordered, shuffled := newReader(t, road), newReader(t, road)
	for batch := range slices.Chunk(statements, 100) {
		ordered.post(batch)
	}
	for range 2 {
		random.Shuffle(len(statements), func(i, j int) { statements[i], statements[j] = statements[j], statements[i] })
		for rest := statements; len(rest) > 0; {
			n := min(len(rest), 1+random.IntN(100))
			shuffled.post(rest[:n])
			rest = rest[n:]
		}
	}
	for _, r := range []*reader{ordered, shuffled} {
		r.until("each learner", func() bool { return len(r.rows("learners", url.Values{"range": {"all"}})) >= 60 })
		r.importKPI("sales", sales(60))
	}
	want := map[string][]string{}
	ordered.until("the last statement", func() bool {
		before := want["contents"]
		for i, r := range allReports {
			want[fmt.Sprint(i)] = ordered.rows(r.name, r.params)
		}
		want["contents"] = ordered.rows("contents", url.Values{"range": {"all"}})
		return slices.Equal(before, want["contents"]) && len(before) == 5
	})
	empty := 0
	for i, r := range allReports {
		var got []string
		rows := want[fmt.Sprint(i)]
		for begun := time.Now(); time.Since(begun) < maxWait; time.Sleep(50 * time.Millisecond) {
			if got = shuffled.rows(r.name, r.params); slices.Equal(got, rows) {
				break
			}
			rows = ordered.rows(r.name, r.params)
		}
		if diff := cmp.Diff(rows, got); diff != "" {
			t.Errorf("%s %v (-in order +shuffled):\n%.2000s", r.name, r.params, diff)
		}
		if len(got) == 0 {
			empty++
			t.Logf("%s has no rows", r.name)
		}
	}
	if empty > 1 {
		t.Errorf("%d reports have no rows: there is nothing to compare", empty)
	}
	t.Logf("statements %d, reports %d", len(statements), len(allReports))
}

// TestReportsAreSoonThere: statements are live at once, and soon in every report.
func TestReportsAreSoonThere(t *testing.T) { RunSoon(t, serve(t)) }

// BenchmarkSoon is how soon, on the local road.
func BenchmarkSoon(b *testing.B) { RunSoon(b, serve(b)).Report(b) }

package e2e

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestReportsDoNotDependOnHowStatementsCame: the same statements in order and in full batches, and shuffled, twice, in batches
// of any size, voids before what they void, make the same reports.
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
		r.until("the last statement", func() bool { return r.counted() == countable(statements) })
		r.importKPI("sales", sales(60))
	}
	sameReports(t, ordered, shuffled)
	t.Logf("statements %d, reports %d", len(statements), len(allReports))
}

// TestReportsAreSoonThere: statements are live at once, and soon in every report.
func TestReportsAreSoonThere(t *testing.T) { RunSoon(t, serve(t)) }

// BenchmarkSoon is how soon, on the local road.
func BenchmarkSoon(b *testing.B) { RunSoon(b, serve(b)).Report(b) }

package cloud

import (
	"testing"

	"github.com/cairn-lrs/cairn/internal/e2e"
)

// soon requires that statements are live, and in every report, soon after they were sent, and counts the batches that the stream
// made of them and of those that were there before.
func soon(t testing.TB, road *e2e.Cloud) (s e2e.Soon, batches int) {
	t.Helper()
	before, err := road.Batches()
	if err != nil {
		t.Fatal(err)
	}
	s = e2e.RunSoon(t, road)
	after, err := road.Batches()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("batches of changes: %d", after-before)
	if after == before {
		t.Error("no stream was read")
	}
	return s, after - before
}

// BenchmarkSoon is how soon, on the cloud road: the window of the stream's mapping with all that comes after it.
func BenchmarkSoon(b *testing.B) {
	road := deploy(b)
	if road == nil {
		return
	}
	s, batches := soon(b, road)
	s.Report(b)
	b.ReportMetric(float64(batches), "batches")
}

package e2e

import (
	"encoding/json/v2"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// Soon is how soon statements were seen after they were sent. Promised are 2 seconds for Live and 10 for Reports, on a machine
// that is not busy with others.
type Soon struct {
	Live    time.Duration // until each of them was live
	Reports time.Duration // until every report counted all of them
	Looks   int           // requests to the report API meanwhile
}

// Of the learners of the classwork that RunSoon sends, so many are known before.
const soonLearners, soonKnown = 12, 9

// RunSoon sends a batch of statements, of learners that are known and of new ones, and looks until all are live, and until each
// report of the catalogue says what it says of a store where the same statements came before. What does not come within maxWait
// fails the test.
func RunSoon(t testing.TB, road Road) (s Soon) {
	t.Helper()
	work := slices.DeleteFunc(classwork(rand.New(rand.NewPCG(3, 4)), soonLearners), isVoid)
	var early, late []string
	known := true
	for i, statement := range work {
		known = known && !strings.Contains(statement, fmt.Sprintf("mailto:p%d@", soonKnown))
		if known && i%2 == 0 {
			early = append(early, statement)
		} else {
			late = append(late, statement)
		}
	}
	r, full := newReader(t, road), newReader(t, road)
	full.post(early)
	full.post(late)
	r.post(early)
	r.until("the first statements", func() bool { return full.counted() == len(work) && r.counted() == len(early) })
	for _, each := range []*reader{r, full} {
		each.importKPI("sales", sales(soonKnown))
		each.coversCatalogue()
	}
	want := make([][]string, len(allReports))
	for i, report := range allReports {
		want[i] = full.rows(report.name, report.params)
		if slices.Equal(want[i], r.rows(report.name, report.params)) {
			t.Fatalf("%s does not tell the store that has all statements from the one that has half of them", report.name)
		}
	}
	awaited := idsOf(t, late)
	_, cursor := r.live("")

	began := time.Now()
	r.post(late)
	r.until("live", func() bool {
		s.Looks++
		var ids []string
		ids, cursor = r.live(cursor)
		awaited = slices.DeleteFunc(awaited, func(id string) bool { return slices.Contains(ids, id) })
		return len(awaited) == 0
	})
	s.Live = time.Since(began)
	for i, report := range allReports {
		r.until(report.name, func() bool {
			s.Looks++
			if slices.Equal(want[i], r.rows(report.name, report.params)) {
				return true
			}
			want[i] = full.rows(report.name, report.params) // the names of contents may have come after the count
			return false
		})
	}
	s.Reports = time.Since(began)
	t.Logf("of %d statements, all live after %.2f s, in every report after %.2f s; looks %d", len(late), s.Live.Seconds(), s.Reports.Seconds(), s.Looks)
	return s
}

// Report makes the figures those of a benchmark.
func (s Soon) Report(b *testing.B) {
	b.ReportMetric(0, "ns/op") // of no meaning: it is not repeated
	b.ReportMetric(s.Live.Seconds(), "s-live")
	b.ReportMetric(s.Reports.Seconds(), "s-reports")
}

// idsOf reads the ids of statements.
func idsOf(t testing.TB, statements []string) []string {
	t.Helper()
	ids := make([]string, len(statements))
	for i, text := range statements {
		var s struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		ids[i] = s.ID
	}
	return ids
}

// coversCatalogue requires that allReports has every report of the API.
func (r *reader) coversCatalogue() {
	r.t.Helper()
	var index struct {
		Reports []struct {
			ID string `json:"id"`
		} `json:"reports"`
	}
	if err := json.Unmarshal(r.send(http.MethodGet, r.road.Reports(), ""), &index); err != nil {
		r.t.Fatal(err)
	}
	if len(index.Reports) == 0 {
		r.t.Fatal("the catalogue is empty")
	}
	for _, report := range index.Reports {
		covered := false
		for _, known := range allReports {
			covered = covered || known.name == report.ID
		}
		if !covered {
			r.t.Errorf("nobody looks at the report %s", report.ID)
		}
	}
}

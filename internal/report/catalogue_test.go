package report_test

import (
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/report"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

// TestNoFigureWithoutADefinition: every column with a figure names the definition by which it is counted, and what refers to
// columns refers to ones that are there.
func TestNoFigureWithoutADefinition(t *testing.T) {
	seen := map[string]bool{}
	figures := 0
	for _, r := range report.Catalogue() {
		if seen[r.ID] || r.Title == "" || r.About == "" || r.Row == "" || r.Chart == "" || len(r.Roads) == 0 {
			t.Errorf("%s: the id is there twice, or something is not said of it", r.ID)
		}
		seen[r.ID] = true
		columns := map[string]bool{"": true}
		for _, c := range r.Columns {
			if columns[c.ID] {
				t.Errorf("%s: two columns %q", r.ID, c.ID)
			}
			columns[c.ID] = true
		}
		for _, c := range r.Columns {
			if c.Kind == result.Label || c.Kind == result.Text && c.Measure == "" {
				continue
			}
			figures++
			if _, ok := report.DefinitionOf(c.Measure); !ok {
				t.Errorf("%s: column %s has no definition: %q", r.ID, c.ID, c.Measure)
			}
			if !columns[c.Outcome] || !columns[c.Whole] {
				t.Errorf("%s: column %s is of %q and %q, which are not there", r.ID, c.ID, c.Outcome, c.Whole)
			}
		}
		if !columns[strings.TrimPrefix(r.Sort, "-")] {
			t.Errorf("%s is sorted by %q", r.ID, r.Sort)
		}
	}
	for _, id := range report.CustomMeasures() {
		if id == "" {
			t.Error("a measure without a name")
		}
	}
	t.Logf("reports %d, figures %d, definitions %d", len(seen), figures, len(report.Definitions()))
}

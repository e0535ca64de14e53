package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/report/rollup"
)

// TestQualityTellsOfWhatIsNotCounted: statements that could not be counted are in no figure, so the report of data quality says
// how many there are, until they are counted after all; its tag changes with that.
func TestQualityTellsOfWhatIsNotCounted(t *testing.T) {
	w := newWorld(t, 0)
	w.fold(course(0, 6, true)...)
	notes := func() string {
		return strings.Join(w.ask("data-quality", map[string]string{"range": "all"}).Notes, " ")
	}
	tag := func() string { return w.ask("data-quality", map[string]string{"range": "all"}).Tag() }
	if got := notes(); got != "" {
		t.Errorf("where all are counted it says %q", got)
	}
	before := tag()
	letters := func(n int) (events []rollup.Event) {
		for i := range n {
			events = append(events, rollup.Event{Store: w.store.ID, StatementID: fmt.Sprintf("%08x-0000-4000-8000-00000000dead", i), Live: true, Reason: "its body is lost"})
		}
		return events
	}
	for _, test := range []struct {
		letters int
		says    string
	}{{2, " 2 of the store's statements"}, {1000, " 1000 of"}, {1001, "more than 1000 of"}} {
		if err := w.folders[0].Fold(t.Context(), letters(test.letters)); err != nil {
			t.Fatal(err)
		}
		if got := notes(); !strings.Contains(got, test.says) || !strings.Contains(got, "cairn dead-letters") {
			t.Errorf("of %d dead letters it says %q", test.letters, got)
		}
	}
	if tag() == before {
		t.Error("the tag is the same")
	}
	mended := letters(1001)
	for i := range mended { // removed since
		mended[i] = rollup.Event{Store: mended[i].Store, StatementID: mended[i].StatementID}
	}
	if _, err := w.folders[0].Replay(t.Context(), mended); err != nil {
		t.Fatal(err)
	}
	if got := notes(); got != "" || tag() != before {
		t.Errorf("after the replay it says %q", got)
	}
}

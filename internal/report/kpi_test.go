package report_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/report"
)

// TestKPI: golden vector 5 of the definitions. Twelve learners with 2, 4, 4, 5, … statements and a KPI; a file with rows of nobody
// and rows that cannot be read; what was imported before is replaced, and what is deleted is gone.
func TestKPI(t *testing.T) {
	w := newWorld(t, 0)
	w.store.TestData, w.store.SmallNumber = true, 1
	x := []int{2, 4, 4, 5, 7, 8, 9, 10, 12, 14, 15, 16}
	y := []int{50, 55, 53, 61, 60, 66, 64, 72, 70, 75, 81, 78}
	file := "Learner,date,value\n"
	for i, n := range x {
		for k := range n {
			w.fold(said{learner: i, verb: "experienced", content: "a", at: today.Add(-time.Duration(k+1) * time.Hour)})
		}
		file += fmt.Sprintf("p%d@example.com,2026-06-15,%d\n", i, y[i])
	}
	file += "nobody@example.com,2026-06-15,1\nnot an identifier,2026-06-15,1\np1@example.com,15.6.2026,1\np1@example.com,2026-06-15,many\n"
	if _, err := w.reports.ImportKPI(t.Context(), w.store, "sales", []byte("learner,date,value\np1@example.com,2026-06-01,99\n")); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Second)
	done, err := w.reports.ImportKPI(t.Context(), w.store, "sales", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if done.Rows != 12 || done.Units != 12 || done.UnmatchedCount != 4 || done.Unmatched[0].Line != 14 || done.Unmatched[0].Reason != "no statement is of this learner" {
		t.Errorf("imported %+v", done)
	}
	row := csv(w.ask("kpi-link", map[string]string{"range": "all", "kpi": "sales", "measure": "statements"}))[0]
	for column, want := range map[string]string{
		"units": "12", "pearson": "0.969554", "pearson.low": "0.891970", "pearson.high": "0.991665",
		"spearman": "0.970229", "spearman.low": "0.862722", "spearman.high": "0.993823", "verdict": "higher X goes with higher Y",
	} {
		if got := row[column]; got != want && !near(got, want) {
			t.Errorf("%s is %s, want %s", column, got, want)
		}
	}
	if points := csv(w.ask("kpi-points", map[string]string{"range": "all", "kpi": "sales", "measure": "statements"})); len(points) != 12 {
		t.Errorf("%d points", len(points))
	}
	w.store.TestData, w.store.SmallNumber = false, 0
	if row := csv(w.ask("kpi-link", map[string]string{"range": "all", "kpi": "sales", "measure": "statements"}))[0]; row["pearson"] != "" || !strings.Contains(row["verdict"], "not enough data") {
		t.Errorf("of 12 learners it tells %v", row)
	}
	if err := w.reports.DeleteKPI(t.Context(), w.store, "sales"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.try("kpi-link", map[string]string{"kpi": "sales", "measure": "statements"}); !errors.Is(err, report.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
}

// near reports whether two decimals are within a millionth.
func near(a, b string) bool {
	var x, y float64
	if _, err := fmt.Sscan(a, &x); err != nil {
		return false
	}
	if _, err := fmt.Sscan(b, &y); err != nil {
		return false
	}
	return x-y < 1e-6 && y-x < 1e-6
}

// TestKPIsOfLearnersNeedNames: a store that hides names takes KPIs of groups only (S-5).
func TestKPIsOfLearnersNeedNames(t *testing.T) {
	w := newWorld(t, 0)
	w.fold(course(0, 3, true)...)
	if _, err := w.reports.ImportKPI(t.Context(), w.store, "sales", []byte("learner,date,value\np1@example.com,2026-06-01,99\n")); err != nil {
		t.Fatal(err)
	}
	w.store.HideNames = true
	if _, err := w.reports.ImportKPI(t.Context(), w.store, "more", []byte("learner,date,value\np1@example.com,2026-06-01,99\n")); !errors.Is(err, report.ErrInvalid) {
		t.Errorf("imported: %v", err)
	}
	if _, rows, err := w.reports.KPI(t.Context(), w.store, "sales"); err != nil || rows != nil {
		t.Errorf("rows of learners: %v, %v", rows, err)
	}
	if _, err := w.try("kpi-link", map[string]string{"kpi": "sales", "measure": "statements"}); !errors.Is(err, report.ErrNotFound) {
		t.Errorf("linked: %v", err)
	}
}

// TestFilesThatAreNoKPI are refused whole, and it is said what is wrong.
func TestFilesThatAreNoKPI(t *testing.T) {
	w := newWorld(t, 0)
	for _, test := range []struct{ file, says string }{
		{"", "first line"}, {"a,b\n1,2\n", "must name the columns"}, {"learner,group,date,value\n", "one of them"}, {"learner,date\n", "must name the columns"},
		{"learner,date,value\n\"open,2026-01-01,1\n", "line 2"}, {"learner;date;value\np1@example.com;2026-01-01;3,5\n", "separated by commas"},
		{"learner,date,value\nj\xfcrgen@example.com,2026-01-01,1\n", "UTF-8"}, {"\xff\xfel\x00e\x00", "UTF-8"},
	} {
		_, err := w.reports.ImportKPI(t.Context(), w.store, "sales", []byte(test.file))
		if !errors.Is(err, report.ErrInvalid) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%q: %v", test.file, err)
		}
	}
}

// TestOddFilesOfKPIs: a file as spreadsheets write it is read; a row that does not say what it means is left out with its line and the reason.
func TestOddFilesOfKPIs(t *testing.T) {
	w := newWorld(t, 0)
	w.fold(course(0, 12, true)...)
	file := "\uFEFF Value ,\"DATE\",comment,Learner,\r\n" +
		"1.5,2026-06-01,\"two\nlines, and a \"\"quote\"\"\",p1@example.com,\r\n" +
		"\r\n" +
		" 2 ,2026-06-02,,mailto:p2@EXAMPLE.com,,,\r\n" +
		"2,2026-06-02,,p2@example.com,\r\n" + // again: it counts for the mean, and the mean stays
		"2,2026-06-03,,p3@example.com,5\r\n" +
		"\"3,5\",2026-06-03,,p3@example.com,\r\n" +
		"1e300,2026-06-03,,p3@example.com,\r\n" +
		"NaN,2026-06-03,,p3@example.com,\r\n" +
		"3,03.06.2026,,p3@example.com,\r\n" +
		"3,2026-6-3,,p3@example.com,\r\n" +
		"3,2026-06-03T10:00:00Z,,p3@example.com,\r\n" +
		"3,2026-02-29,,p3@example.com,\r\n" +
		"3,2026-06-03\r\n" +
		"3,2026-06-03,,=1+1,\r\n" +
		"3,2026-06-03,,nobody@example.com,\r\n" +
		"4,2026-06-04,,\"p4@example.com\"" // no line end
	done, err := w.reports.ImportKPI(t.Context(), w.store, "sales", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if done.Rows != 4 || done.Units != 3 || done.From != "2026-06-01" || done.To != "2026-06-04" || len(done.Unmatched) != 11 || done.UnmatchedCount != 11 {
		t.Fatalf("imported %+v", done.KPI)
	}
	for i, want := range []struct {
		line   int
		reason string
	}{
		{7, "more columns"}, {8, "no number"}, {9, "too large"}, {10, "no number"}, {11, "2026-01-31"}, {12, "2026-01-31"}, {13, "2026-01-31"}, {14, "2026-01-31"},
		{15, "too few columns"}, {16, "no e-mail address"}, {17, "no statement"},
	} {
		if got := done.Unmatched[i]; got.Line != want.line || !strings.Contains(got.Reason, want.reason) {
			t.Errorf("left out %+v, want line %d: %s", got, want.line, want.reason)
		}
	}
	done, err = w.reports.ImportKPI(t.Context(), w.store, "sales", []byte("learner,date,value\np1@example.com,2026-06-01,3,5\n")) // a decimal comma
	if err != nil || done.Rows != 0 || done.UnmatchedCount != 1 || !strings.Contains(done.Unmatched[0].Reason, "more columns") {
		t.Errorf("imported %+v, %v", done, err)
	}
}

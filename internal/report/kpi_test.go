package report_test

import (
	"crypto/sha1"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/report"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// TestKPI: golden vector 5 of the definitions. Twelve learners with 2, 4, 4, 5, … statements and a KPI; a file with rows of
// nobody and rows that cannot be read; what was imported before is replaced, and what is deleted is gone.
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

// TestKPIOfGroups: the mean of a group's values in a month is held against the mean of its learners' statements in that month,
// or in one before it, and no group of fewer than ten learners is told of.
func TestKPIOfGroups(t *testing.T) {
	w := newWorld(t, 0)
	var all []said
	for i := range 19 {
		team := "red"
		if i >= 10 {
			team = "blue"
		}
		for month, n := range map[time.Month]int{time.May: 2, time.June: 3} {
			for k := range n {
				all = append(all, said{learner: i, verb: "experienced", content: "a", team: team, at: time.Date(2026, month, 10, 8, k, 0, 0, time.UTC)})
			}
		}
	}
	w.fold(append(all, said{learner: 30, verb: "experienced", content: "a", at: today.Add(-time.Hour)})...)
	done, err := w.reports.ImportKPI(t.Context(), w.store, "sales", []byte("group,date,value\n"+
		"red@example.com,2026-06-10,10\nred@example.com,2026-06-20,20\nred@example.com,2026-05-31,7\nblue@example.com,2026-06-10,1\nnobody@example.com,2026-06-10,1\n"))
	if err != nil {
		t.Fatal(err)
	}
	if done.Rows != 4 || done.Units != 2 || done.From != "2026-05-31" || done.To != "2026-06-20" || done.UnmatchedCount != 1 ||
		done.Unmatched[0] != (report.Unmatched{Line: 6, Unit: "nobody@example.com", Reason: "no statement is of this group"}) {
		t.Errorf("imported %+v", done)
	}
	for _, test := range []struct {
		name   string
		params map[string]string
		want   []string // period, measure and KPI
	}{
		{"by month", map[string]string{"range": "all"}, []string{"2026-05 2 7", "2026-06 3 15"}},
		{"the KPI comes a month later", map[string]string{"range": "all", "lag": "1"}, []string{"2026-05 2 15"}},
		{"a few days are widened to their month", map[string]string{"from": "2026-06-12", "to": "2026-06-14"}, []string{"2026-06 3 15"}},
		{"by day", map[string]string{"range": "all", "by": "day"}, []string{"2026-06-10 3 10"}},
	} {
		test.params["kpi"], test.params["measure"] = "sales", "statements"
		var got []string
		for _, row := range csv(w.ask("kpi-points", test.params)) {
			got = append(got, row["period"]+" "+row["x"]+" "+row["y"])
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	if row := csv(w.ask("kpi-link", map[string]string{"range": "all", "kpi": "sales", "measure": "statements"}))[0]; row["pearson"] != "" || row["verdict"] != "not enough data: it takes 12" {
		t.Errorf("of two points it tells %v", row)
	}
	w.store.HideNames = true
	if _, err := w.try("kpi-link", map[string]string{"range": "all", "kpi": "sales", "measure": "statements"}); err != nil {
		t.Errorf("a store that hides names: %v", err)
	}
}

// TestKPIFindsItsLearners by an address with and without its scheme, its SHA-1 in any case, and the key that reports give; and
// by nothing else.
func TestKPIFindsItsLearners(t *testing.T) {
	w := newWorld(t, 0)
	w.fold(course(0, 3, true)...)
	sum := fmt.Sprintf("%x", sha1.Sum([]byte("mailto:p1@example.com")))
	file := "learner,date,value\n"
	who := []string{"p1@example.com", "mailto:p1@example.com", sum, strings.ToUpper(sum)}
	for i, name := range who {
		file += fmt.Sprintf("%s,2026-06-%02d,1\n", name, i+1)
	}
	others := "http://example.com|p1,2026-06-09,1\nhttps://openid.example.com/p1,2026-06-09,1\nP1@example.com,2026-06-09,1\n"
	done, err := w.reports.ImportKPI(t.Context(), w.store, "sales", []byte(file+others))
	if err != nil || done.Rows != len(who) || done.Units != 1 || done.UnmatchedCount != 3 {
		t.Errorf("imported %+v, %v", done, err)
	}
	_, rows, err := w.reports.KPI(t.Context(), w.store, "sales")
	if err != nil || len(rows) != len(who) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if done, err = w.reports.ImportKPI(t.Context(), w.store, "keys", []byte("learner,date,value\n"+rows[0].Unit+",2026-06-01,1\n")); err != nil || done.Units != 1 {
		t.Errorf("by key: %+v, %v", done, err)
	}
}

// TestKPIsAreReplacedWhole: of what was imported before, of an import that died before its head, and of a KPI that was deleted
// no row is told, and those of finished imports are not kept. A store has a hundred KPIs, of which each may be replaced.
func TestKPIsAreReplacedWhole(t *testing.T) {
	w := newWorld(t, 0)
	w.fold(course(0, 3, true)...)
	load := func(name, file string) error {
		w.now = w.now.Add(time.Second)
		_, err := w.reports.ImportKPI(t.Context(), w.store, name, []byte("learner,date,value\n"+file))
		return err
	}
	const partition = "store" + schema.KPIs + "#sales"
	kept := func() (n int) {
		page, _, err := w.tables.Query(t.Context(), table.Query{Table: schema.Rollups, Partition: partition, Consistency: table.Strong})
		if err != nil {
			t.Fatal(err)
		}
		return len(page.Items)
	}
	if err := errors.Join(load("sales", "p0@example.com,2026-06-01,1\np1@example.com,2026-06-01,2\n"), load("sales", "p2@example.com,2026-06-01,3\n")); err != nil {
		t.Fatal(err)
	}
	if n := kept(); n != 1 {
		t.Errorf("%d rows of the table are kept of one import", n)
	}
	dead := table.Item{schema.PK: table.S(partition), schema.SK: table.B([]byte("version?0000")), schema.Body: table.B([]byte(`[{"unit":"x","date":"2026-06-01","value":9}]`))}
	if _, _, err := w.tables.Apply(t.Context(), table.Put(schema.Rollups, dead)); err != nil {
		t.Fatal(err)
	}
	if _, rows, err := w.reports.KPI(t.Context(), w.store, "sales"); err != nil || len(rows) != 1 || rows[0].Value != 3 {
		t.Errorf("rows %+v, %v", rows, err)
	}
	for n := range 99 {
		if err := load(fmt.Sprint("kpi", n), "p0@example.com,2026-06-01,1\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := load("one-too-many", "p0@example.com,2026-06-01,1\n"); !errors.Is(err, report.ErrInvalid) {
		t.Errorf("a KPI too many: %v", err)
	}
	if err := load("sales", "p0@example.com,2026-06-01,1\n"); err != nil {
		t.Errorf("one of them is replaced: %v", err)
	}
	if err := w.reports.DeleteKPI(t.Context(), w.store, "sales"); err != nil || kept() != 0 {
		t.Errorf("deleted: %v, %d rows of the table are kept", err, kept())
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

// TestOddFilesOfKPIs: a file as spreadsheets write it is read; a row that does not say what it means is left out with its line
// and the reason.
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

package e2e

import (
	"bytes"
	"encoding/json/v2"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// figures are what figures/figures.py, a second author's program, makes of a file of statements.
type figures struct {
	Statements int             `json:"statements"`
	Reports    []figuresReport `json:"reports"`
}

// figuresReport is what the report API has to answer to one request.
type figuresReport struct {
	Report   string                         `json:"report"`
	Params   map[string]string              `json:"params"`
	Key      string                         `json:"key"`      // the columns that a row is found by, with spaces between them
	Complete bool                           `json:"complete"` // there are no other rows; else others hold nothing
	Rows     map[string]map[string]*float64 `json:"rows"`     // by key, then by column or column.part; null is a figure that there is not
}

// computeFigures lets the second program compute, beside what the test does meanwhile. The function that it returns waits for the figures.
func computeFigures(t *testing.T, file string) func() figures {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "python3", filepath.Join("figures", "figures.py"), file)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() figures {
		t.Helper()
		var f figures
		if err := cmd.Wait(); err != nil {
			t.Fatalf("figures.py %s: %v\n%s", file, err, &stderr)
		}
		if err := json.Unmarshal(stdout.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
}

// TestReportsEqualASecondProgram imports real statements and compares what the report API tells of them, figure by figure, with what a
// program in another language computes from the same files. Its author knew the definitions and not the code.
func TestReportsEqualASecondProgram(t *testing.T) {
	folder := os.Getenv("CAIRN_TEST_DATA")
	if folder == "" {
		doWithout(t, "figures of real statements", "CAIRN_TEST_DATA does not say where the real statements are")
		return
	}
	road := serve(t)
	for _, file := range slices.Sorted(maps.Keys(dataFiles)) {
		t.Run(file, func(t *testing.T) { compareFigures(t, road, filepath.Join(folder, file)) })
	}
	t.Run("quizzes", func(t *testing.T) {
		compareFigures(t, road, writeQuizzes(t, filepath.Join(folder, "simulated-course-2814.json.gz")))
	})
}

// compareFigures imports a file into a store of its own and compares.
func compareFigures(t *testing.T, road *Local, file string) {
	t.Helper()
	r := newReader(t, road)
	computed := computeFigures(t, file)
	if _, err := road.Command(t.Context(), "import", "-endpoint", road.Endpoint(), "-key", r.credential.Key, "-secret", r.credential.Secret,
		"-batch", "100", "-state", filepath.Join(t.TempDir(), "state"), file); err != nil {
		t.Fatal(err)
	}
	want := computed()
	r.until("the last statement", func() bool {
		rows := r.cells("overview", map[string]string{"range": "all"}, "scope")
		return *number(rows["store"]["statements"], "value") == float64(want.Statements)
	})
	compared := 0
	for _, report := range want.Reports {
		compared += report.compare(t, r.cells(report.Report, report.Params, report.Key))
	}
	t.Logf("reports %d, figures compared %d", len(want.Reports), compared)
	if compared < want.Statements/100 {
		t.Errorf("only %d figures compared", compared)
	}
}

// cells are the rows of a report by the columns of its key.
func (r *reader) cells(report string, params map[string]string, key string) map[string]map[string]any {
	r.t.Helper()
	query := url.Values{"limit": {"1000"}}
	for name, value := range params {
		query.Set(name, value)
	}
	var answer struct {
		Rows []map[string]any `json:"rows"`
	}
	if err := json.Unmarshal(r.send(http.MethodGet, r.road.Reports()+"/"+report+"?"+query.Encode(), ""), &answer); err != nil {
		r.t.Fatal(err)
	}
	rows := make(map[string]map[string]any, len(answer.Rows))
	for _, row := range answer.Rows {
		var names []string
		for column := range strings.FieldsSeq(key) {
			names = append(names, fmt.Sprint(row[column]))
		}
		rows[strings.Join(names, " ")] = row
	}
	return rows
}

// number is a part of a cell; nil when the cell has none.
func number(cell any, part string) *float64 {
	parts, _ := cell.(map[string]any)
	if v, ok := parts[part].(float64); ok {
		return &v
	}
	return nil
}

// compare says every figure that differs and returns how many it compared.
func (want figuresReport) compare(t *testing.T, got map[string]map[string]any) (compared int) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(want.Rows)) {
		row, ok := got[key]
		if !ok {
			t.Errorf("%s %v has no row %q", want.Report, want.Params, key)
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(want.Rows[key])) {
			column, part, ok := strings.Cut(name, ".")
			if !ok {
				part = "value"
			}
			figure, told := want.Rows[key][name], number(row[column], part)
			if compared++; !sameFigure(figure, told) {
				t.Errorf("%s %v, row %q, %s: the second program says %s, the report %s", want.Report, want.Params, key, name, figureText(figure), figureText(told))
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want.Rows[key]; !ok && (want.Complete || !empty(got[key])) {
			t.Errorf("%s %v has a row %q that the second program has not: %v", want.Report, want.Params, key, got[key])
		}
	}
	return compared
}

// sameFigure reports whether two figures are equal: integers exactly, others to a millionth.
func sameFigure(a, b *float64) bool {
	if a == nil || b == nil {
		return a == b
	}
	if *a == math.Trunc(*a) && *b == math.Trunc(*b) {
		return *a == *b
	}
	return math.Abs(*a-*b) <= 1e-6
}

// empty reports whether a row holds no figure other than 0.
func empty(row map[string]any) bool {
	for _, cell := range row {
		if v := number(cell, "value"); v != nil && *v != 0 {
			return false
		}
	}
	return true
}

func figureText(v *float64) string {
	if v == nil {
		return "none"
	}
	return fmt.Sprint(*v)
}

package e2e

import (
	"bytes"
	"cmp"
	"crypto/sha1"
	"encoding/json/jsontext"
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
	"time"
)

// figures are what figures/figures.py, a second author's program, makes of a file of statements.
type figures struct {
	Statements int             `json:"statements"`
	Reports    []figuresReport `json:"reports"`
}

// figuresReport is what the report API has to answer to one request.
type figuresReport struct {
	Report   string         `json:"report"`
	Params   map[string]any `json:"params"`
	Query    jsontext.Value `json:"query"`    // a question of one's own, instead of a report with parameters
	Key      string         `json:"key"`      // the columns that a row is found by, with spaces between them
	Complete bool           `json:"complete"` // there are no other rows; else others hold nothing

	// Rows are by key, then by column or column.part: a number, the text of a column of text, or null for a figure that there
	// is not.
	Rows map[string]map[string]any `json:"rows"`
}

// computeFigures starts the second program, which computes while the test goes on. The function that it returns waits for the
// figures.
func computeFigures(t *testing.T, args ...string) func() figures {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "python3", append([]string{filepath.Join("figures", "figures.py")}, args...)...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() figures {
		t.Helper()
		var f figures
		if err := cmd.Wait(); err != nil {
			t.Fatalf("figures.py %v: %v\n%s", args, err, &stderr)
		}
		if err := json.Unmarshal(stdout.Bytes(), &f); err != nil {
			t.Fatal(err)
		}
		return f
	}
}

// TestReportsEqualASecondProgram imports real statements and compares what the report API tells of them, figure by figure, with
// what a program in another language computes from the same files. Its author knew the definitions and not the code.
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
	awaitOneDay(t, time.UTC)
	computed := computeFigures(t, file)
	r.importFile(road, file)
	c := comparison{reader: r}
	c.compare(computed(), leastFigures[filepath.Base(file)])
}

// nearMidnight is how long a comparison may take on a busy machine.
const nearMidnight = 10 * time.Minute

// awaitOneDay lets the night pass, where it ends soon: the second program and the reports that it is held against must mean the
// same day by today.
func awaitOneDay(t *testing.T, zone *time.Location) {
	t.Helper()
	now := time.Now().In(zone)
	midnight := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, zone)
	if left := midnight.Sub(now); left < nearMidnight {
		t.Logf("waiting %v for midnight in %v", left.Round(time.Second), zone)
		time.Sleep(left)
	}
}

// leastFigures are how many figures are compared at least: fewer would mean that the second program has unlearned something.
var leastFigures = map[string]int{"mooc-22k.ndjson.gz": 85_000, "simulated-course-2814.json.gz": 22_000, "quizzes.json": 30_000}

func (r *reader) importFile(road *Local, file string) {
	r.t.Helper()
	if _, err := road.Command(r.t.Context(), "import", "-endpoint", road.Endpoint(), "-key", r.credential.Key, "-secret", r.credential.Secret,
		"-batch", "100", "-state", filepath.Join(r.t.TempDir(), "state"), file); err != nil {
		r.t.Fatal(err)
	}
}

// comparison holds what reports tell against what the second program says.
type comparison struct {
	*reader
	learners map[string]string // identifiers by the keys that the store gives learners
	now      happening
	kpis     map[string]string // files by name
}

// happening is what the report API tells of the moment.
type happening struct {
	Learners  map[string]any   `json:"learners"`
	PerMinute []map[string]any `json:"perMinute"`
	Delay     any              `json:"delay"`
	DelayOf   float64          `json:"delayOf"`
	AsOf      string           `json:"asOf"`
}

// compare asks for each report that the second program computed.
func (c *comparison) compare(want figures, least int) {
	c.t.Helper()
	c.until("the last statement", func() bool { return c.counted() == want.Statements })
	for name, file := range c.kpis {
		c.importKPI(name, file)
	}
	c.learners = map[string]string{}
	for _, row := range c.answer(figuresReport{Report: "learners", Params: map[string]any{"range": "all"}}) {
		c.learners[row["learner"].(string)] = row["identifier"].(string)
	}
	compared := 0
	for _, report := range want.Reports {
		compared += report.compare(c.t, c.cells(report))
	}
	c.t.Logf("statements %d, requests %d, figures compared %d", want.Statements, len(want.Reports), compared)
	if compared < least {
		c.t.Errorf("only %d figures compared, of at least %d", compared, least)
	}
}

// cells are the rows of a report by the columns of its key.
func (c *comparison) cells(report figuresReport) map[string]map[string]any {
	c.t.Helper()
	rows := map[string]map[string]any{}
	for _, row := range c.answer(report) {
		var names []string
		for column := range strings.FieldsSeq(report.Key) {
			name := fmt.Sprint(row[column])
			names = append(names, hashedMbox(cmp.Or(c.learners[name], name)))
		}
		rows[strings.Join(names, " ")] = row
	}
	return rows
}

// answer is all rows of a report, or of what is told like one.
func (c *comparison) answer(report figuresReport) (rows []map[string]any) {
	c.t.Helper()
	target, query := c.road.Reports()+"/"+report.Report, url.Values{"limit": {"1000"}}
	switch {
	case report.Report == "live":
		return c.now.rows()
	case strings.HasPrefix(report.Report, "kpis/"):
		var kpi map[string]any
		if err := json.Unmarshal(c.send(http.MethodGet, target, ""), &kpi); err != nil {
			c.t.Fatal(err)
		}
		return []map[string]any{{"name": kpi["name"], "rowCount": cell(kpi["rowCount"]), "units": cell(kpi["units"])}}
	}
	method := http.MethodGet
	if report.Query != nil {
		method = http.MethodPost
	}
	for name, value := range report.Params {
		query.Set(name, fmt.Sprint(value))
	}
	for {
		var page struct {
			Rows []map[string]any `json:"rows"`
			More string           `json:"more"`
		}
		if err := json.Unmarshal(c.send(method, target+"?"+query.Encode(), string(report.Query)), &page); err != nil {
			c.t.Fatal(err)
		}
		if rows = append(rows, page.Rows...); page.More == "" {
			return rows
		}
		query.Set("cursor", page.More)
	}
}

// rows are a row for the moment and one for each minute.
func (h happening) rows() []map[string]any {
	rows := []map[string]any{{"at": "now", "learners": h.Learners, "delay": cell(h.Delay), "delayOf": cell(h.DelayOf)}}
	for _, minute := range h.PerMinute {
		rows = append(rows, map[string]any{"at": minute["at"], "statements": minute})
	}
	return rows
}

func cell(value any) map[string]any { return map[string]any{"value": value} }

// hashedMbox is the mbox_sha1sum of an mbox; any other text is left as it is. One learner may be known by either.
func hashedMbox(text string) string {
	local, domain, ok := strings.Cut(text, "@")
	if !ok || !strings.HasPrefix(text, "mailto:") {
		return text
	}
	return fmt.Sprintf("%x", sha1.Sum([]byte(local+"@"+strings.ToLower(domain))))
}

// number is a part of a cell; nil when the cell has none.
func number(cell any, part string) any {
	parts, _ := cell.(map[string]any)
	if v, ok := parts[part].(float64); ok {
		return v
	}
	return nil
}

// compare says every figure that differs and returns how many it compared.
func (want figuresReport) compare(t testing.TB, got map[string]map[string]any) (compared int) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(want.Rows)) {
		row, ok := got[key]
		if !ok {
			t.Errorf("%s has no row %q", want.request(), key)
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(want.Rows[key])) {
			column, part, ok := strings.Cut(name, ".")
			if !ok {
				part = "value"
			}
			figure, told := want.Rows[key][name], number(row[column], part)
			if text, ok := row[column].(string); ok {
				told = text
			}
			if compared++; !sameFigure(figure, told) {
				t.Errorf("%s, row %q, %s: the second program says %v, the report %v", want.request(), key, name, figure, told)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want.Rows[key]; !ok && (want.Complete || !empty(got[key])) {
			t.Errorf("%s has a row %q that the second program has not: %v", want.request(), key, got[key])
		}
	}
	return compared
}

func (want figuresReport) request() string {
	return fmt.Sprintf("%s %v %s", want.Report, want.Params, want.Query)
}

// sameFigure reports whether two figures are equal: texts and integers exactly, other numbers to a millionth.
func sameFigure(a, b any) bool {
	x, xIs := a.(float64)
	y, yIs := b.(float64)
	if !xIs || !yIs || x == math.Trunc(x) && y == math.Trunc(y) {
		return a == b
	}
	return math.Abs(x-y) <= 1e-6
}

// empty reports whether a row holds no figure other than 0.
func empty(row map[string]any) bool {
	for _, cell := range row {
		if v := number(cell, "value"); v != nil && v != 0.0 {
			return false
		}
	}
	return true
}

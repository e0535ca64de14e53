package e2e

import (
	"encoding/json/v2"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// reader asks for reports of one store, and stores in it.
type reader struct {
	t          testing.TB
	road       Road
	store      string // its id
	credential Credential
}

// newReader makes a store of test data, in which nothing is hidden, with more settings.
func newReader(t testing.TB, road Road, settings ...string) *reader {
	t.Helper()
	store, credential := FreshStore(t, road)
	if err := road.SetStore(t.Context(), store, append(settings, "-test-data", "-k", "1")...); err != nil {
		t.Fatal(err)
	}
	return &reader{t, road, store, credential}
}

// post stores statements in one request.
func (r *reader) post(statements []string) {
	r.t.Helper()
	r.send(http.MethodPost, r.road.Endpoint()+"/statements", "["+strings.Join(statements, ",")+"]")
}

// importKPI stores a KPI, whose learners must be known.
func (r *reader) importKPI(name, file string) {
	r.t.Helper()
	r.sendAs("text/csv", http.MethodPost, r.road.Reports()+"/kpis/"+name, file)
}

func (r *reader) send(method, target, body string) []byte {
	r.t.Helper()
	return r.sendAs("application/json", method, target, body)
}

func (r *reader) sendAs(contentType, method, target, body string) []byte {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.SetBasicAuth(r.credential.Key, r.credential.Secret)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("X-Experience-API-Version", "1.0.3")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		r.t.Fatalf("%s %s: %s %v: %.500s", method, target, resp.Status, err, answer)
	}
	return answer
}

// rows are those of a report, without the keys of learners, which are the store's own, and what depends on them.
func (r *reader) rows(report string, params url.Values) []string {
	r.t.Helper()
	var answer struct {
		Rows []map[string]any `json:"rows"`
	}
	if err := json.Unmarshal(r.send(http.MethodGet, r.road.Reports()+"/"+report+"?limit=1000&"+params.Encode(), ""), &answer); err != nil {
		r.t.Fatal(err)
	}
	rows := make([]string, len(answer.Rows))
	for i, row := range answer.Rows {
		delete(row, "learner")
		if report == "kpi-points" {
			delete(row, "unit")
		}
		if name, _ := row["name"].(string); strings.HasPrefix(name, "Learner ") { // made of the key
			delete(row, "name")
		}
		for column, cell := range row {
			switch column {
			case "upperLower", "top", "bottom": // of equal scores the key decides who is among the best
				delete(row, column)
			}
			if figure, ok := cell.(map[string]any); ok { // sums are taken in the order of keys: the last digits differ
				for part, v := range figure {
					if number, ok := v.(float64); ok {
						figure[part] = math.Round(number*1e9) / 1e9
					}
				}
			}
		}
		text, err := json.Marshal(row, json.Deterministic(true))
		if err != nil {
			r.t.Fatal(err)
		}
		rows[i] = string(text)
	}
	slices.Sort(rows)
	return rows
}

// until asks again and again until the answer is as it should be. It waits longer than what is promised, since a busy machine
// is no fault.
func (r *reader) until(what string, is func() bool) {
	r.t.Helper()
	for begun := time.Now(); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > maxWait {
			r.t.Fatalf("%s is not there after %v", what, maxWait)
		}
	}
}

// counted is how many statements the reports know.
func (r *reader) counted() int {
	r.t.Helper()
	var answer struct {
		Rows []struct {
			Statements struct {
				Value int `json:"value"`
			} `json:"statements"`
		} `json:"rows"`
	}
	if err := json.Unmarshal(r.send(http.MethodGet, r.road.Reports()+"/overview?range=all", ""), &answer); err != nil || len(answer.Rows) != 1 {
		r.t.Fatalf("overview has %d rows, %v", len(answer.Rows), err)
	}
	return answer.Rows[0].Statements.Value
}

// live are the ids of the statements that have become live since an answer, and that answer's cursor: "" begins.
func (r *reader) live(after string) (ids []string, cursor string) {
	r.t.Helper()
	var answer struct {
		Sentences []struct {
			ID string `json:"id"`
		} `json:"sentences"`
		Cursor string `json:"cursor"`
	}
	if err := json.Unmarshal(r.send(http.MethodGet, r.road.Reports()+"/live?cursor="+url.QueryEscape(after), ""), &answer); err != nil {
		r.t.Fatal(err)
	}
	for _, s := range answer.Sentences {
		ids = append(ids, s.ID)
	}
	return ids, answer.Cursor
}

// sameReports requires that every report says the same of two stores, soon, and that all but one of them say something.
func sameReports(t testing.TB, want, got *reader) {
	t.Helper()
	empty, begun := 0, time.Now()
	for _, report := range allReports {
		wanted, rows := want.rows(report.name, report.params), got.rows(report.name, report.params)
		for ; !slices.Equal(wanted, rows) && time.Since(begun) < maxWait; time.Sleep(50 * time.Millisecond) {
			wanted, rows = want.rows(report.name, report.params), got.rows(report.name, report.params)
		}
		if diff := cmp.Diff(wanted, rows); diff != "" {
			t.Errorf("%s %v (-want +got):\n%.2000s", report.name, report.params, diff)
		}
		if len(rows) == 0 {
			empty++
			t.Logf("%s has no rows", report.name)
		}
	}
	if empty > 1 {
		t.Errorf("%d reports have no rows: there is nothing to compare", empty)
	}
}

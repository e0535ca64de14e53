package e2e

import (
	"encoding/json/v2"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
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
	t          *testing.T
	road       Road
	credential Credential
}

// newReader makes a store of test data, in which nothing is hidden.
func newReader(t *testing.T, road Road) *reader {
	t.Helper()
	store, err := road.NewStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := road.SetStore(t.Context(), store, "-test-data", "-k", "1"); err != nil {
		t.Fatal(err)
	}
	credential, err := road.NewCredential(t.Context(), store, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	return &reader{t, road, credential}
}

// post stores statements in one request.
func (r *reader) post(statements []string) {
	r.t.Helper()
	r.send(http.MethodPost, r.road.Endpoint()+"/statements", "["+strings.Join(statements, ",")+"]")
}

func (r *reader) send(method, target, body string) []byte {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.SetBasicAuth(r.credential.Key, r.credential.Secret)
	req.Header.Set("Content-Type", "application/json")
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

// until asks again and again until the answer is as it should be, and returns how long that took. What is promised is 2 seconds for what is
// live and 10 for reports; the test waits longer, since a busy machine is no fault, and tells.
func (r *reader) until(what string, is func() bool) time.Duration {
	r.t.Helper()
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if is() {
			return time.Since(begun).Round(time.Millisecond)
		}
		if time.Since(begun) > maxWait {
			r.t.Fatalf("%s is not there after %v", what, maxWait)
		}
	}
}

// allReports are those that show something of classwork, with their parameters.
var allReports = []struct {
	name   string
	params url.Values
}{
	{"overview", url.Values{"range": {"all"}}}, {"activity", url.Values{"from": {"2025-01-01"}, "to": {"2025-03-31"}}},
	{"activity", url.Values{"from": {"2025-01-01"}, "to": {"2025-03-31"}, "by": {"week"}, "content": {"http://example.org/course"}}},
	{"retention", url.Values{"from": {"2025-01-01"}, "to": {"2025-03-31"}}}, {"contents", url.Values{"range": {"all"}}}, {"kinds", url.Values{"range": {"all"}}},
	{"content", url.Values{"range": {"all"}, "content": {"http://example.org/course"}}}, {"funnel", url.Values{"range": {"all"}, "content": {"http://example.org/course"}}},
	{"scores", url.Values{"range": {"all"}}}, {"videos", url.Values{"range": {"all"}}}, {"video-heatmap", url.Values{"range": {"all"}, "content": {"http://example.org/video"}}},
	{"video-coverage", url.Values{"range": {"all"}, "content": {"http://example.org/video"}}}, {"questions", url.Values{"range": {"all"}}},
	{"question-answers", url.Values{"range": {"all"}, "content": {"http://example.org/question1"}}}, {"stuck", url.Values{"range": {"all"}}},
	{"sessions", url.Values{"range": {"all"}}}, {"support", url.Values{"range": {"all"}}}, {"learners", url.Values{"range": {"all"}}}, {"data-quality", url.Values{"range": {"all"}}},
}

// classwork are statements of some learners at a course with a video and three questions, and voids of some of them.
func classwork(random *rand.Rand, learners int) []string {
	const adl, video = "http://adlnet.gov/expapi/verbs/", "https://w3id.org/xapi/video/"
	var all []string
	n := 0
	say := func(learner int, at time.Time, verb, object, definition, more string) (id string) {
		n++
		id = fmt.Sprintf("%08x-0000-4000-8000-%012x", n, learner)
		parent := `"contextActivities":{"parent":[{"id":"http://example.org/course"}]}`
		if object == "course" {
			parent = `"platform":"web"`
		}
		all = append(all, fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:p%d@example.org"},"verb":{"id":%q},"object":{"id":"http://example.org/%s","definition":{"type":%q}},"timestamp":%q,"context":{%s%s`,
			id, learner, verb, object, definition, at.UTC().Format(time.RFC3339Nano), parent, more))
		return id
	}
	for learner := range learners {
		at := time.Date(2025, 1, 6+random.IntN(60), random.IntN(24), random.IntN(60), 0, 0, time.UTC)
		say(learner, at, adl+"initialized", "course", "http://adlnet.gov/expapi/activities/course", "}}")
		watched := ""
		for part := range 1 + random.IntN(4) {
			from := random.IntN(50)
			watched = strings.TrimPrefix(fmt.Sprintf("%s[,]%d[.]%d", watched, from, from+5+random.IntN(20)), "[,]")
			say(learner, at.Add(time.Duration(part+1)*time.Minute), video+"verbs/paused", "video", video+"activity-type/video",
				fmt.Sprintf(`,"extensions":{"%sextensions/length":60}},"result":{"extensions":{"%sextensions/played-segments":%q}}}`, video, video, watched))
		}
		for question := range 3 {
			for try := range 1 + random.IntN(4) {
				id := say(learner, at.Add(time.Duration(10+10*question+try)*time.Minute), adl+"answered", fmt.Sprintf("question%d", question), "http://adlnet.gov/expapi/activities/cmi.interaction",
					fmt.Sprintf(`},"result":{"success":%v,"response":"%d"}}`, random.IntN(2) == 0, random.IntN(4)))
				if random.IntN(10) == 0 {
					all = append(all, fmt.Sprintf(`{"id":"ffffffff-0000-4000-8000-%012x","actor":{"mbox":"mailto:admin@example.org"},"verb":{"id":"%svoided"},"object":{"objectType":"StatementRef","id":%q}}`, n, adl, id))
				}
			}
		}
		if random.IntN(3) > 0 {
			say(learner, at.Add(time.Hour), adl+"completed", "course", "http://adlnet.gov/expapi/activities/course", fmt.Sprintf(`},"result":{"completion":true,"score":{"scaled":%.2f},"duration":"PT40M"}}`, random.Float64()))
		}
	}
	return all
}

// TestReportsDoNotDependOnHowStatementsCame: the same statements in order and in full batches, and shuffled, twice, in batches of any
// size, voids before what they void, make the same reports.
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
	want := map[string][]string{}
	ordered.until("the last statement", func() bool {
		before := want["contents"]
		for i, r := range allReports {
			want[fmt.Sprint(i)] = ordered.rows(r.name, r.params)
		}
		want["contents"] = ordered.rows("contents", url.Values{"range": {"all"}})
		return slices.Equal(before, want["contents"]) && len(before) == 5
	})
	empty := 0
	for i, r := range allReports {
		var got []string
		rows := want[fmt.Sprint(i)]
		for begun := time.Now(); time.Since(begun) < maxWait; time.Sleep(50 * time.Millisecond) {
			if got = shuffled.rows(r.name, r.params); slices.Equal(got, rows) {
				break
			}
			rows = ordered.rows(r.name, r.params)
		}
		if diff := cmp.Diff(rows, got); diff != "" {
			t.Errorf("%s %v (-in order +shuffled):\n%.2000s", r.name, r.params, diff)
		}
		if len(got) == 0 {
			empty++
			t.Logf("%s has no rows", r.name)
		}
	}
	if empty > 1 {
		t.Errorf("%d reports have no rows: there is nothing to compare", empty)
	}
	t.Logf("statements %d, reports %d", len(statements), len(allReports))
}

// TestReportsAreSoonThere: a statement is live at once, and soon in every report that it belongs in.
func TestReportsAreSoonThere(t *testing.T) {
	r := newReader(t, serve(t))
	r.post(classwork(rand.New(rand.NewPCG(3, 4)), 20)[:100])
	r.until("the first statements", func() bool { return len(r.rows("contents", url.Values{"range": {"all"}})) == 5 })
	time.Sleep(100 * time.Millisecond)
	before := map[int]string{}
	for i, report := range allReports {
		before[i] = strings.Join(r.rows(report.name, report.params), "\n")
	}
	r.post(strings.Split(strings.ReplaceAll(strings.Join(classwork(rand.New(rand.NewPCG(3, 4)), 40)[100:200], "\n"), "mailto:p", "mailto:late"), "\n"))
	begun := time.Now()
	r.until("live", func() bool {
		return strings.Contains(string(r.send(http.MethodGet, r.road.Reports()+"/live", "")), "late")
	})
	t.Logf("live after %v", time.Since(begun).Round(time.Millisecond))
	for i, report := range allReports {
		if report.name == "data-quality" && before[i] == "" {
			continue
		}
		r.until(report.name, func() bool { return strings.Join(r.rows(report.name, report.params), "\n") != before[i] })
	}
	t.Logf("in every report after %v", time.Since(begun).Round(time.Millisecond))
}

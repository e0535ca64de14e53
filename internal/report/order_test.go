package report_test

import (
	"compress/gzip"
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/report"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
)

// TestReportsDoNotDependOnTheOrder: every report of the catalogue says the same of statements that came in their order and of
// the same statements shuffled, a tenth of them twice, in batches of 1 to 500, voids before what they void: of made-up ones,
// and of the mooc data and the simulated course together.
func TestReportsDoNotDependOnTheOrder(t *testing.T) {
	t.Run("made up", func(t *testing.T) {
		var people strings.Builder
		people.WriteString("learner,date,value\n")
		for n := range 60 {
			fmt.Fprintf(&people, "p%d@example.com,2026-06-15,%d\n", n, n*n%31)
		}
		compareOrders(t, eventsOf(t, madeUp(6000)), people.String())
	})
	t.Run("data", func(t *testing.T) {
		folder := os.Getenv("CAIRN_TEST_DATA")
		if folder == "" {
			if os.Getenv("CAIRN_REQUIRE") != "" {
				t.Fatal("CAIRN_TEST_DATA is not set, and CAIRN_REQUIRE forbids to go without")
			}
			t.Log("did not run: CAIRN_TEST_DATA is not set")
			return
		}
		statements := statementsOf(t, filepath.Join(folder, "mooc-22k.ndjson.gz"))
		compareOrders(t, eventsOf(t, append(statements, statementsOf(t, filepath.Join(folder, "simulated-course-2814.json.gz"))...)), "")
	})
}

// statementsOf reads a file with a statement in each line, or with one array.
func statementsOf(t *testing.T, path string) (statements [][]byte) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for decoder := jsontext.NewDecoder(unzipped); ; {
		if decoder.PeekKind() == '[' {
			if _, err := decoder.ReadToken(); err != nil {
				t.Fatal(err)
			}
		}
		if decoder.PeekKind() == ']' {
			return statements
		}
		value, err := decoder.ReadValue()
		if errors.Is(err, io.EOF) {
			return statements
		}
		if err != nil {
			t.Fatal(err)
		}
		statements = append(statements, slices.Clone(value))
	}
}

// madeUp are statements of all kinds of content, of few learners, so that much meets.
func madeUp(n int) (statements [][]byte) {
	r := rand.New(rand.NewPCG(6, 4))
	for range n {
		s := said{learner: r.IntN(60), verb: "experienced", content: fmt.Sprint("page", r.IntN(5)), parent: fmt.Sprint("course", r.IntN(3)), platform: "web",
			at: today.Add(-time.Duration(r.IntN(300*24*60)) * time.Minute)}
		switch r.IntN(4) {
		case 0:
			s.content, s.parent, s.verb = fmt.Sprint("q", r.IntN(12)), fmt.Sprint("quiz", r.IntN(2)), "answered"
			s.result = fmt.Sprintf(`"success":%t,"response":"%c"`, r.IntN(60) < s.learner, 'a'+r.IntN(3))
		case 1:
			s.content, s.verb = fmt.Sprint("module", r.IntN(3)), []string{"initialized", "progressed", "completed", "passed", "failed", "terminated"}[r.IntN(6)]
			s.result = fmt.Sprintf(`"score":{"scaled":%.2f},"duration":"PT%dM"`, r.Float64(), r.IntN(90))
		case 2:
			from := r.IntN(500)
			s.content, s.verb = fmt.Sprint("video", r.IntN(3)), "progressed"
			s.result = fmt.Sprintf(`"extensions":{"https://w3id.org/xapi/video/extensions/played-segments":"%d[.]%d","https://w3id.org/xapi/video/extensions/length":600}`, from, from+r.IntN(100))
		}
		text := s.json()
		if s.verb == "progressed" && strings.HasPrefix(s.content, "video") {
			text = strings.Replace(text, "http://adlnet.gov/expapi/verbs/progressed", "https://w3id.org/xapi/video/verbs/paused", 1)
		}
		if r.IntN(40) == 0 { // of a Group: of nobody
			text = strings.Replace(text, `"actor":{`, `"actor":{"objectType":"Group",`, 1)
		}
		statements = append(statements, []byte(text))
	}
	return statements
}

// eventsOf makes events of statements: each is stored, and of 50 one is voided and one removed and stored again.
func eventsOf(t *testing.T, statements [][]byte) (events []rollup.Event) {
	t.Helper()
	stored := today.Add(-time.Duration(len(statements)) * time.Second)
	for n, text := range statements {
		var head struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal(text, &head); err != nil {
			t.Fatal(err)
		}
		if head.ID == "" {
			head.ID = fmt.Sprintf("%08x-0000-4000-8000-000000000000", n)
		}
		stored = stored.Add(time.Second)
		e := rollup.Event{Store: "store", StatementID: head.ID, Stored: stored, Statement: text, Live: true}
		events = append(events, e)
		switch n % 50 {
		case 7:
			e.Live = false
			events = append(events, e)
		case 13:
			gone, again := e, e
			gone.Live, again.Stored = false, stored.Add(500*time.Millisecond)
			events = append(events, gone, again)
		}
	}
	return events
}

// compareOrders folds the events into two stores and asks both everything.
func compareOrders(t *testing.T, events []rollup.Event, kpi string) {
	r := rand.New(rand.NewPCG(1, 2))
	shuffled := slices.Clone(events)
	for range len(events) / 10 {
		shuffled = append(shuffled, events[r.IntN(len(events))])
	}
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	inOrder, mixed := newWorld(t, 100_000), newWorld(t, 100_000)
	inOrder.foldEvents(events, func() (int, int) { return 0, 500 })
	mixed.foldEvents(shuffled, func() (int, int) { return r.IntN(len(mixed.folders)), 1 + r.IntN(500) })

	answers, rows, refused := 0, 0, 0
	for _, private := range []bool{true, false} {
		for _, w := range []*world{inOrder, mixed} {
			w.store.TestData, w.store.SmallNumber = !private, map[bool]int{true: 0, false: 1}[private]
			if kpi != "" {
				if _, err := w.reports.ImportKPI(t.Context(), w.store, "sales", []byte(kpi)); err != nil {
					t.Fatal(err)
				}
			}
		}
		scopes := append([]string{""}, someContents(inOrder)...)
		for _, rep := range report.Catalogue() {
			for _, scope := range scopes {
				for _, params := range paramsFor(inOrder, rep, scope, kpi) {
					want, wantErr := inOrder.try(rep.ID, params)
					got, gotErr := mixed.try(rep.ID, params)
					if wantErr != nil || gotErr != nil {
						if fmt.Sprint(wantErr) != fmt.Sprint(gotErr) || !errors.As(wantErr, new(*report.Refusal)) {
							t.Errorf("%s %v: in order %v, shuffled %v", rep.ID, params, wantErr, gotErr)
						}
						refused++
						continue
					}
					answers++
					rows += len(want.Table.Rows)
					if diff := cmp.Diff(csv(want), csv(got)); diff != "" {
						t.Errorf("%s %v, private %t (-in order +shuffled):\n%.1500s", rep.ID, params, private, diff)
					} else if want.Tag() != got.Tag() {
						t.Errorf("%s %v, private %t: the same rows have other tags: notes %q and %q", rep.ID, params, private, want.Notes, got.Notes)
					}
				}
			}
		}
	}
	t.Logf("%d events: %d answers with %d rows are the same, %d questions are refused alike", len(events), answers, rows, refused)
	if floor := 10 * len(report.Catalogue()); answers < floor || rows < 10*floor {
		t.Errorf("%d answers with %d rows are fewer than the floor of %d with %d", answers, rows, floor, 10*floor)
	}
}

// foldEvents folds events in batches; next gives the lane and the size of each.
func (w *world) foldEvents(events []rollup.Event, next func() (lane, size int)) {
	w.t.Helper()
	for len(events) > 0 {
		lane, n := next()
		n = min(n, len(events))
		if err := w.folders[lane].Fold(context.Background(), events[:n]); err != nil {
			w.t.Fatal(err)
		}
		events = events[n:]
	}
}

// someContents are the most used content of each kind.
func someContents(w *world) (ids []string) {
	w.t.Helper()
	of := map[string]int{}
	for _, row := range csv(w.ask("contents", map[string]string{"range": "all"})) {
		if of[row["kind"]]++; of[row["kind"]] == 1 {
			ids = append(ids, row["content"])
		}
	}
	return ids
}

// paramsFor are questions to a report about a content, "" for all of them.
func paramsFor(w *world, rep *report.Report, content, kpi string) (all []map[string]string) {
	base := map[string]string{}
	if content != "" {
		base["content"] = content
	}
	if strings.HasPrefix(rep.ID, "kpi") {
		if kpi == "" {
			return nil
		}
		base["kpi"], base["measure"] = "sales", "statements"
	}
	if rep.ID == "learner" {
		base["learner"] = `{"mbox":"mailto:p7@example.com"}`
	}
	spans := []map[string]string{{"range": "all"}, {"range": "90d"}}
	if rep.ID == "activity" {
		spans = []map[string]string{{"range": "365d", "by": "day"}, {"range": "365d", "by": "week"}, {"from": "2020-01-01", "to": "2026-06-30", "by": "month"}, {"range": "90d", "platform": "web"}}
	}
	for _, span := range spans {
		params := maps.Clone(base)
		maps.Copy(params, span)
		all = append(all, params)
	}
	return all
}

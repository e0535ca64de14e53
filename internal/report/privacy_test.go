package report_test

import (
	"encoding/json/v2"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/report"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

// course are learners who started and completed a course in the last days.
func course(from, to int, completed bool) []said {
	var all []said
	for i := from; i < to; i++ {
		at := today.Add(-time.Duration(i+1) * time.Hour)
		all = append(all, said{learner: i, verb: "initialized", content: "course", at: at})
		if completed {
			all = append(all, said{learner: i, verb: "completed", content: "course", at: at.Add(time.Minute), result: `"success":true,"score":{"scaled":0.8}`})
		}
	}
	return all
}

// TestSmallNumbersAreProtectedInAnswers: of four learners no number is told, and of 40 of whom 38 completed neither are the two
// others.
func TestSmallNumbersAreProtectedInAnswers(t *testing.T) {
	w := newWorld(t, 0)
	w.fold(course(0, 4, true)...)
	for _, id := range []string{"overview", "contents", "kinds", "sessions", "activity"} {
		a := w.ask(id, map[string]string{"range": "7d"})
		for _, row := range csv(a) {
			for column, value := range row {
				if value == "4" || value == "8" || value == "100" {
					t.Errorf("%s tells %s=%s of four learners", id, column, value)
				}
			}
		}
	}
	if row := csv(w.ask("contents", map[string]string{"range": "7d"}))[0]; row["learners"] != "<5" || row["completionRateSoFar"] != "<5" || row["score"] != "<5" {
		t.Errorf("contents tells %v", row)
	}
	w.fold(course(4, 38, true)...)
	w.fold(course(38, 40, false)...)
	row := csv(w.ask("contents", map[string]string{"range": "7d"}))[0]
	if row["starts"] != "40" || row["completions"] != "withheld" || row["completionRateSoFar"] != "≥ 90 %" || row["completionRateSoFar.count"] != "" {
		t.Errorf("contents tells %v", row)
	}
	q, err := report.ParseCustom([]byte(`{"measures":["starts","completions"],"by":["content"],"range":"7d"}`))
	if err != nil {
		t.Fatal(err)
	}
	own, err := w.reports.Custom(t.Context(), w.store, q)
	if err != nil {
		t.Fatal(err)
	}
	if row := csv(own)[0]; row["starts"] != "40" || row["completions"] != "withheld" {
		t.Errorf("a question of one's own tells %v", row)
	}
	w.store.TestData, w.store.SmallNumber = true, 1
	row = csv(w.ask("contents", map[string]string{"range": "7d"}))[0]
	if row["completions"] != "38" || row["completionRateSoFar"] != "0.95" {
		t.Errorf("a store of test data tells %v", row)
	}
}

// TestCutTablesHaveNoTotal: of the first rows alone there is none, and that of all would be taken for theirs.
func TestCutTablesHaveNoTotal(t *testing.T) {
	w := newWorld(t, 0)
	w.fold(course(0, 20, true)...)
	if whole := w.ask("scores", map[string]string{"range": "7d"}).Table; whole.Total == nil || len(whole.Rows) < 2 {
		t.Fatalf("%d rows, total %v", len(whole.Rows), whole.Total)
	}
	if cut := w.ask("scores", map[string]string{"range": "7d", "top": "1"}).Table; cut.Total != nil || len(cut.Rows) != 1 {
		t.Errorf("%d rows, total %v", len(cut.Rows), cut.Total)
	}
}

// TestHiddenNames: a store that hides names has no report about learners, names nobody in any other, and takes no filter that
// would pick one out (S-5).
func TestHiddenNames(t *testing.T) {
	w := newWorld(t, 0)
	w.store.HideNames = true
	w.fold(course(0, 20, true)...)
	w.now = today
	personal := 0
	for _, r := range report.Catalogue() {
		params := map[string]string{"range": "7d"}
		for _, p := range r.ParamsOf() {
			if p.Name == "content" {
				params["content"] = contents + "course"
			}
		}
		if r.ID == "retention" {
			delete(params, "content")
		}
		if r.ID == "kpi-link" {
			continue // it needs a KPI; see TestKPIsOfLearnersNeedNames
		}
		a, err := w.try(r.ID, params)
		if r.Personal {
			personal++
			if !errors.Is(err, report.ErrNotFound) {
				t.Errorf("%s is there: %v", r.ID, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", r.ID, err)
			continue
		}
		for _, row := range csv(a) {
			for column, value := range row {
				if strings.Contains(value, "Person") || strings.Contains(value, "@example.com") {
					t.Errorf("%s tells %s=%s", r.ID, column, value)
				}
			}
		}
	}
	if personal == 0 {
		t.Error("there is no report about learners to hide")
	}
	for _, params := range []map[string]string{
		{"registration": "11111111-1111-4111-8111-111111111111"},
		{"platform": "web", "language": "en"},
	} {
		if _, err := w.try("overview", params); !errors.Is(err, report.ErrInvalid) {
			t.Errorf("overview takes %v: %v", params, err)
		}
	}
	if _, err := w.try("overview", map[string]string{"platform": "web"}); err != nil {
		t.Errorf("one cohort may be asked for: %v", err)
	}
	live, err := w.reports.Live(t.Context(), w.store, "")
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(live)
	if err != nil || len(live.Sentences) == 0 {
		t.Fatalf("%d sentences, %v", len(live.Sentences), err)
	}
	if strings.Contains(string(text), "Person") || strings.Contains(string(text), "example.com\"") && strings.Contains(string(text), "mailto") || live.Sentences[0].ID != "" {
		t.Errorf("live tells who: %s", text)
	}
}

// TestTagsTellAnswersApart: whatever differs in what is given out makes another tag, and what it has cost does not.
func TestTagsTellAnswersApart(t *testing.T) {
	number := func(n int64) result.Cell { return result.Counted(n, 20) }
	answer := func() *report.Answer {
		return &report.Answer{
			Report: &report.Report{ID: "contents"}, Period: report.Period{From: 20000, To: 20001}, Zone: "UTC", K: 5, Names: true, Notes: []string{"a note"},
			Table: &result.Table{
				Columns: []result.Column{{ID: "name"}, {ID: "learners", Kind: result.Count}},
				Rows:    []result.Row{{result.Named("a"), number(20)}, {result.Named("b"), result.Absent(result.Untracked)}},
				Total:   result.Row{result.Named(""), number(40)},
			},
		}
	}
	same := answer()
	same.Read.Items, same.AsOf = 7, today
	if same.Tag() != answer().Tag() {
		t.Error("what an answer has cost, and when it was given, changes its tag")
	}
	seen := map[string]string{answer().Tag(): "the answer itself"}
	for what, change := range map[string]func(*report.Answer){
		"report":         func(a *report.Answer) { a.Report = &report.Report{ID: "kinds"} },
		"name":           func(a *report.Answer) { a.Name = "mine" },
		"first day":      func(a *report.Answer) { a.Period.From-- },
		"last day":       func(a *report.Answer) { a.Period.To++ },
		"zone":           func(a *report.Answer) { a.Zone = "Asia/Tokyo" },
		"filter":         func(a *report.Answer) { a.Filter.Platform = "web" },
		"another filter": func(a *report.Answer) { a.Filter.Language = "web" },
		"k":              func(a *report.Answer) { a.K = 6 },
		"names":          func(a *report.Answer) { a.Names = false },
		"test data":      func(a *report.Answer) { a.Test = true },
		"note":           func(a *report.Answer) { a.Notes = []string{"another"} },
		"notes":          func(a *report.Answer) { a.Notes = append(a.Notes, "another") },
		"column":         func(a *report.Answer) { a.Table.Columns[1].ID = "starts" },
		"figure":         func(a *report.Answer) { a.Table.Rows[0][1] = number(21) },
		"row":            func(a *report.Answer) { a.Table.Rows = a.Table.Rows[:1] },
		"why not":        func(a *report.Answer) { a.Table.Rows[1][1] = result.Absent(result.NotEnough) },
		"total":          func(a *report.Answer) { a.Table.Total[1] = number(41) },
		"no total":       func(a *report.Answer) { a.Table.Total = nil },
		"total unknown":  func(a *report.Answer) { a.Table.Total[1] = result.Absent(result.Untracked) },
		"total too few":  func(a *report.Answer) { a.Table.Total[1] = result.Absent(result.NotEnough) },
	} {
		a := answer()
		change(a)
		if as, taken := seen[a.Tag()]; taken {
			t.Errorf("another %s: the tag is that of %s", what, as)
		}
		seen[a.Tag()] = what
	}
}

// TestTagsChangeWithTheFigures: the tag of an answer stays while the figures do, whatever the time, and changes with any of them.
func TestTagsChangeWithTheFigures(t *testing.T) {
	w := newWorld(t, 0)
	w.fold(course(0, 10, true)...)
	params := map[string]string{"from": "2026-06-01", "to": "2026-06-30"}
	first := w.ask("contents", params).Tag()
	w.now = today.Add(time.Hour)
	if w.ask("contents", params).Tag() != first {
		t.Error("an hour later the same figures have another tag")
	}
	w.fold(said{learner: 3, verb: "experienced", content: "course", at: today.AddDate(0, -3, 0)})
	if w.ask("contents", params).Tag() != first {
		t.Error("a statement of another period changes the tag")
	}
	w.fold(said{learner: 11, verb: "experienced", content: "course", at: today})
	second := w.ask("contents", params).Tag()
	if second == first {
		t.Error("another learner does not change the tag")
	}
	w.store.SmallNumber = 15
	if w.ask("contents", params).Tag() == second {
		t.Error("what is hidden does not change the tag")
	}
}

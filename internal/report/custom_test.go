package report_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/report"
)

// TestWrongQueriesSayWhatIsWrong: a question of one's own that cannot be answered is refused with the place and what would do.
func TestWrongQueriesSayWhatIsWrong(t *testing.T) {
	for _, test := range []struct{ query, at, says string }{
		{`{`, "", "not JSON from byte 1"},
		{`{"top":3,"top":4}`, "/top", "twice"},
		{`{"filters":{"learner":"x",}}`, "/filters", "not JSON from byte"},
		{`[]`, "", "must be an object"},
		{`{"top":1.5}`, "/top", "whole number"},
		{`{"measures":["learners",1]}`, "/measures/1", "must be a text"},
		{`{"title":"` + strings.Repeat("x", 20_000) + `"}`, "", "at most 16384 bytes"},
		{`{"measure":["learners"]}`, "/measure", "measures, by"},
		{`{"filters":{"verb":"http://x/y"}}`, "/filters/verb", "platform"},
		{`{"funnel":{"steps":[{"did":"started"},{"done":"passed"}]}}`, "/funnel/steps/1/done", "did, verb"},
		{`{"measures":"learners"}`, "/measures", "must be a list"},
		{`{}`, "/measures", "at least one measure"},
		{`{"measures":["likes"]}`, "/measures/0", "learners"},
		{`{"measures":["learners","learners"]}`, "/measures/1", "twice"},
		{`{"measures":["learners"],"by":["verb"]}`, "/by/0", "platform"},
		{`{"measures":["learners"],"by":["kind","content","group"]}`, "/by", "at most 2"},
		{`{"measures":["watchTime"],"by":["day"]}`, "/measures", "cannot be told by day"},
		{`{"measures":["learners"],"order":"starts"}`, "/order", "one of the measures"},
		{`{"measures":["learners"],"order":"-"}`, "/order", "one of the measures"},
		{`{"measures":["learners"],"top":-1}`, "/top", "number"},
		{`{"measures":["learners"],"range":"1d"}`, "/range", "30d"},
		{`{"measures":["learners"],"from":"2026-02-30"}`, "/from", "2026-01-31"},
		{`{"measures":["learners"],"from":"2026-03-01","to":"2026-02-01"}`, "/from", "after the last"},
		{`{"funnel":{"steps":[{"did":"started"}]}}`, "/funnel/steps", "2 to 6"},
		{`{"funnel":{"steps":[{"did":"started"},{"did":"liked"}]}}`, "/funnel/steps/1/did", "completed"},
		{`{"funnel":{"steps":[{"did":"started"},{"did":"passed","verb":"http://x/y"}]}}`, "/funnel/steps/1", "either"},
		{`{"funnel":{"steps":[{"did":"started"},{"verb":"no iri"}]}}`, "/funnel/steps/1/verb", "IRI"},
		{`{"funnel":{"steps":[{"did":"started"},{"did":"passed"}],"windowDays":9999}}`, "/funnel/windowDays", "366"},
		{`{"measures":["learners"],"funnel":{"steps":[{"did":"started"},{"did":"passed"}]}}`, "/funnel", "leave out"},
	} {
		_, err := report.ParseCustom([]byte(test.query))
		refusal, ok := errors.AsType[*report.Refusal](err)
		if !ok || refusal.Param != test.at || !strings.Contains(refusal.Message, test.says) {
			t.Errorf("%s: got %+v, want %q at %q", test.query, refusal, test.says, test.at)
		}
	}
}

// TestCustomReport: measures by two dimensions, ordered and cut.
func TestCustomReport(t *testing.T) {
	w := newWorld(t, 0)
	var all []said
	for i := range 30 {
		platform := []string{"app", "web", "web"}[i%3]
		at := today.Add(-time.Duration(i+1) * time.Hour)
		all = append(all, said{learner: i, verb: "initialized", content: "a", at: at, platform: platform})
		if i%2 == 0 {
			all = append(all, said{learner: i, verb: "completed", content: "a", at: at.Add(time.Minute), platform: platform})
		}
		all = append(all, said{learner: i, verb: "initialized", content: "b", at: at, platform: platform})
	}
	w.fold(all...)
	q, err := report.ParseCustom([]byte(`{"measures":["learners","starts","completions","completionRateSoFar"],"by":["content","platform"],"range":"7d","order":"-learners","top":3}`))
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.reports.Custom(t.Context(), w.store, q)
	if err != nil {
		t.Fatal(err)
	}
	rows := csv(a)
	if len(rows) != 3 || rows[0]["content"] != contents+"a" || rows[0]["platform"] != "web" || rows[0]["learners"] != "20" || rows[0]["completions"] != "10" ||
		rows[0]["completionRateSoFar"] != "0.5" || rows[1]["content"] != contents+"b" || rows[1]["completions"] != "0" || rows[2]["learners"] != "10" {
		t.Errorf("got %v", rows)
	}
}

// TestWatchTimeIsThatOfVideos: a question of one's own tells the watch time that the report of videos does, of as many viewers:
// who only paused is one too.
func TestWatchTimeIsThatOfVideos(t *testing.T) {
	w := newWorld(t, 0)
	for i := range 9 {
		s := said{learner: i, content: "film", at: today.Add(-time.Hour), verb: "paused"}
		if i < 6 {
			s.result = `"extensions":{"https://w3id.org/xapi/video/extensions/played-segments":"0[.]10"}`
		} else {
			s.result = `"extensions":{"https://w3id.org/xapi/video/extensions/time":0}`
		}
		w.fold(s)
	}
	a, err := w.reports.Custom(t.Context(), w.store, report.Custom{Measures: []string{"watchTime"}, By: []string{"content"}, Range: "7d"})
	if err != nil {
		t.Fatal(err)
	}
	want := csv(w.ask("videos", map[string]string{"range": "7d"}))[0]
	if got := csv(a)[0]; want["watchTime"] != "60" || want["watchTime.n"] != "9" || got["watchTime"] != want["watchTime"] || got["watchTime.n"] != want["watchTime.n"] {
		t.Errorf("got %v, want what videos tells: %v", got, want)
	}
}

// TestFunnelOfTwoContents: who started one thing and then, within the window, completed another.
func TestFunnelOfTwoContents(t *testing.T) {
	w := newWorld(t, 0)
	var all []said
	for i := range 40 {
		at := today.AddDate(0, 0, -20)
		all = append(all, said{learner: i, verb: "initialized", content: "a", at: at})
		switch {
		case i < 20: // in time
			all = append(all, said{learner: i, verb: "completed", content: "b", at: at.AddDate(0, 0, 3)})
		case i < 25: // too late
			all = append(all, said{learner: i, verb: "completed", content: "b", at: at.AddDate(0, 0, 8)})
		case i < 30: // before
			all = append(all, said{learner: i, verb: "completed", content: "b", at: at.AddDate(0, 0, -1)})
		}
	}
	w.fold(all...)
	q, err := report.ParseCustom([]byte(`{"funnel":{"steps":[{"did":"started","content":"http://example.com/a"},{"did":"completed","content":"http://example.com/b"}],"windowDays":7},"range":"30d"}`))
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.reports.Custom(t.Context(), w.store, q)
	if err != nil {
		t.Fatal(err)
	}
	if rows := csv(a); len(rows) != 2 || rows[0]["learners"] != "40" || rows[1]["learners"] != "20" || rows[1]["ofFirst"] != "0.5" {
		t.Errorf("got %v", rows)
	}
}

// TestSavedQueries: a query is kept under its name for its store alone, and only one that can be answered.
func TestSavedQueries(t *testing.T) {
	w := newWorld(t, 0)
	query := `{"measures":["learners"],"range":"7d"}`
	if err := w.reports.Save(t.Context(), w.store, "mine", []byte(query)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []struct{ name, query string }{{"Not a name", query}, {"../x", query}, {"fine", `{"measures":["likes"]}`}, {"long", `{"title":"` + strings.Repeat("x", 20_000) + `"}`}} {
		if err := w.reports.Save(t.Context(), w.store, bad.name, []byte(bad.query)); !errors.Is(err, report.ErrInvalid) {
			t.Errorf("save %q: %v", bad.name, err)
		}
	}
	all, err := w.reports.Saved(t.Context(), w.store)
	if err != nil || len(all) != 1 || all[0].Name != "mine" || string(all[0].Query) != query {
		t.Errorf("saved: %v, %v", all, err)
	}
	other := w.store
	other.ID = "other"
	if _, err := w.reports.SavedQuery(t.Context(), other, "mine"); !errors.Is(err, report.ErrNotFound) {
		t.Errorf("another store: %v", err)
	}
	for i := range 499 {
		if err := w.reports.Save(t.Context(), w.store, fmt.Sprint("more", i), []byte(query)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.reports.Save(t.Context(), w.store, "mine", []byte(query)); err != nil {
		t.Errorf("a store that is full of queries takes one in the place of another: %v", err)
	}
	if err := w.reports.Save(t.Context(), w.store, "another", []byte(query)); !errors.Is(err, report.ErrInvalid) {
		t.Errorf("the query number 501: %v", err)
	}
	if err := w.reports.DeleteSaved(t.Context(), w.store, "mine"); err != nil {
		t.Fatal(err)
	}
	if err := w.reports.DeleteSaved(t.Context(), w.store, "mine"); !errors.Is(err, report.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

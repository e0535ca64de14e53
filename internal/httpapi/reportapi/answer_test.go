package reportapi

import (
	"encoding/json/v2"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/httpapi/edge"
	"github.com/cairn-lrs/cairn/internal/report"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

// answerOf is an answer with a row for each name.
func answerOf(names ...string) *report.Answer {
	t := &result.Table{Columns: []result.Column{{ID: "name"}, {ID: "learners", Kind: result.Count}}}
	for i, name := range names {
		t.Rows = append(t.Rows, result.Row{result.Named(name), result.Counted(int64(i+5), 5)})
	}
	return &report.Answer{Report: &report.Report{ID: "contents"}, Zone: "UTC", Table: t}
}

// The pages and formats of an answer have tags of their own.
func TestEachPageHasItsTag(t *testing.T) {
	seen := map[string]page{}
	for _, p := range []page{
		{limit: 1, format: "json"}, {limit: 2, format: "json"}, {limit: 1, after: "a", format: "json"}, {limit: 1, after: "b", format: "json"}, {limit: 1, format: "csv"},
	} {
		tag := p.tag(answerOf("a", "b"))
		if as, taken := seen[tag]; taken {
			t.Errorf("%+v has the tag of %+v", p, as)
		}
		seen[tag] = p
	}
}

// A client that has the answer is told so by each way of naming its tag, and gets nothing else.
func TestIfNoneMatch(t *testing.T) {
	p, a := page{limit: 10, format: "json"}, answerOf("a")
	tag := p.tag(a)
	for header, want := range map[string]int{
		"": http.StatusOK, tag: http.StatusNotModified, tag[len("W/"):]: http.StatusNotModified, `"x", ` + tag: http.StatusNotModified, "*": http.StatusNotModified,
		`W/"x"`: http.StatusOK, p.tag(answerOf("b")): http.StatusOK, page{limit: 10, format: "csv"}.tag(a): http.StatusOK,
	} {
		w := httptest.NewRecorder()
		if err := p.write(w, &edge.Request{Header: http.Header{"If-None-Match": {header}}}, a); err != nil {
			t.Fatal(err)
		}
		if w.Code != want || (w.Body.Len() > 0) != (want == http.StatusOK) || w.Header().Get("Etag") != tag || w.Header().Get("Vary") != "Accept" {
			t.Errorf("If-None-Match %s: %d with %d bytes and %v", header, w.Code, w.Body.Len(), w.Header())
		}
	}
}

// A page goes on behind the row at which the one before ended, wherever that is by now, and refuses when it is there no more.
func TestPagesGoOnBehindTheirRow(t *testing.T) {
	read := func(after string, a *report.Answer) (names []string, more string) {
		t.Helper()
		p, rest, err := takePage(&edge.Request{Header: http.Header{}, Params: edge.Params{"limit": "2", "cursor": after, "range": "all"}})
		if err != nil || fmt.Sprint(rest) != "map[range:all]" {
			t.Fatalf("parameters of the question %v, %v", rest, err)
		}
		w := httptest.NewRecorder()
		if err := p.write(w, &edge.Request{Header: http.Header{}}, a); err != nil {
			return []string{err.Error()}, ""
		}
		var body struct {
			Rows []struct{ Name string } `json:"rows"`
			More string                  `json:"more"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &body, json.MatchCaseInsensitiveNames(true)); err != nil {
			t.Fatal(err)
		}
		for _, row := range body.Rows {
			names = append(names, row.Name)
		}
		return names, body.More
	}
	first, more, err := page{limit: 2}.cut(answerOf("a", "b", "c", "d").Table)
	if err != nil || len(first) != 2 {
		t.Fatalf("%d rows, %v", len(first), err)
	}
	for _, test := range []struct {
		answer *report.Answer
		want   []string
		more   bool
	}{
		{answerOf("a", "b", "c", "d"), []string{"c", "d"}, false},
		{answerOf("x", "b", "y", "a", "z"), []string{"y", "a"}, true},
		{answerOf("a", "b"), nil, false},
		{answerOf("a", "c", "d"), []string{"the row at which the page before ended is not in the answer any more: begin again without cursor"}, false},
	} {
		names, next := read(more, test.answer)
		if diff := cmp.Diff(test.want, names); diff != "" || (next != "") != test.more {
			t.Errorf("behind b, more %q (-want +got):\n%s", next, diff)
		}
	}
}

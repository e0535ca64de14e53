package bench

import (
	"encoding/json/v2"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// made is a statement of the tests, with what it should be found by.
type made struct{ learner, verb, course int }

func (m made) json(i int) string {
	return fmt.Sprintf(`{"id":"s%d","actor":{"mbox":"mailto:l%d@example.org"},"verb":{"id":"v%d"},"object":{"id":"a%d"},`+
		`"context":{"instructor":{"mbox":"mailto:t%d@example.org"},"contextActivities":{"parent":[{"id":"c%d"}]}}}`,
		i, m.learner, m.verb, i%7, m.course, m.course)
}

// TestCeilingFindsWhatMatches compares whole walks with a filter over a list.
func TestCeilingFindsWhatMatches(t *testing.T) {
	queries := []struct {
		name  string
		query url.Values
		match func(i int, m made) bool
	}{
		{"agent", url.Values{"agent": {`{"mbox":"mailto:l1@example.org"}`}}, func(_ int, m made) bool { return m.learner == 1 }},
		{"agent that is only related", url.Values{"agent": {`{"mbox":"mailto:t1@example.org"}`}}, func(int, made) bool { return false }},
		{"related agent", url.Values{"agent": {`{"mbox":"mailto:t1@example.org"}`}, "related_agents": {"true"}}, func(_ int, m made) bool { return m.course == 1 }},
		{"activity", url.Values{"activity": {"a3"}}, func(i int, _ made) bool { return i%7 == 3 }},
		{"related activity", url.Values{"activity": {"c2"}, "related_activities": {"true"}}, func(_ int, m made) bool { return m.course == 2 }},
		{"agent and verb", url.Values{"agent": {`{"mbox":"mailto:l2@example.org"}`}, "verb": {"v1"}}, func(_ int, m made) bool { return m.learner == 2 && m.verb == 1 }},
	}
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) made {
			return made{rapid.IntRange(0, 3).Draw(t, "learner"), rapid.IntRange(0, 2).Draw(t, "verb"), rapid.IntRange(0, 3).Draw(t, "course")}
		}), 1, 60).Draw(t, "statements")
		limit := rapid.IntRange(1, 20).Draw(t, "limit")
		ceiling := NewCeiling()
		for i, m := range all {
			if answer := request(ceiling, "POST", "/xapi/statements", m.json(i)); answer.Code != http.StatusOK {
				t.Fatalf("POST: %d %s", answer.Code, answer.Body)
			}
		}
		for _, q := range queries {
			var want []string
			for i := len(all) - 1; i >= 0; i-- {
				if q.match(i, all[i]) {
					want = append(want, fmt.Sprintf("s%d", i))
				}
			}
			q.query.Set("limit", fmt.Sprint(limit))
			if diff := cmp.Diff(want, walk(t, ceiling, "/xapi/statements?"+q.query.Encode(), limit)); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", q.name, diff)
			}
		}
	})
}

// walk follows more links to the end and returns the ids in order.
func walk(t *rapid.T, h http.Handler, target string, limit int) []string {
	var ids []string
	for target != "" {
		var page struct {
			Statements []struct {
				ID     string `json:"id"`
				Stored string `json:"stored"`
			} `json:"statements"`
			More string `json:"more"`
		}
		answer := request(h, "GET", target, "")
		if err := json.Unmarshal(answer.Body.Bytes(), &page); err != nil {
			t.Fatalf("GET %s: %v in %s", target, err, answer.Body)
		}
		if len(page.Statements) > limit {
			t.Fatalf("page of %d statements, limit %d", len(page.Statements), limit)
		}
		for _, s := range page.Statements {
			ids = append(ids, s.ID)
		}
		target = page.More
	}
	return ids
}

func request(h http.Handler, method, target, body string) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest(method, target, strings.NewReader(body)))
	return answer
}

// TestFloorKeepsWhatItAcknowledges reads back what was posted, after the floor was closed and opened again.
func TestFloorKeepsWhatItAcknowledges(t *testing.T) {
	dir := t.TempDir()
	floor, err := OpenFloor(dir)
	if err != nil {
		t.Fatal(err)
	}
	answer := request(floor, "POST", "/xapi/statements", "["+made{}.json(1)+","+made{}.json(2)+"]")
	if got := answer.Body.String(); answer.Code != http.StatusOK || got != `["s1","s2"]` {
		t.Fatalf("POST: %d %s", answer.Code, got)
	}
	if answer := request(floor, "PUT", "/xapi/activities/state?stateId=a", "bookmark"); answer.Code != http.StatusNoContent {
		t.Fatalf("PUT state: %d %s", answer.Code, answer.Body)
	}
	if err := floor.Close(); err != nil {
		t.Fatal(err)
	}
	floor, err = OpenFloor(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer floor.Close()
	var got map[string]any
	answer = request(floor, "GET", "/xapi/statements?statementId=s2", "")
	if err := json.UnmarshalRead(io.Reader(answer.Body), &got); err != nil {
		t.Fatal(err)
	}
	if got["id"] != "s2" || got["stored"] == nil || got["authority"] == nil {
		t.Errorf("statement read back: %v", got)
	}
	if answer := request(floor, "GET", "/xapi/activities/state?stateId=a", ""); answer.Body.String() != "bookmark" {
		t.Errorf("state read back: %q", answer.Body)
	}
	for _, bad := range []string{`{"id":"s3"`, `{"actor":{}}`, `[{"id":"s3"},7]`} {
		if answer := request(floor, "POST", "/xapi/statements", bad); answer.Code != http.StatusBadRequest {
			t.Errorf("POST %s: %d, want 400", bad, answer.Code)
		}
	}
}

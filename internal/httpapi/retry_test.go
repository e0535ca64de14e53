package httpapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A client that was not answered, or lost the answer, sends again: whenever that is, it gets the answer of the first time and
// changes nothing, and another content under the same id is refused.
func TestRetriesLongAfter(t *testing.T) {
	for _, after := range []time.Duration{0, 11 * time.Minute, 25 * time.Hour, 31 * 24 * time.Hour} {
		t.Run(after.String(), func(t *testing.T) {
			c := newServer(t).newClient()
			ids := []string{uuid(), uuid(), uuid(), uuid()}
			withFile := statement(withID(ids[3]), attached(attachment("a file", "text/plain", sha2("a file"))))
			changed := strings.NewReplacer("verbs/did", "verbs/undid", "a file", "b file", `"a":1`, `"a":2`, sha2("a file"), sha2("b file"))
			profile := "/xapi/activities/profile" + query("activityId", "http://example.com/a", "profileId", "p")
			requests := []struct {
				method, target, body, header string
				first, again, other          int
			}{
				{"PUT", "/xapi/statements" + query("statementId", ids[0]), statement(), "Accept: */*", 204, 204, 409},
				{"POST", "/xapi/statements", batch(statement(withID(ids[1])), statement(withID(ids[2]))), "Accept: */*", 200, 200, 409},
				{"POST", "/xapi/statements", mixed(jsonPart(withFile), filePart("a file", "text/plain", sha2("a file"))), mixedType, 200, 200, 409},
				{"PUT", profile, `{"a":1}`, "If-None-Match: *", 204, 412, 412},
				{"POST", "/xapi/activities/state" + query("activityId", "http://example.com/a", "agent", `{"mbox":"mailto:a@b.c"}`, "stateId", "s"), `{"a":1}`, "Accept: */*", 204, 204, 204},
			}
			send := func(i int, body string) answer {
				r := requests[i]
				return c.request(r.method, r.target, body, r.header)
			}
			first := make([]answer, len(requests))
			for i, r := range requests {
				first[i] = send(i, r.body)
				first[i].want(t, r.first)
			}
			stored := c.do("GET", "?attachments=false", "").body
			c.advance(after)
			for i, r := range requests {
				again := send(i, r.body)
				again.want(t, r.again)
				if r.first == r.again && again.body != first[i].body {
					t.Errorf("%s %s answered %q, and before %q", r.method, r.target, again.body, first[i].body)
				}
				send(i, changed.Replace(r.body)).want(t, r.other)
			}
			if diff := cmp.Diff(stored, c.do("GET", "?attachments=false", "").body); diff != "" {
				t.Errorf("statements changed (-before +after):\n%s", diff)
			}
			if got := c.request("GET", profile, "").body; got != `{"a":1}` {
				t.Errorf("the profile is %s", got)
			}
		})
	}
}

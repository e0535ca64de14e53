package httpapi_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
)

func TestPutAndGet(t *testing.T) {
	c := newServer(t).newClient()
	id := uuid()
	// The white space, the number and the order of members are kept; the declared additions stand at the end.
	body := statement(withID(id), ` "result" : {"score":{"raw":1.0}, "extensions":{"http://x.example/e":{"b":1e2,"a":null}}}`)
	put := c.do("PUT", query("statementId", id), body)
	put.want(t, 204)
	if put.body != "" {
		t.Errorf("204 with a body: %q", put.body)
	}
	got := c.do("GET", query("statementId", id), "")
	got.want(t, 200)
	if !strings.HasPrefix(got.body, strings.TrimSuffix(body, "}")) {
		t.Errorf("not verbatim: got %s, sent %s", got.body, body)
	}
	for _, name := range []string{"stored", "timestamp"} {
		if _, err := time.Parse("2006-01-02T15:04:05.999Z", member(t, got.body, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if v := member(t, got.body, "version"); v != "1.0.0" {
		t.Errorf("version: got %q, want 1.0.0", v)
	}
	if !strings.Contains(got.body, `"authority":{`) {
		t.Errorf("no authority: %s", got.body)
	}
}

func TestPutNamesTheStatement(t *testing.T) {
	c := newServer(t).newClient()
	id, other := uuid(), uuid()
	for _, test := range []struct {
		name, query, body string
		status            int
	}{
		{"id in the parameter only", query("statementId", id), statement(), 204},
		{"the same once more", query("statementId", id), statement(), 204},
		{"id in capitals", query("statementId", strings.ToUpper(id)), statement(withID(id)), 204},
		{"another statement under the id", query("statementId", id), statement(`"verb":{"id":"http://example.com/verbs/other"}`), 409},
		{"ids differ", query("statementId", id), statement(withID(other)), 400},
		{"no parameter", "", statement(withID(other)), 400},
		{"not a UUID", query("statementId", "{"+other+"}"), statement(), 400},
		{"an array", query("statementId", other), batch(statement(withID(other))), 400},
		{"an empty array", query("statementId", other), "[]", 400},
		{"a parameter of lists", query("statementId", other, "limit", "1"), statement(), 400},
		{"parameter in another case", query("StatementId", other), statement(), 400},
	} {
		t.Run(test.name, func(t *testing.T) { c.do("PUT", test.query, test.body).want(t, test.status) })
	}
	c.do("GET", query("statementId", id), "").want(t, 200)
	c.do("GET", query("statementId", other), "").want(t, 404)
}

func TestPost(t *testing.T) {
	c := newServer(t).newClient()
	one, two := uuid(), uuid()
	hundred := make([]string, 101)
	for i := range hundred {
		hundred[i] = statement(withID(uuid()))
	}
	for _, test := range []struct {
		name, query, body string
		status            int
		answer            string // exactly; "": not looked at
	}{
		{"an array, ids in its order", "", batch(statement(withID(two)), statement(withID(one))), 200, `["` + two + `","` + one + `"]`},
		{"the same again changes nothing", "", batch(statement(withID(two)), statement(withID(one))), 200, `["` + two + `","` + one + `"]`},
		{"another statement under an id", "", batch(statement(withID(uuid())), statement(withID(one), `"verb":{"id":"http://example.com/verbs/other"}`)), 409, ""},
		{"an empty array", "", "[]", 200, "[]"},
		{"a hundred", "", batch(hundred[:100]...), 200, ""},
		{"a hundred and one", "", batch(hundred...), 413, ""},
		{"an id twice", "", batch(statement(withID(one)), statement(withID(one))), 400, ""},
		{"statementId does not belong here", query("statementId", one), statement(), 400, ""},
		{"a number", "", "1", 400, ""},
		{"cut off", "", statement()[:30], 400, ""},
		{"something behind it", "", statement() + "{}", 400, ""},
		{"a name twice", "", statement(`"actor":{"mbox":"mailto:a@b.example"},"actor":{"mbox":"mailto:c@d.example"}`), 400, ""},
		{"not UTF-8", "", statement("\"result\":{\"response\":\"\xff\"}"), 400, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := c.do("POST", test.query, test.body)
			a.want(t, test.status)
			if test.answer != "" && a.body != test.answer {
				t.Errorf("got %s, want %s", a.body, test.answer)
			}
		})
	}
	if got := len(c.do("GET", "?limit=500", "").result(t).Statements); got != 102 {
		t.Errorf("got %d statements in the store, want 102: what is refused leaves nothing behind", got)
	}
}

func TestIDsOfTheLRSAreVersion4(t *testing.T) {
	c := newServer(t).newClient()
	for _, id := range c.mustPost(batch(statement(), statement())) {
		if len(id) != 36 || id[14] != '4' || !strings.Contains("89ab", id[19:20]) {
			t.Errorf("%s is not a version 4 UUID", id)
		}
	}
}

func TestRefusalNamesStatementPathAndRule(t *testing.T) {
	c := newServer(t).newClient()
	a := c.do("POST", "", batch(statement(), statement(`"verb":{"id":"no-iri"}`)))
	a.want(t, 400)
	for _, part := range []string{`"statement":1`, `"path":"/verb/id"`, `"rule":"must be an IRI with a scheme"`, `"section":"xAPI 1.0.3 Data`, `"requestId":"`} {
		if !strings.Contains(a.body, part) {
			t.Errorf("%s is missing in %s", part, a.body)
		}
	}
}

func TestContentTypes(t *testing.T) {
	c := newServer(t).newClient()
	for contentType, status := range map[string]int{
		"application/json":                       200,
		"application/json; charset=utf-8":        200,
		"APPLICATION/JSON":                       200,
		"":                                       200,
		"text/plain":                             400,
		"application/x-www-form-urlencoded":      400,
		"multipart/form-data; boundary=x":        400,
		"multipart/mixed":                        400,
		"multipart/mixed; boundary=\"\"":         400,
		"multipart/mixed; boundary=x":            400, // the body is JSON
		"application/json; ; charset=\"unclosed": 400,
	} {
		a := c.do("POST", "", statement(), "Content-Type: "+contentType)
		if a.StatusCode != status {
			t.Errorf("%q: got %d, want %d: %s", contentType, a.StatusCode, status, a.body)
		}
	}
}

func TestScopes(t *testing.T) {
	s := newServer(t)
	id := s.newClient().mustPost(statement())[0]
	for _, test := range []struct {
		scopes      auth.Scopes
		write, read int // status of POST and of a list
		one         int // status of a statement of another credential
	}{
		{auth.Scopes{auth.All}, 200, 200, 200},
		{auth.Scopes{auth.AllRead}, 403, 200, 200},
		{auth.Scopes{auth.StatementsRead}, 403, 200, 200},
		{auth.Scopes{auth.StatementsWrite}, 200, 403, 403},
		{auth.Scopes{auth.StatementsReadMine}, 403, 200, 404},
		{auth.Scopes{auth.StatementsWrite, auth.StatementsReadMine}, 200, 200, 404},
		{auth.Scopes{auth.State}, 403, 403, 403},
	} {
		t.Run(test.scopes.String(), func(t *testing.T) {
			c := client{server: s, credential: s.newCredential(s.store, test.scopes...), version: "1.0.3"}
			got := []int{c.do("POST", "", statement()).StatusCode, c.do("GET", "", "").StatusCode, c.do("GET", query("statementId", id), "").StatusCode}
			if diff := cmp.Diff([]int{test.write, test.read, test.one}, got); diff != "" {
				t.Errorf("POST, GET of a list, GET of one:\n%s", diff)
			}
			if put := c.do("PUT", query("statementId", uuid()), statement()).StatusCode; (put == 204) != (test.write == 200) || put != 204 && put != 403 {
				t.Errorf("PUT: got %d where POST gets %d", put, test.write)
			}
		})
	}
}

func TestStoresAreApart(t *testing.T) {
	s := newServer(t)
	ours := s.newClient()
	theirs := client{server: s, credential: s.newCredential(s.newStore("Theirs"), auth.All), version: "1.0.3"}
	id := ours.mustPost(statement())[0]
	theirs.do("GET", query("statementId", id), "").want(t, 404)
	if got := theirs.do("GET", "", "").result(t); len(got.Statements) != 0 {
		t.Errorf("another store lists our statements: %v", got.Statements)
	}
	// The id is free there: whether it is taken here is not told.
	theirs.do("PUT", query("statementId", id), statement(`"verb":{"id":"http://example.com/verbs/theirs"}`)).want(t, 204)
	ours.mustPost(batch(statement(), statement()))
	more := ours.do("GET", "?limit=1", "").result(t).More
	theirs.send(ours.get(more, theirs.credential)).want(t, 400)
}

func TestNothingWithoutCredentials(t *testing.T) {
	c := newServer(t).newClient()
	c.secret = "wrong"
	for _, method := range []string{"GET", "HEAD", "POST", "PUT"} {
		a := c.do(method, query("statementId", uuid()), statement())
		if a.StatusCode != 401 || a.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: got %d with WWW-Authenticate %q, want 401", method, a.StatusCode, a.Header.Get("WWW-Authenticate"))
		}
	}
}

func TestPutByForm(t *testing.T) {
	c := newServer(t).newClient()
	id := uuid()
	body := statement(withID(id), `"result":{"response":"für alle ✓ & mehr + 100 %"}`)
	form := url.Values{
		"statementId": {id}, "content": {body}, "Content-Type": {"application/json"}, "X-Experience-API-Version": {"1.0.3"},
		"Authorization": {basic(c.credential)},
	}
	r := httptest.NewRequest("POST", "/xapi/statements?method=PUT", strings.NewReader(form.Encode()))
	c.send(r).want(t, 204)
	got := c.do("GET", query("statementId", id), "")
	if !strings.Contains(got.body, `"für alle ✓ & mehr + 100 %"`) {
		t.Errorf("not verbatim: %s", got.body)
	}
}

func TestVersionsOfStatements(t *testing.T) {
	c := newServer(t).newClient()
	v2 := c
	v2.version = "2.0.0"
	contextAgents := `"context":{"contextAgents":[{"objectType":"contextAgent","agent":{"mbox":"mailto:coach@example.com"},"relevantTypes":["http://example.com/coach"]}]}`
	c.do("POST", "", statement(contextAgents)).want(t, 400)
	id := v2.mustPost(statement(contextAgents, `"timestamp":"2026-05-01T10:00:00.123456+02:00"`))[0]
	under1, under2 := c.do("GET", query("statementId", id), ""), v2.do("GET", query("statementId", id), "")
	if under1.body != under2.body || !strings.Contains(under1.body, contextAgents) {
		t.Errorf("read under 1.0.3 it is not the same:\n%s\n%s", under1.body, under2.body)
	}
	if got := member(t, under1.body, "timestamp"); got != "2026-05-01T08:00:00.123456Z" {
		t.Errorf("timestamp: got %s", got)
	}
	if got := member(t, under1.body, "version"); got != "2.0.0" {
		t.Errorf("version: got %s", got)
	}
}

func TestLogHoldsNoLearner(t *testing.T) {
	c := newServer(t).newClient()
	c.mustPost(statement(`"actor":{"mbox":"mailto:canary@example.com","name":"canary"}`))
	c.do("GET", query("agent", `{"mbox":"mailto:canary@example.com"}`), "").want(t, 200)
	c.do("GET", query("agent", `{"mbox":"canary"}`), "").want(t, 400)
	c.do("POST", "", statement(`"canary":1`)).want(t, 400)
	log := c.log.String()
	if strings.Contains(log, "canary") || strings.Contains(log, c.secret) {
		t.Errorf("the log repeats what was sent: %s", log)
	}
	for _, part := range []string{`"route":"statements"`, `"store":"` + c.store.ID + `"`, `"writeUnits":`, `"status":400`} {
		if !strings.Contains(log, part) {
			t.Errorf("%s is missing in the log: %s", part, log)
		}
	}
}

func TestLargeBodies(t *testing.T) {
	c := newServer(t).newClient()
	large := statement(fmt.Sprintf(`"result":{"response":"%s"}`, strings.Repeat("ä", 50_000)))
	id := c.mustPost(large)[0]
	if got := c.do("GET", query("statementId", id), ""); !strings.Contains(got.body, strings.Repeat("ä", 50_000)) {
		t.Error("a statement of 100 kB does not come back whole")
	}
	refused := c.do("POST", "", statement(fmt.Sprintf(`"result":{"response":"%s"}`, strings.Repeat("a", 6_000_000))))
	refused.want(t, 413)
	if got := refused.message(t); !strings.Contains(got, "6000000 bytes") || !strings.Contains(got, "cairn import") {
		t.Errorf("the 413 names neither limit nor way out: %q", got)
	}
}

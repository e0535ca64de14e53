package httpapi_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/requirements"
)

// get makes a GET of an IRL that the server gave, with a credential.
func (c client) get(irl string, as credential) *http.Request {
	r := httptest.NewRequest("GET", irl, nil)
	r.SetBasicAuth(as.key, as.secret)
	r.Header.Set("X-Experience-API-Version", "1.0.3")
	return r
}

func basic(c credential) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(c.key+":"+c.secret))
}

func TestParametersOfGet(t *testing.T) {
	c := newServer(t).newClient()
	live := c.mustPost(statement())[0]
	agent := `{"mbox":"mailto:learner@example.com"}`
	tests := []struct {
		name, query string
		status      int
		message     string // a part of it
	}{
		{"none", "", 200, ""},
		{"every one", query("agent", agent, "verb", "http://a.example/v", "activity", "http://Course_ID2", "registration", uuid(),
			"related_agents", "true", "related_activities", "false", "since", "2020-01-01T00:00:00Z", "until", "2099-01-01T00:00:00.123456+02:00",
			"limit", "3", "format", "ids", "attachments", "false", "ascending", "true"), 200, ""},
		{"unknown", "?foo=1", 400, `"foo" is not known here`},
		{"LIMIT", "?LIMIT=1", 400, `must be written "limit"`},
		{"StatementId", query("StatementId", live), 400, `must be written "statementId"`},
		{"profileId", "?profileId=x", 400, "not known here"},
		{"method without POST", "?method=GET", 400, "not known here"},
		{"limit 0", "?limit=0", 200, ""},
		{"limit above the maximum", "?limit=100000", 200, ""},
		{"limit beyond every integer", "?limit=99999999999999999999", 200, ""},
		{"limit negative", "?limit=-1", 400, "non-negative integer"},
		{"limit with a sign", "?limit=%2B1", 400, "non-negative integer"},
		{"limit fractional", "?limit=1.5", 400, "non-negative integer"},
		{"limit no number", "?limit=many", 400, "non-negative integer"},
		{"limit empty", "?limit=", 400, "non-negative integer"},
		{"boolean in capitals", "?ascending=True", 400, "true or false"},
		{"boolean 1", "?related_agents=1", 400, "true or false"},
		{"boolean empty", "?related_activities=", 400, "true or false"},
		{"boolean yes", "?attachments=yes", 400, "true or false"},
		{"format", "?format=IDS", 400, "ids, exact or canonical"},
		{"since no timestamp", "?since=yesterday", 400, "not a timestamp"},
		{"until with -00:00", "?until=2020-01-01T00:00:00-00:00", 400, "not a timestamp"},
		{"since whose + became a space", "?since=2020-01-01T00:00:00+02:00", 400, "%2B"},
		{"verb without a scheme", "?verb=did", 400, "parameter verb"},
		{"activity without a scheme", "?activity=one", 400, "parameter activity"},
		{"registration", "?registration=1", 400, "parameter registration is not a UUID"},
		{"agent no JSON", "?agent=learner", 400, "parameter agent: the JSON is not valid"},
		{"agent without identifier", query("agent", `{"name":"x"}`), 400, "parameter agent"},
		{"anonymous group", query("agent", `{"objectType":"Group","member":[{"mbox":"mailto:a@b.example"}]}`), 400, "parameter agent"},
		{"identified group", query("agent", `{"objectType":"Group","mbox":"mailto:a@b.example"}`), 200, ""},
		{"statementId", query("statementId", live), 200, ""},
		{"statementId in capitals", query("statementId", strings.ToUpper(live)), 200, ""},
		{"statementId with format and attachments", query("statementId", live, "format", "ids", "attachments", "true"), 200, ""},
		{"statementId with limit", query("statementId", live, "limit", "1"), 400, "only format and attachments"},
		{"statementId with ascending", query("statementId", live, "ascending", "true"), 400, "only format and attachments"},
		{"voidedStatementId with agent", query("voidedStatementId", live, "agent", agent), 400, "only format and attachments"},
		{"both ids", query("statementId", live, "voidedStatementId", live), 400, "exclude each other"},
		{"statementId no UUID", "?statementId=1", 400, "not a UUID"},
		{"statementId as a URN", query("statementId", "urn:uuid:"+live), 400, "not a UUID"},
		{"statementId with a wrong format", query("statementId", live, "format", "x"), 400, "ids, exact or canonical"},
		{"unknown statement", query("statementId", uuid()), 404, "no such statement"},
		{"voidedStatementId of a live one", query("voidedStatementId", live), 404, "no such voided statement"},
		{"voidedStatementId of an unknown one", query("voidedStatementId", uuid()), 404, "no such voided statement"},
		{"more that is none of ours", "?more=abc", 400, ""},
		{"more empty", "?more=", 400, ""},
		{"more with limit", "?more=abc&limit=1", 400, "beside the parameter more"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, method := range []string{"GET", "HEAD"} {
				a := c.do(method, test.query, "")
				a.want(t, test.status)
				through := a.Header.Values("X-Experience-API-Consistent-Through")
				if len(through) != 1 {
					t.Fatalf("%s: got %d Consistent-Through headers, want 1", method, len(through))
				}
				if at, err := time.Parse(time.RFC3339, through[0]); err != nil || at.After(c.now()) || c.now().Sub(at) > time.Minute {
					t.Errorf("%s: Consistent-Through is %s: %v", method, through[0], err)
				}
				if method == "GET" && test.message != "" && !strings.Contains(a.message(t), test.message) {
					t.Errorf("message: got %q, want %q in it", a.message(t), test.message)
				}
				if method == "HEAD" && a.body != "" {
					t.Errorf("HEAD has a body: %s", a.body)
				}
			}
		})
	}
}

func TestConsistentThroughIsTrue(t *testing.T) {
	c := newServer(t).newClient()
	for range 20 {
		id := c.mustPost(statement())[0]
		stored := member(t, c.do("GET", query("statementId", id), "").body, "stored")
		time.Sleep(2 * time.Millisecond) // the millisecond of the statement has to pass before it can be announced
		a := c.do("GET", "?limit=1", "")
		if through := a.Header.Get("X-Experience-API-Consistent-Through"); through < stored {
			t.Fatalf("Consistent-Through %s is older than a statement stored at %s", through, stored)
		}
		if got := a.result(t).ids(t); got[0] != id {
			t.Fatalf("what Consistent-Through promises is not listed: got %s, want %s", got[0], id)
		}
	}
	for _, a := range []answer{
		c.do("POST", "", statement()), c.do("PUT", query("statementId", uuid()), statement()), c.do("POST", "", "{"), c.do("DELETE", "", ""),
	} {
		if a.Header.Get("X-Experience-API-Consistent-Through") == "" {
			t.Errorf("status %d has no Consistent-Through", a.StatusCode)
		}
	}
}

func TestVoiding(t *testing.T) {
	c := newServer(t).newClient()
	target, void := uuid(), uuid()
	c.mustPost(statement(withID(target)))
	c.mustPost(statement(withID(void), `"verb":{"id":"http://adlnet.gov/expapi/verbs/voided"}`, `"object":{"objectType":"StatementRef","id":"`+target+`"}`))
	c.do("GET", query("statementId", target), "").want(t, 404)
	c.do("GET", query("voidedStatementId", target), "").want(t, 200)
	c.do("GET", query("voidedStatementId", void), "").want(t, 404)
	c.do("GET", query("statementId", void), "").want(t, 200)
	if diff := cmp.Diff([]string{void}, c.do("GET", "", "").result(t).ids(t)); diff != "" {
		t.Errorf("list:\n%s", diff)
	}
}

// walk follows more to the end and returns the ids in the order that they came in.
func (c client) walk(query string) (ids []string, pages int) {
	c.t.Helper()
	a := c.do("GET", query, "")
	for {
		r := a.result(c.t)
		ids = append(ids, r.ids(c.t)...)
		if pages++; r.More == "" {
			return ids, pages
		}
		if !strings.HasPrefix(r.More, "/xapi/statements?more=") {
			c.t.Fatalf("more is not a relative IRL with full path: %s", r.More)
		}
		a = c.send(c.get(r.More, c.credential))
	}
}

func TestPaging(t *testing.T) {
	c := newServer(t).newClient()
	var statements []string
	for range 25 {
		statements = append(statements, statement(withID(uuid())))
	}
	stored := c.mustPost(batch(statements...))
	newest := slices.Clone(stored)
	slices.Reverse(newest)
	for _, test := range []struct {
		query string
		want  []string
		pages int
	}{
		{"?limit=10", newest, 3},
		{"?limit=25", newest, 1},
		{"?limit=1", newest, 25},
		{"?limit=7&ascending=true", stored, 4},
		{"?limit=7&format=ids", newest, 4},
		{"?limit=0", newest, 1},
		{query("limit", "4", "verb", "http://example.com/verbs/did", "activity", "http://example.com/activities/one"), newest, 7},
		{query("verb", "http://example.com/verbs/other"), nil, 1},
	} {
		ids, pages := c.walk(test.query)
		if diff := cmp.Diff(test.want, ids); diff != "" {
			t.Errorf("%s:\n%s", test.query, diff)
		}
		// A last page that is exactly full may be followed by an empty one.
		if pages != test.pages && pages != test.pages+1 {
			t.Errorf("%s: got %d pages, want %d", test.query, pages, test.pages)
		}
	}
	if got := c.do("GET", query("verb", "http://example.com/verbs/other"), "").body; got != `{"statements":[],"more":""}` {
		t.Errorf("empty list: got %s", got)
	}
}

func TestMoreAfterADayAndARotation(t *testing.T) {
	c := newServer(t).newClient()
	var statements []string
	for range 4 {
		statements = append(statements, statement(withID(uuid()), `"actor":{"name":"Lena","mbox":"mailto:lena@example.com"}`))
	}
	stored := c.mustPost(batch(statements...))
	first := c.do("GET", "?limit=2&ascending=true&format=ids&attachments=true", "")
	first.want(t, 200)
	parts := readMultipart(t, first)
	more := parseResult(t, string(parts[0].body)).More

	c.advance(24 * time.Hour)
	secret, err := c.directory.RotateSecret(context.Background(), c.key)
	if err != nil {
		t.Fatal(err)
	}
	c.secret = secret
	second := c.send(c.get(more, c.credential))
	second.want(t, 200)
	page := parseResult(t, string(readMultipart(t, second)[0].body))
	if diff := cmp.Diff(stored[2:], page.ids(t)); diff != "" {
		t.Errorf("second page:\n%s", diff)
	}
	for _, got := range page.Statements {
		if strings.Contains(string(got), "Lena") || !strings.Contains(string(got), "mailto:lena@example.com") {
			t.Errorf("not in the format of the first page: %s", got)
		}
	}

	// The query may have come as a form; more is a plain GET all the same, and of the same credential only.
	r := httptest.NewRequest("POST", "/xapi/statements?method=GET", strings.NewReader("limit=1&X-Experience-API-Version=1.0.3"))
	r.SetBasicAuth(c.key, c.secret)
	c.send(c.get(c.send(r).result(t).More, c.credential)).want(t, 200)
	other := c.newCredential(c.store, auth.All)
	if got := c.send(c.get(more, other)); got.StatusCode != 400 {
		t.Errorf("a cursor of another credential: got %d, want 400", got.StatusCode)
	}
}

func TestLastModified(t *testing.T) {
	c := newServer(t).newClient()
	var stored []string
	for range 3 {
		id := c.mustPost(statement())[0]
		stored = append(stored, member(t, c.do("GET", query("statementId", id), "").body, "stored"))
		c.advance(2 * time.Second)
	}
	for _, test := range []struct{ query, newest string }{
		{"", stored[2]},
		{"?ascending=true", stored[2]},
		{"?limit=2&ascending=true", stored[1]},
		{"?limit=1", stored[2]},
	} {
		want, err := time.Parse(time.RFC3339, test.newest)
		if err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{"GET", "HEAD"} {
			if got := c.do(method, test.query, "").Header.Get("Last-Modified"); got != want.Format(http.TimeFormat) {
				t.Errorf("%s %s: got %q, want %q", method, test.query, got, want.Format(http.TimeFormat))
			}
		}
	}
	if got := c.do("GET", "?verb=http://nobody.example", "").Header.Values("Last-Modified"); len(got) != 0 {
		t.Errorf("an empty list was modified: %v", got)
	}
	requirements.Met(t, "L4.1.6.1-30")
}

func TestFormats(t *testing.T) {
	c := newServer(t).newClient()
	activity := func(name string) string {
		return `"object":{"objectType":"Activity","id":"http://example.com/activities/named","definition":{"name":{` + name + `}}}`
	}
	id := c.mustPost(statement(`"actor":{"name":"Lena","mbox":"mailto:lena@example.com"}`, activity(`"de":"Eins"`)))[0]
	c.mustPost(statement(activity(`"en-US":"One"`)))

	get := func(format string, header ...string) string {
		t.Helper()
		a := c.do("GET", query("statementId", id, "format", format), "", header...)
		a.want(t, 200)
		return a.body
	}
	if got := get("exact"); !strings.Contains(got, `"name":"Lena"`) || !strings.Contains(got, `{"de":"Eins"}`) {
		t.Errorf("exact: %s", got)
	}
	if got := get("ids"); strings.Contains(got, "Lena") || strings.Contains(got, "definition") || !strings.Contains(got, "mailto:lena@example.com") {
		t.Errorf("ids: %s", got)
	}
	for language, want := range map[string]string{"de": "Eins", "en": "One", "de;q=0.1, en-US": "One", "fr, de;q=0.5, *;q=0.1": "Eins"} {
		got := get("canonical", "Accept-Language: "+language)
		if !strings.Contains(got, want) || strings.Contains(got, "Eins") && strings.Contains(got, "One") {
			t.Errorf("canonical in %q: want %s alone: %s", language, want, got)
		}
	}
	plain := get("canonical")
	if strings.Contains(plain, "Eins") == strings.Contains(plain, "One") {
		t.Errorf("canonical without Accept-Language: want exactly one language: %s", plain)
	}
	list := c.do("GET", "?format=canonical", "", "Accept-Language: de")
	if !strings.Contains(list.body, "Eins") || strings.Contains(list.body, "One") || !strings.Contains(strings.Join(list.Header.Values("Vary"), ","), "Accept-Language") {
		t.Errorf("canonical list: Vary %v: %s", list.Header.Values("Vary"), list.body)
	}

	// An equal statement sent again with another definition changes nothing.
	c.do("PUT", query("statementId", id), statement(`"actor":{"name":"Lena","mbox":"mailto:lena@example.com"}`, activity(`"de":"Zwei"`))).want(t, 204)
	if got := get("canonical", "Accept-Language: de"); !strings.Contains(got, "Eins") {
		t.Errorf("a re-send changed the definition: %s", got)
	}
}

func TestCompression(t *testing.T) {
	c := newServer(t).newClient()
	var statements []string
	for range 20 {
		statements = append(statements, statement(fmt.Sprintf(`"result":{"response":"%s"}`, strings.Repeat("x", 200))))
	}
	id := c.mustPost(batch(statements...))[0]
	plain := c.do("GET", "", "")
	for _, test := range []struct {
		accept string
		gzip   bool
	}{
		{"gzip", true}, {"gzip, deflate, br", true}, {"GZIP", true}, {"*;q=0.5, gzip", true},
		{"", false}, {"identity", false}, {"gzip;q=0", false}, {"br", false}, {"identity, gzip", false},
	} {
		a := c.do("GET", "", "", "Accept-Encoding: "+test.accept)
		a.want(t, 200)
		if got := a.Header.Get("Content-Encoding") == "gzip"; got != test.gzip {
			t.Errorf("%q: compressed %t, want %t", test.accept, got, test.gzip)
		}
		if !strings.Contains(a.Header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%q: Vary is %q", test.accept, a.Header.Get("Vary"))
		}
		body := a.body
		if test.gzip {
			z, err := gzip.NewReader(strings.NewReader(a.body))
			if err != nil {
				t.Fatal(err)
			}
			unpacked, err := io.ReadAll(z)
			if err != nil {
				t.Fatal(err)
			}
			body = string(unpacked)
		}
		if body != plain.body {
			t.Errorf("%q: another body", test.accept)
		}
		if got := a.Header.Get("Content-Length"); got != fmt.Sprint(len(a.body)) {
			t.Errorf("%q: Content-Length %s of %d bytes", test.accept, got, len(a.body))
		}
	}
	for _, q := range []string{query("statementId", id), "?attachments=true", "?limit=1"} {
		if a := c.do("GET", q, "", "Accept-Encoding: gzip"); a.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s is compressed", q)
		}
	}
}

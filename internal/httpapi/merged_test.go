package httpapi_test

import (
	"crypto/sha1"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
)

// This file tests the resources of what is merged from statements: activities and agents.

// ask sends a request without a body to a resource. Header lines are "Name: value".
func (c client) ask(method, resource string, header ...string) answer {
	c.t.Helper()
	r := c.get("/xapi"+resource, c.credential)
	r.Method = method
	r.Header.Set("X-Experience-API-Version", c.version)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ":")
		r.Header.Set(name, strings.TrimSpace(value))
	}
	return c.send(r)
}

func TestActivities(t *testing.T) {
	c := newServer(t).newClient()
	const one = "http://example.com/activities/one"
	c.mustPost(batch(
		statement(`"object":{"id":"`+one+`","definition":{"name":{"en":"One","de":"Eins"},"type":"http://example.com/course","extensions":{"http://x.example/e":1.0}}}`),
		statement(`"object":{"id":"`+one+`","definition":{"name":{"en":"The one"}}}`),
		statement(`"object":{"id":"http://example.com/seen"}`),
	))
	for _, version := range []string{"1.0.3", "2.0.0"} {
		c.version = version
		for _, test := range []struct{ name, id, want string }{
			{"merged, in every language", one, `{"objectType":"Activity","id":"` + one + `","definition":{"extensions":{"http://x.example/e":1.0},"name":{"de":"Eins","en":"The one"},"type":"http://example.com/course"}}`},
			{"seen without a definition", "http://example.com/seen", `{"objectType":"Activity","id":"http://example.com/seen"}`},
			{"never seen", "http://example.com/ünseen?a=b&c", `{"objectType":"Activity","id":"http://example.com/ünseen?a=b&c"}`},
		} {
			t.Run(version+" "+test.name, func(t *testing.T) {
				got := c.ask("GET", "/activities"+query("activityId", test.id), "Accept-Language: de")
				got.want(t, 200)
				if diff := cmp.Diff(test.want, got.body); diff != "" {
					t.Errorf("activity (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestActivityOfAWriteJustBefore(t *testing.T) {
	c := newServer(t).newClient()
	for n := range 20 {
		c.mustPost(statement(fmt.Sprintf(`"object":{"id":"http://example.com/a","definition":{"name":{"en":"Title %d"}}}`, n)))
		if got := c.ask("GET", "/activities?activityId=http://example.com/a"); !strings.Contains(got.body, fmt.Sprintf("Title %d", n)) {
			t.Fatalf("after title %d: %s", n, got.body)
		}
		c.mustPost(statement(fmt.Sprintf(`"actor":{"mbox":"mailto:a@example.com","name":"Name %d"}`, n)))
		if got := c.ask("GET", "/agents"+query("agent", `{"mbox":"mailto:a@example.com"}`)); !strings.Contains(got.body, fmt.Sprintf(`"name":["Name %d"`, n)) {
			t.Fatalf("after name %d: %s", n, got.body)
		}
	}
}

func TestAgents(t *testing.T) {
	c := newServer(t).newClient()
	hash := fmt.Sprintf("%x", sha1.Sum([]byte("mailto:learner@example.com")))
	c.mustPost(batch(
		statement(`"actor":{"mbox":"mailto:learner@example.com","name":"A Learner"}`),
		statement(`"actor":{"mbox_sha1sum":"`+hash+`","name":"B Learner"}`),
		statement(`"actor":{"account":{"homePage":"http://lms.example.com","name":"7"},"name":"\u003cSeven\" "}`),
		statement(`"actor":{"openid":"http://open.example.com/id"}`),
		statement(`"actor":{"objectType":"Group","mbox":"mailto:team@example.com","name":"The team"}`),
	))
	for _, test := range []struct{ name, agent, want string }{
		{"mbox", `{"mbox":"mailto:learner@example.com"}`, `{"objectType":"Person","name":["B Learner","A Learner"],"mbox":["mailto:learner@example.com"]}`},
		{"the hash does not tell the mbox", `{"mbox_sha1sum":"` + hash + `"}`, `{"objectType":"Person","name":["B Learner","A Learner"],"mbox_sha1sum":["` + hash + `"]}`},
		{"account", `{"objectType":"Agent","account":{"name":"7","homePage":"http://lms.example.com"}}`,
			`{"objectType":"Person","name":["<Seven\" "],"account":[{"homePage":"http://lms.example.com","name":"7"}]}`},
		{"openid, never named", `{"openid":"http://open.example.com/id"}`, `{"objectType":"Person","openid":["http://open.example.com/id"]}`},
		{"an Agent with the identifier of a Group", `{"mbox":"mailto:team@example.com"}`, `{"objectType":"Person","name":["The team"],"mbox":["mailto:team@example.com"]}`},
		{"never seen", `{"mbox":"mailto:nobody@example.com"}`, `{"objectType":"Person","mbox":["mailto:nobody@example.com"]}`},
		{"never seen, asked with a name", `{"name":"Nobody","mbox":"mailto:nobody@example.com"}`, `{"objectType":"Person","name":["Nobody"],"mbox":["mailto:nobody@example.com"]}`},
		{"asked with a name that is known", `{"name":"A Learner","mbox":"mailto:learner@example.com"}`, `{"objectType":"Person","name":["B Learner","A Learner"],"mbox":["mailto:learner@example.com"]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, version := range []string{"1.0.3", "2.0.0"} {
				c.version = version
				got := c.ask("GET", "/agents"+query("agent", test.agent))
				got.want(t, 200)
				if diff := cmp.Diff(test.want, got.body); diff != "" {
					t.Errorf("%s: person (-want +got):\n%s", version, diff)
				}
			}
		})
	}
}

func TestParametersOfActivitiesAndAgents(t *testing.T) {
	c := newServer(t).newClient()
	const agent = `{"mbox":"mailto:learner@example.com"}`
	for _, test := range []struct {
		name, method, resource string
		status                 int
		message                string // a part of it
	}{
		{"activity", "GET", "/activities?activityId=http://Course_ID2", 200, ""},
		{"trailing slash", "GET", "//activities/?activityId=http://a.example", 200, ""},
		{"no activityId", "GET", "/activities", 400, "parameter activityId is missing"},
		{"empty activityId", "GET", "/activities?activityId=", 400, "not an IRI"},
		{"activityId without a scheme", "GET", "/activities?activityId=one", 400, "not an IRI"},
		{"activityId with a space", "GET", "/activities?activityId=http://a+b", 400, "not an IRI"},
		{"activityId in another case", "GET", "/activities?activityid=http://a.example", 400, `must be written "activityId"`},
		{"activityId twice", "GET", "/activities?activityId=http://a.example&activityId=http://b.example", 400, "twice"},
		{"agent of an activity", "GET", "/activities" + query("activityId", "http://a.example", "agent", agent), 400, "not known here"},
		{"PUT of an activity", "PUT", "/activities?activityId=http://a.example", 400, "GET, HEAD, OPTIONS"},

		{"agent", "GET", "/agents" + query("agent", agent), 200, ""},
		{"no agent", "GET", "/agents", 400, "parameter agent is missing"},
		{"empty agent", "GET", "/agents?agent=", 400, "parameter agent"},
		{"agent no JSON", "GET", "/agents?agent=learner", 400, "parameter agent"},
		{"agent null", "GET", "/agents?agent=null", 400, "parameter agent"},
		{"agent without identifier", "GET", "/agents" + query("agent", `{"name":"x"}`), 400, "parameter agent"},
		{"agent with two", "GET", "/agents" + query("agent", `{"mbox":"mailto:a@b.example","openid":"http://c.example"}`), 400, "parameter agent"},
		{"agent in the wrong case", "GET", "/agents" + query("agent", `{"Mbox":"mailto:a@b.example"}`), 400, "parameter agent"},
		{"person as agent", "GET", "/agents" + query("agent", `{"objectType":"Person","mbox":["mailto:a@b.example"]}`), 400, "parameter agent"},
		{"identified group", "GET", "/agents" + query("agent", `{"objectType":"Group","mbox":"mailto:a@b.example"}`), 400, "not a Group"},
		{"anonymous group", "GET", "/agents" + query("agent", `{"objectType":"Group","member":[`+agent+`]}`), 400, "parameter agent"},
		{"Agent", "GET", "/agents" + query("Agent", agent), 400, `must be written "agent"`},
		{"activity of an agent", "GET", "/agents" + query("agent", agent, "activityId", "http://a.example"), 400, "not known here"},
		{"POST of an agent", "POST", "/agents" + query("agent", agent), 400, "GET, HEAD, OPTIONS"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := c.ask(test.method, test.resource)
			got.want(t, test.status)
			if got.Header.Get("X-Experience-API-Version") != "1.0.3" {
				t.Errorf("version %q", got.Header.Get("X-Experience-API-Version"))
			}
			if test.message != "" && !strings.Contains(got.message(t), test.message) {
				t.Errorf("message %q lacks %q", got.message(t), test.message)
			}
		})
	}
}

// The entity tag is the quoted SHA-1 of what comes, HEAD says what GET does, and preconditions are looked at.
func TestTagsOfActivitiesAndAgents(t *testing.T) {
	c := newServer(t).newClient()
	c.mustPost(statement(`"actor":{"mbox":"mailto:learner@example.com","name":"A Learner"}`, `"object":{"id":"http://a.example","definition":{"name":{"en":"`+strings.Repeat("long ", 1000)+`"}}}`))
	for _, resource := range []string{"/activities?activityId=http://a.example", "/agents" + query("agent", `{"mbox":"mailto:learner@example.com"}`)} {
		got := c.ask("GET", resource, "Accept-Encoding: gzip")
		got.want(t, 200)
		tag := fmt.Sprintf(`"%x"`, sha1.Sum([]byte(got.body)))
		head := c.ask("HEAD", resource)
		head.want(t, 200)
		if head.body != "" {
			t.Errorf("HEAD %s has the body %q", resource, head.body)
		}
		for name, want := range map[string]string{
			"ETag": tag, "Content-Type": "application/json", "Content-Length": fmt.Sprint(len(got.body)), "Content-Encoding": "",
			"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
		} {
			if got.Header.Get(name) != want || head.Header.Get(name) != want {
				t.Errorf("%s: %s: GET %q, HEAD %q, want %q", resource, name, got.Header.Get(name), head.Header.Get(name), want)
			}
		}
		for header, status := range map[string]int{
			"If-None-Match: " + tag: 304, `If-None-Match: "other"`: 200, "If-Match: " + tag: 200, `If-Match: "other"`: 412,
		} {
			if a := c.ask("GET", resource, header); a.StatusCode != status || status != 200 && strings.Contains(a.body, "learner") {
				t.Errorf("%s with %s: got %d, want %d: %s", resource, header, a.StatusCode, status, a.body)
			}
		}
	}
}

func TestScopesOfActivitiesAndAgents(t *testing.T) {
	s := newServer(t)
	for _, test := range []struct {
		scopes auth.Scopes
		status int
	}{
		{auth.Scopes{auth.All}, 200},
		{auth.Scopes{auth.AllRead}, 200},
		{auth.Scopes{auth.StatementsRead}, 200},
		{auth.Scopes{auth.StatementsReadMine}, 403},
		{auth.Scopes{auth.StatementsWrite, auth.Define}, 403},
		{auth.Scopes{auth.State, auth.Profile}, 403},
	} {
		t.Run(test.scopes.String(), func(t *testing.T) {
			c := client{server: s, credential: s.newCredential(s.store, test.scopes...), version: "1.0.3"}
			c.ask("GET", "/activities?activityId=http://a.example").want(t, test.status)
			c.ask("GET", "/agents"+query("agent", `{"mbox":"mailto:a@b.example"}`)).want(t, test.status)
		})
	}
	nobody := client{server: s, credential: credential{"nobody", "x"}, version: "1.0.3"}
	nobody.ask("GET", "/activities?activityId=http://a.example").want(t, 401)
	nobody.ask("GET", "/agents"+query("agent", `{"mbox":"mailto:a@b.example"}`)).want(t, 401)
}

// Without the scope define, statements are stored and say nothing of activities and agents.
func TestStatementsWithoutDefine(t *testing.T) {
	s := newServer(t)
	reader := s.newClient()
	for _, test := range []struct {
		scopes auth.Scopes
		title  bool
	}{
		{auth.Scopes{auth.StatementsWrite}, false},
		{auth.Scopes{auth.StatementsWrite, auth.Profile, auth.State, auth.AllRead}, false},
		{auth.Scopes{auth.StatementsWrite, auth.Define}, true},
		{auth.Scopes{auth.All}, true},
	} {
		t.Run(test.scopes.String(), func(t *testing.T) {
			c := client{server: s, credential: s.newCredential(s.store, test.scopes...), version: "1.0.3"}
			address := "mailto:" + c.key + "@example.com"
			id := c.mustPost(statement(`"actor":{"mbox":"`+address+`","name":"A Name"}`, `"object":{"id":"x:`+c.key+`","definition":{"name":{"en":"A Title"}}}`))[0]
			if got := reader.ask("GET", "/activities?activityId=x:"+c.key); strings.Contains(got.body, "A Title") != test.title {
				t.Errorf("activity: %s", got.body)
			}
			if got := reader.ask("GET", "/agents"+query("agent", `{"mbox":"`+address+`"}`)); strings.Contains(got.body, "A Name") != test.title {
				t.Errorf("person: %s", got.body)
			}
			if got := reader.do("GET", query("statementId", id), ""); !strings.Contains(got.body, "A Name") || !strings.Contains(got.body, "A Title") {
				t.Errorf("the statement is not verbatim: %s", got.body)
			}
		})
	}
}

// What one store's statements say is not known in another.
func TestActivitiesAndAgentsAreApart(t *testing.T) {
	s := newServer(t)
	s.newClient().mustPost(statement(`"actor":{"mbox":"mailto:learner@example.com","name":"Canary"}`, `"object":{"id":"http://a.example","definition":{"name":{"en":"Canary"}}}`))
	theirs := client{server: s, credential: s.newCredential(s.newStore("Theirs"), auth.All), version: "1.0.3"}
	for _, resource := range []string{"/activities?activityId=http://a.example", "/agents" + query("agent", `{"mbox":"mailto:learner@example.com"}`)} {
		got := theirs.ask("GET", resource)
		got.want(t, 200)
		if strings.Contains(got.body, "Canary") {
			t.Errorf("%s tells another store: %s", resource, got.body)
		}
	}
}

func TestAgentByForm(t *testing.T) {
	c := newServer(t).newClient()
	c.mustPost(statement(`"actor":{"mbox":"mailto:learner+1@example.com","name":"Älter & Söhne"}`))
	form := url.Values{
		"agent": {`{"mbox":"mailto:learner+1@example.com"}`}, "X-Experience-API-Version": {"1.0.2"}, "Authorization": {basic(c.credential)},
	}
	got := c.send(httptest.NewRequest("POST", "/xapi/agents?method=GET", strings.NewReader(form.Encode())))
	got.want(t, 200)
	if !strings.Contains(got.body, `"name":["Älter & Söhne"]`) {
		t.Errorf("person: %s", got.body)
	}
}

// Names and addresses stay out of the log.
func TestLogHoldsNoPerson(t *testing.T) {
	c := newServer(t).newClient()
	c.mustPost(statement(`"actor":{"mbox":"mailto:canary@example.com","name":"Canary"}`))
	c.ask("GET", "/agents"+query("agent", `{"mbox":"mailto:canary@example.com"}`)).want(t, 200)
	c.ask("GET", "/agents"+query("agent", `{"mbox":"canary"}`)).want(t, 400)
	c.ask("GET", "/agents"+query("canary", "x")).want(t, 400)
	log := c.log.String()
	if strings.Contains(strings.ToLower(log), "canary") || !strings.Contains(log, `"route":"agents"`) {
		t.Errorf("log: %s", log)
	}
}

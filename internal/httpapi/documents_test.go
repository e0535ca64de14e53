package httpapi_test

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
)

const (
	learner  = `{"mbox":"mailto:learner@example.com"}`
	activity = "http://Course_ID2"

	statePath           = "/xapi/activities/state"
	activityProfilePath = "/xapi/activities/profile"
	agentProfilePath    = "/xapi/agents/profile"
)

// documentResource is what the three resources differ in.
type documentResource struct {
	name, path string
	owner      []string // names and values of the parameters that name the owner
	id         string
}

var documentResources = []documentResource{
	{"state", statePath, []string{"activityId", activity, "agent", learner}, "stateId"},
	{"activityprofile", activityProfilePath, []string{"activityId", activity}, "profileId"},
	{"agentprofile", agentProfilePath, []string{"agent", learner}, "profileId"},
}

// one is the target of the document with this id.
func (d documentResource) one(id string, more ...string) string {
	return d.all(append([]string{d.id, id}, more...)...)
}

// all is the target of the owner's documents.
func (d documentResource) all(more ...string) string {
	return d.path + query(append(d.owner[:len(d.owner):len(d.owner)], more...)...)
}

func sha1Tag(content string) string {
	digest := sha1.Sum([]byte(content))
	return `"` + hex.EncodeToString(digest[:]) + `"`
}

func TestDocumentRoundTrip(t *testing.T) {
	for _, d := range documentResources {
		t.Run(d.name, func(t *testing.T) {
			c := newServer(t).newClient()
			for i, tt := range []struct{ contentType, body string }{
				{"application/json", " {\"b\":1.0,\"a\":[ ]} "},
				{"application/json; charset=utf-8", `{"a":1}`},
				{"text/html; charset=ISO-8859-1", "<script>alert(1)</script>"},
				{"Image/PNG", "\x89PNG\r\n\x00\xff"},
				{"text/plain", strings.Repeat("long ", 10_000)},
			} {
				target := d.one(fmt.Sprint("doc/ü?&#", i))
				put := c.request("PUT", target, tt.body, "Content-Type: "+tt.contentType, "If-None-Match: *")
				put.want(t, 204)
				get := c.request("GET", target, "", "Accept-Encoding: gzip, br")
				get.want(t, 200)
				head := c.request("HEAD", target, "")
				head.want(t, 200)
				if get.body != tt.body || head.body != "" || put.body != "" {
					t.Errorf("%s: got %d bytes, sent %d; HEAD has %d", tt.contentType, len(get.body), len(tt.body), len(head.body))
				}
				want := http.Header{
					"Etag": {sha1Tag(tt.body)}, "Content-Type": {tt.contentType}, "Content-Length": {fmt.Sprint(len(tt.body))},
					"Content-Security-Policy": {"sandbox; default-src 'none'; frame-ancestors 'none'"}, "X-Content-Type-Options": {"nosniff"},
					"Cache-Control": {"no-store"}, "X-Experience-Api-Version": {"1.0.3"}, "Content-Encoding": nil,
				}
				for name, values := range want {
					if diff := cmp.Diff(values, get.Header[name]) + cmp.Diff(values, head.Header[name]); diff != "" {
						t.Errorf("%s: header %s of GET and HEAD (-want +got):\n%s", tt.contentType, name, diff)
					}
				}
				for _, name := range []string{"Etag", "Last-Modified"} {
					if diff := cmp.Diff(get.Header[name], put.Header[name]); diff != "" || len(get.Header[name]) != 1 {
						t.Errorf("%s: header %s of GET and PUT:\n%s", tt.contentType, name, diff)
					}
				}
				modified, err := time.Parse(http.TimeFormat, get.Header.Get("Last-Modified"))
				if err != nil || c.now().Sub(modified) > time.Minute || modified.After(c.now()) {
					t.Errorf("Last-Modified: %v, %v", modified, err)
				}
			}
			list := c.request("GET", d.all(), "")
			list.want(t, 200)
			if want := `["doc/ü?&#0","doc/ü?&#1","doc/ü?&#2","doc/ü?&#3","doc/ü?&#4"]`; list.body != want || list.Header.Get("Etag") != sha1Tag(want) {
				t.Errorf("list: %s with ETag %s", list.body, list.Header.Get("Etag"))
			}
			del := c.request("DELETE", d.one("doc/ü?&#0"), "")
			del.want(t, 204)
			c.request("GET", d.one("doc/ü?&#0"), "").want(t, 404)
			c.request("DELETE", d.one("doc/ü?&#0"), "").want(t, 204)
		})
	}
}

func TestParametersOfDocuments(t *testing.T) {
	c := newServer(t).newClient()
	group, account := `{"objectType":"Group","mbox":"mailto:g@example.com"}`, `{"account":{"homePage":"http://a.example","name":"x"}}`
	tests := []struct {
		name, methods, target string
		status                int
		message               string
	}{
		{"state", "PUT POST GET DELETE", statePath + query("activityId", activity, "agent", learner, "stateId", "x"), 0, ""},
		{"state with registration", "PUT POST GET DELETE", statePath + query("activityId", activity, "agent", account, "stateId", "x", "registration", uuid()), 0, ""},
		{"states", "GET DELETE", statePath + query("activityId", activity, "agent", learner, "registration", uuid()), 0, ""},
		{"states since", "GET", statePath + query("activityId", activity, "agent", learner, "since", "2020-01-01T00:00:00Z"), 0, ""},
		{"activity profiles since", "GET", activityProfilePath + query("activityId", activity, "since", "2020-01-01T00:00:00.5+02:00"), 0, ""},
		{"agent profiles since", "GET", agentProfilePath + query("agent", learner, "since", "2020-01-01T00:00:00Z"), 0, ""},

		{"state without activity", "PUT POST GET DELETE", statePath + query("agent", learner, "stateId", "x"), 400, "activityId is missing"},
		{"state without agent", "PUT POST GET DELETE", statePath + query("activityId", activity, "stateId", "x"), 400, "agent is missing"},
		{"state without id", "PUT POST", statePath + query("activityId", activity, "agent", learner), 400, "stateId is missing"},
		{"state with an empty id", "PUT POST GET DELETE", statePath + query("activityId", activity, "agent", learner, "stateId", ""), 400, "stateId is missing or empty"},
		{"activity profile without id", "PUT POST DELETE", activityProfilePath + query("activityId", activity), 400, "profileId is missing"},
		{"agent profile without id", "PUT POST DELETE", agentProfilePath + query("agent", learner), 400, "profileId is missing"},
		{"activity profile without activity", "PUT POST GET DELETE", activityProfilePath + query("profileId", "x"), 400, "activityId is missing"},
		{"agent profile without agent", "PUT POST GET DELETE", agentProfilePath + query("profileId", "x"), 400, "agent is missing"},
		{"activity without a scheme", "PUT POST GET DELETE", statePath + query("activityId", "Course", "agent", learner, "stateId", "x"), 400, "not an IRI"},
		{"agent no JSON", "PUT POST GET DELETE", statePath + query("activityId", activity, "agent", "learner", "stateId", "x"), 400, "parameter agent"},
		{"agent without identifier", "PUT POST GET DELETE", agentProfilePath + query("agent", `{"name":"x"}`, "profileId", "x"), 400, "parameter agent"},
		{"agent with an unknown property", "PUT POST GET DELETE", agentProfilePath + query("agent", `{"mbox":"mailto:a@b.example","x":1}`, "profileId", "x"), 400, "parameter agent"},
		{"group as agent", "PUT POST GET DELETE", agentProfilePath + query("agent", group, "profileId", "x"), 400, "is a Group"},
		{"group as agent of a state", "PUT POST GET DELETE", statePath + query("activityId", activity, "agent", group, "stateId", "x"), 400, "is a Group"},
		{"anonymous group", "GET DELETE", statePath + query("activityId", activity, "agent", `{"objectType":"Group","member":[`+learner+`]}`), 400, "parameter agent"},
		{"registration no UUID", "PUT POST GET DELETE", statePath + query("activityId", activity, "agent", learner, "stateId", "x", "registration", "1"), 400, "not a UUID"},
		{"registration empty", "GET DELETE", statePath + query("activityId", activity, "agent", learner, "registration", ""), 400, "not a UUID"},
		{"registration of a profile", "PUT POST GET DELETE", activityProfilePath + query("activityId", activity, "profileId", "x", "registration", uuid()), 400, "not known here"},
		{"agent of an activity profile", "PUT POST GET DELETE", activityProfilePath + query("activityId", activity, "profileId", "x", "agent", learner), 400, "not known here"},
		{"activity of an agent profile", "PUT POST GET DELETE", agentProfilePath + query("agent", learner, "profileId", "x", "activityId", activity), 400, "not known here"},
		{"stateId and since", "GET", statePath + query("activityId", activity, "agent", learner, "stateId", "x", "since", "2020-01-01T00:00:00Z"), 400, "since is for lists"},
		{"profileId and since", "GET", agentProfilePath + query("agent", learner, "profileId", "x", "since", "2020-01-01T00:00:00Z"), 400, "since is for lists"},
		{"since of a write", "PUT POST DELETE", statePath + query("activityId", activity, "agent", learner, "stateId", "x", "since", "2020-01-01T00:00:00Z"), 400, "not known here"},
		{"since no timestamp", "GET", statePath + query("activityId", activity, "agent", learner, "since", "yesterday"), 400, "not a timestamp"},
		{"another case", "PUT POST GET DELETE", statePath + query("ActivityId", activity, "agent", learner, "stateId", "x"), 400, `must be written "activityId"`},
		{"of another resource", "PUT POST GET DELETE", statePath + query("activityId", activity, "agent", learner, "profileId", "x"), 400, "not known here"},
		{"an id that is too long", "PUT POST GET DELETE", statePath + query("activityId", activity, "agent", learner, "stateId", strings.Repeat("x", 1001)), 413, "1000 bytes"},
	}
	asked := 0
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for method := range strings.FieldsSeq(tt.methods) {
				asked++
				body := ""
				if method == "PUT" || method == "POST" {
					body = `{"a":1}`
				}
				header := []string{}
				if method == "PUT" {
					header = append(header, `If-None-Match: "x"`)
				}
				a := c.request(method, tt.target, body, header...)
				switch {
				case tt.status == 0 && a.StatusCode >= 300:
					t.Errorf("%s: %d: %s", method, a.StatusCode, a.body)
				case tt.status != 0 && (a.StatusCode != tt.status || !strings.Contains(a.message(t), tt.message)):
					t.Errorf("%s: got %d %s, want %d with %q", method, a.StatusCode, a.body, tt.status, tt.message)
				}
			}
		})
	}
	t.Logf("requests with right and wrong parameters: %d", asked)
}

func TestPreconditionsOfDocuments(t *testing.T) {
	const old = `{"old":1}`
	tag, other := sha1Tag(old), sha1Tag("other")
	type statuses struct{ put, post, del int }
	same := func(n int) statuses { return statuses{n, n, n} }
	type preconditionTest struct {
		name, header string
		there        bool
		want         statuses
	}
	tests := []preconditionTest{
		{"If-Match", "If-Match: " + tag, true, same(204)},
		{"If-Match in a list", "If-Match: " + other + ", " + tag, true, same(204)},
		{"If-Match without quotes", "If-Match: " + strings.Trim(tag, `"`), true, same(204)},
		{"If-Match of another", "If-Match: " + other, true, same(412)},
		{"If-Match weak", "If-Match: W/" + tag, true, same(412)},
		{"If-Match *", "If-Match: *", true, same(204)},
		{"If-Match, nothing there", "If-Match: " + tag, false, same(412)},
		{"If-Match *, nothing there", "If-Match: *", false, same(412)},
		{"If-None-Match *", "If-None-Match: *", true, same(412)},
		{"If-None-Match *, nothing there", "If-None-Match: *", false, same(204)},
		{"If-None-Match", "If-None-Match: " + tag, true, same(412)},
		{"If-None-Match weak", "If-None-Match: W/" + tag, true, same(412)},
		{"If-None-Match of another", "If-None-Match: " + other, true, same(204)},
		{"not readable", `If-Match: "a`, true, same(400)},
	}
	for _, d := range documentResources {
		for _, version := range []string{"1.0.3", "1.0.0", "2.0.0"} {
			tests := tests
			bare := map[bool]int{true: 409, false: 204} // of PUT on an existing one, and on a new one
			switch {
			case version == "2.0.0":
			case d.name == "state":
				bare[true] = 204
			default:
				bare[false] = 400
			}
			for there, status := range bare {
				tests = append(tests[:len(tests):len(tests)], preconditionTest{fmt.Sprint("none, there ", there), "", there, statuses{status, 204, 204}})
			}
			c := newServer(t).newClient()
			for i, tt := range tests {
				t.Run(d.name+"/"+version+"/"+tt.name, func(t *testing.T) {
					for method, want := range map[string]int{"PUT": tt.want.put, "POST": tt.want.post, "DELETE": tt.want.del} {
						c := c
						c.t, c.version = t, version
						target := d.one(fmt.Sprint(method, i))
						if tt.there {
							c.request("PUT", target, old, "If-None-Match: *").want(t, 204)
						}
						body, result := `{"new":1}`, `{"new":1}`
						if method == "POST" && tt.there {
							result = `{"old":1,"new":1}`
						}
						if method == "DELETE" {
							body = ""
						}
						header := []string{}
						if tt.header != "" {
							header = append(header, tt.header)
						}
						a := c.request(method, target, body, header...)
						a.want(t, want)
						get := c.request("GET", target, "")
						switch {
						case want != 204 && tt.there:
							if get.body != old || get.Header.Get("Etag") != tag {
								t.Errorf("%s changed the document to %s", method, get.body)
							}
						case want != 204, method == "DELETE":
							get.want(t, 404)
						case get.body != result || a.Header.Get("Etag") != sha1Tag(result):
							t.Errorf("%s left %s, answered ETag %s", method, get.body, a.Header.Get("Etag"))
						}
						if want == 409 && (!strings.Contains(a.message(t), "If-Match") || a.Header.Get("Etag") != "") {
							t.Errorf("the 409 says %q", a.message(t))
						}
					}
				})
			}
		}
	}
}

// A chain as clients make it: each write takes the ETag of the answer before it.
func TestETagsOfAnswersChain(t *testing.T) {
	for _, d := range documentResources {
		c := newServer(t).newClient()
		tag := c.request("PUT", d.one("x"), `{"a":0}`, "If-None-Match: *").Header.Get("Etag")
		for i := range 5 {
			a := c.request([]string{"PUT", "POST"}[i%2], d.one("x"), fmt.Sprintf(`{"a":%d}`, i+1), "If-Match: "+tag)
			a.want(t, 204)
			c.request("PUT", d.one("x"), `{}`, "If-Match: "+tag).want(t, 412)
			tag = a.Header.Get("Etag")
		}
		get := c.request("GET", d.one("x"), "", "Accept-Encoding: gzip")
		if get.Header.Get("Etag") != tag || get.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: GET has %s, the last write answered %s", d.name, get.Header.Get("Etag"), tag)
		}
	}
}

func TestConditionalReads(t *testing.T) {
	for _, d := range documentResources {
		c := newServer(t).newClient()
		c.request("PUT", d.one("x"), `{"a":0}`, "If-None-Match: *").want(t, 204)
		for _, target := range []string{d.one("x"), d.all()} {
			tag := c.request("GET", target, "").Header.Get("Etag")
			for _, method := range []string{"GET", "HEAD"} {
				fresh := c.request(method, target, "", "If-None-Match: "+tag)
				fresh.want(t, 304)
				if fresh.body != "" || fresh.Header.Get("Etag") != tag {
					t.Errorf("304 with %q and ETag %s", fresh.body, fresh.Header.Get("Etag"))
				}
				c.request(method, target, "", `If-None-Match: "x"`).want(t, 200)
				c.request(method, target, "", "If-Match: "+tag).want(t, 200)
				c.request(method, target, "", `If-Match: "x"`).want(t, 412)
			}
		}
	}
}

func TestScopesOfDocuments(t *testing.T) {
	s := newServer(t)
	scopes := map[auth.Scope]map[string]string{ // what each may do to which: r reads, w writes
		auth.All:                {"state": "rw", "activityprofile": "rw", "agentprofile": "rw"},
		auth.AllRead:            {"state": "r", "activityprofile": "r", "agentprofile": "r"},
		auth.State:              {"state": "rw"},
		auth.Profile:            {"activityprofile": "rw", "agentprofile": "rw"},
		auth.StatementsRead:     {},
		auth.StatementsReadMine: {},
		auth.StatementsWrite:    {},
		auth.Define:             {},
	}
	cells := 0
	for scope, may := range scopes {
		c := client{server: s, credential: s.newCredential(s.store, scope), version: "1.0.3"}
		for _, d := range documentResources {
			for _, method := range []string{"POST", "PUT", "GET", "HEAD", "DELETE", "LIST", "DELETE ALL"} {
				target, right, body := d.one("x"), "r", ""
				verb, all, _ := strings.Cut(strings.Replace(method, "LIST", "GET ALL", 1), " ")
				if all != "" {
					target = d.all()
				}
				if method == "DELETE ALL" && d.name != "state" {
					continue // not a request that the profiles take
				}
				header := []string{"If-Match:"}
				switch verb {
				case "POST", "PUT":
					right, body = "w", `{"a":1}`
					if verb == "PUT" {
						header = []string{"If-Match: *"}
					}
				case "DELETE":
					right = "w"
				}
				a := c.request(verb, target, body, header...)
				cells++
				if got, want := a.StatusCode != 403, strings.Contains(may[d.name], right); got != want {
					t.Errorf("%s: %s of %s: status %d, allowed %v", scope, method, d.name, a.StatusCode, want)
				}
			}
		}
	}
	t.Logf("scopes against requests: %d", cells)
}

func TestContentOfDocumentsThatIsRefused(t *testing.T) {
	c := newServer(t).newClient()
	long := strings.Repeat("x", 6_000_001)
	tests := []struct {
		name, contentType, body string
		status                  int
		message                 string
	}{
		{"invalid JSON", "application/json", `{"a":`, 400, "not the valid JSON"},
		{"invalid JSON with a charset", "application/json; charset=utf-8", `x`, 400, "not the valid JSON"},
		{"empty JSON", "application/json", ``, 400, "not the valid JSON"},
		{"no media type", "json", `{}`, 400, "media type"},
		{"not ASCII", "text/plain; a=\xff", ``, 400, "media type"},
		{"text above the limit", "text/plain", long, 413, "larger than 6000000 bytes"},
		{"binary above the limit", "application/zip", long[:4_500_001], 413, "larger than 4500000 bytes"},
		{"text at the limit", "text/plain", long[:6_000_000], 204, ""},
		{"binary at the limit", "application/zip", long[:4_500_000], 204, ""},
	}
	for _, d := range documentResources {
		for i, tt := range tests {
			t.Run(d.name+"/"+tt.name, func(t *testing.T) {
				for _, method := range []string{"PUT", "POST"} {
					target := d.one(fmt.Sprint(method, i))
					a := c.request(method, target, tt.body, "Content-Type: "+tt.contentType, "If-None-Match: *")
					a.want(t, tt.status)
					if tt.status == 204 {
						if get := c.request("GET", target, ""); get.body != tt.body {
							t.Errorf("got %d bytes back, sent %d", len(get.body), len(tt.body))
						}
						continue
					}
					if !strings.Contains(a.message(t), tt.message) {
						t.Errorf("message: %q", a.message(t))
					}
					c.request("GET", target, "").want(t, 404)
				}
			})
		}
	}
}

// The alternate request syntax carries content, its type and the preconditions as fields.
func TestDocumentsByForm(t *testing.T) {
	c := newServer(t).newClient()
	form := func(method string, pairs ...string) answer {
		t.Helper()
		values := url.Values{"activityId": {activity}, "agent": {learner}, "stateId": {"ü"}, "Authorization": {basic(c.credential)}, "X-Experience-API-Version": {"1.0.3"}}
		for i := 0; i < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		return c.request("POST", statePath+"?method="+method, values.Encode(), "Authorization:", "X-Experience-API-Version:", "Content-Type: application/x-www-form-urlencoded")
	}
	const first, second = `größer "&=+`, `{"a":"é"}`
	form("PUT", "content", first, "Content-Type", "text/plain;charset=UTF-8", "If-None-Match", "*").want(t, 204)
	get := form("GET")
	get.want(t, 200)
	if get.body != first || get.Header.Get("Content-Type") != "text/plain;charset=UTF-8" {
		t.Errorf("got %q of %s", get.body, get.Header.Get("Content-Type"))
	}
	form("PUT", "content", second, "Content-Type", "application/json", "If-Match", `"x"`).want(t, 412)
	form("PUT", "content", second, "Content-Type", "application/json", "If-Match", get.Header.Get("Etag")).want(t, 204)
	form("POST", "content", `{"b":1}`, "Content-Type", "application/json").want(t, 204)
	if get := c.request("GET", documentResources[0].one("ü"), ""); get.body != `{"a":"é","b":1}` {
		t.Errorf("merged to %q", get.body)
	}
	head := form("HEAD")
	head.want(t, 200)
	if head.body != "" {
		t.Errorf("HEAD has a body: %q", head.body)
	}
	form("PUT", "content", "x", "Content-Type", "text/plain\r\nX-Evil: 1").want(t, 400)
	form("DELETE", "If-Match", `"x"`).want(t, 412)
	form("DELETE").want(t, 204)
	form("GET").want(t, 404)
}

func TestDeleteAllTakesNoPreconditions(t *testing.T) {
	c := newServer(t).newClient()
	state := documentResources[0]
	c.request("PUT", state.one("x"), `{}`).want(t, 204)
	c.request("DELETE", state.all(), "", "If-Match: *").want(t, 400)
	c.request("GET", state.one("x"), "").want(t, 200)
	c.request("DELETE", state.all(), "").want(t, 204)
	c.request("GET", state.one("x"), "").want(t, 404)
}

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// fakeRoad serves a handler. Its credentials are store names.
type fakeRoad struct {
	endpoint string
	stores   int
}

func (r *fakeRoad) Endpoint() string { return r.endpoint }

func (r *fakeRoad) Reports() string { return r.endpoint + "/reports" }

func (r *fakeRoad) SetStore(context.Context, string, ...string) error { return nil }

func (r *fakeRoad) NewStore(context.Context) (string, error) {
	r.stores++
	return fmt.Sprintf("store%d", r.stores), nil
}

func (r *fakeRoad) NewCredential(_ context.Context, store string, scopes []string, _ bool) (Credential, error) {
	return Credential{Key: store, Secret: strings.Join(scopes, "+")}, nil
}

// TestConversation plays small scripts against servers that do, or do not, keep what a script relies on.
func TestConversation(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		key, secret, _ := r.BasicAuth()
		w.Header().Set("X-Experience-API-Consistent-Through", time.Now().UTC().Format(millis))
		fmt.Fprintf(w, `{"path":%q,"query":%q,"body":%q,"key":%q,"secret":%q,"version":%q,"type":%q}`,
			r.URL.Path, r.URL.RawQuery, body, key, secret, r.Header.Get("X-Experience-API-Version"), r.Header.Get("Content-Type"))
	}
	pages := func(more ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			n := len(r.URL.Query()["p"])
			fmt.Fprintf(w, `{"statements":[{"id":"s%d"},{"id":"t%d"}],"more":%q}`, n, n, more[n])
		}
	}
	for _, tt := range []struct {
		name, script, want string
		handler            http.HandlerFunc
	}{
		{"query, body, credential and version", `
let v = a b&c
POST /statements
? x = {{v}}
  line one
  line two
expect 200
json $.path = "/xapi/statements"
json $.query = "x=a+b%26c"
json $.body = "line one\nline two"
json $.key = "store2"
json $.version = "1.0.3"
json $.type = "application/json"
as B with state define
version none
POST @/other
& f = {{v}}
expect 200
json $.path = "/other"
json $.body = "f=a+b%26c"
json $.secret = "state+define"
json $.key = "store1"
json $.version = ""
`, "", echo},
		{"multipart lines end in CRLF", "POST /a\nContent-Type: multipart/mixed; boundary=c\n  --c\n  --c--\nexpect 200\njson $.body = \"--c\\r\\n--c--\"\n", "", echo},
		{"without a header", "POST /a\nwithout Authorization\nexpect 200\njson $.key = \"\"\n", "", echo},
		{"an unknown value", "GET /{{a}}\nexpect 200\n", "line 1: expand {{a}}", echo},
		{"waiting", "POST /a\nexpect 200\nwait until consistent\n", "", echo},
		{"a value of many copies", "make l = list 3 {{n}}\nPOST /a\n  [{{l}}]\nexpect 200\njson $.body = \"[0,1,2]\"\n", "", echo},
		{"a list to its end", "GET /statements\nfollow more\nexpect 200\njson $.statements[*].id = [\"s0\",\"t0\",\"s1\",\"t1\"]\njson $.pages = 2\n", "",
			pages("/xapi/statements?p=1", "")},
		{"a redirect", "GET /a\nexpect 303\nGET /a\nfollow redirect\nexpect 200\nbody = there, as nobody\nGET /b\nfollow redirect\nexpect 200\nbody = here\n", "",
			func(w http.ResponseWriter, r *http.Request) {
				switch key, _, _ := r.BasicAuth(); r.URL.Path {
				case "/xapi/a":
					w.Header().Set("Location", "http://"+r.Host+"/there")
					w.WriteHeader(http.StatusSeeOther)
				case "/there":
					fmt.Fprintf(w, "there, as nobody%s", key)
				default:
					fmt.Fprint(w, "here")
				}
			}},
		{"a list that repeats itself", "GET /statements\nfollow more\nexpect 200\n", "stands on two pages",
			func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, `{"statements":[{"id":"a"}],"more":"/xapi/statements?p=1"}`)
			}},
		{"a leak to another store", "make id = uuid\nPOST /a\n  {{id}}\nexpect 200\nGET /a\nexpect 200\n", "another store was shown", board()},
		{"what the other store sent is no leak", "as B\nPOST /a\n  {{canary}}\nexpect 200\nas A\nGET /a\nexpect 200\n", "", board()},
		{"what comes in the end", "GET /a\neventually\nexpect 200\nbody = xxx\n", "", growing()},
		{"what comes only in the end", "GET /a\nexpect 200\nbody = xxx\n", "want xxx", growing()},
		{"the report API is elsewhere", "store -k 10\nGET reports/overview\nexpect 200\nbody = /xapi/reports/overview\n", "",
			func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) }},
		{"a redirect is an answer", "GET /a\nexpect 302\n", "", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/b", http.StatusFound) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(tt.handler)
			defer server.Close()
			script, err := Parse("x", strings.TrimPrefix(tt.script, "\n"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = script.play(t.Context(), &fakeRoad{endpoint: server.URL + "/xapi"}, script.variants()[0])
			fits(t, err, tt.want)
		})
	}
}

// board answers everybody with what anybody posted last: a server without stores.
func board() http.HandlerFunc {
	var posted []byte
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posted, _ = io.ReadAll(r.Body)
		}
		w.Write(posted)
	}
}

// growing answers with one letter more each time, and with no more than three.
func growing() http.HandlerFunc {
	asked := 0
	return func(w http.ResponseWriter, r *http.Request) {
		asked = min(asked+1, 3)
		fmt.Fprint(w, strings.Repeat("x", asked))
	}
}

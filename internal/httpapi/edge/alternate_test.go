package edge

import (
	"encoding/json/v2"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// credentialsField is Authorization as a form field.
const credentialsField = "Authorization=Basic%20a2V5OnNlY3JldA%3D%3D"

// alternate makes a request by the alternate syntax as Internet Explorer sends it: no headers of its own at all.
func alternate(target, form string) *http.Request {
	return request("POST", target, form, "Authorization:", "X-Experience-API-Version:")
}

func TestAlternateSyntax(t *testing.T) {
	common := "X-Experience-API-Version=1.0.3&" + credentialsField
	tests := []struct {
		name, target, form string
		want               echoed
	}{
		{"GET with parameters", "/xapi/echo?method=GET", common + "&verb=http%3A%2F%2Fa%2Fv&limit=3",
			echoed{Method: "GET", Params: map[string]string{"verb": "http://a/v", "limit": "3"}}},
		{"GET without any", "/xapi/echo?method=GET", common, echoed{Method: "GET", Params: map[string]string{}}},
		{"PUT with content, type and precondition", "/xapi/echo?method=PUT", common + "&statementId=x&Content-Type=text%2Fplain%3B%20charset%3Dutf-8&Content-Length=9&If-Match=%22a%22&content=f%C3%BCr%20%E2%9C%93%2B%26",
			echoed{Method: "PUT", Params: map[string]string{"statementId": "x"}, Type: "text/plain; charset=utf-8", IfMatch: `"a"`, Body: "für ✓+&"}},
		{"POST without a type of the content", "/xapi/echo?method=POST", common + "&content=%7B%7D",
			echoed{Method: "POST", Params: map[string]string{}, Body: "{}"}},
		{"DELETE", "/xapi/echo?method=DELETE", common + "&stateId=s", echoed{Method: "DELETE", Params: map[string]string{"stateId": "s"}}},
		{"header names in lower case", "/xapi/echo/?method=GET", strings.ToLower("X-Experience-API-Version") + "=1.0.3&" + credentialsField,
			echoed{Method: "GET", Params: map[string]string{}}},
		{"+ is a space", "/xapi/echo?method=PUT", common + "&content=a+b", echoed{Method: "PUT", Params: map[string]string{}, Body: "a b"}},
		{"empty content", "/xapi/echo?method=PUT", common + "&content=", echoed{Method: "PUT", Params: map[string]string{}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := serve(newTestEdge(io.Discard), alternate(test.target, test.form))
			var got echoed
			if body := bodyOf(t, r); r.StatusCode != 200 {
				t.Fatalf("got %d: %s", r.StatusCode, body)
			} else if err := json.Unmarshal([]byte(body), &got); err != nil {
				t.Fatal(err)
			}
			test.want.Version, test.want.Key = "1.0.3", "key"
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("the handler saw something else:\n%s", diff)
			}
		})
	}
}

func TestAlternateSyntaxRefusals(t *testing.T) {
	common := "X-Experience-API-Version=1.0.3&" + credentialsField
	tests := []struct {
		name    string
		request *http.Request
		status  int
		message string
	}{
		{"another parameter beside method", alternate("/xapi/echo?method=GET&limit=1", common), 400, "beside the parameter method"},
		{"method in lower case", alternate("/xapi/echo?method=get", common), 400, "must be one of"},
		{"OPTIONS", alternate("/xapi/echo?method=OPTIONS", common), 400, "must be one of"},
		{"method twice", alternate("/xapi/echo?method=GET&method=PUT", common), 400, "twice"},
		{"PUT without content", alternate("/xapi/echo?method=PUT", common), 400, "no field content"},
		{"GET with content", alternate("/xapi/echo?method=GET", common+"&content=x"), 400, "does not take"},
		{"field twice", alternate("/xapi/echo?method=GET", common+"&a=1&a=2"), 400, "twice"},
		{"content not UTF-8", alternate("/xapi/echo?method=PUT", common+"&content=%ff"), 400, "UTF-8"},
		{"content not percent-encoded", alternate("/xapi/echo?method=PUT", common+"&content=%"), 400, "percent-encoded"},
		{"line break in a header", alternate("/xapi/echo?method=PUT", common+"&content=x&If-Match=%22a%22%0d%0aX: y"), 400, "not a header's value"},
		{"no version", alternate("/xapi/echo?method=GET", credentialsField), 400, "send 1.0.3 or 2.0.0"},
		{"no credentials", alternate("/xapi/echo?method=GET", "X-Experience-API-Version=1.0.3"), 401, "needs Basic"},
		{"form too large", alternate("/xapi/echo?method=PUT", common+"&content="+strings.Repeat("x", 4_500_000)), 413, "4500000 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := serve(newTestEdge(io.Discard), test.request)
			if p := problemOf(t, r); r.StatusCode != test.status || !strings.Contains(p.Message, test.message) {
				t.Errorf("got %d %q, want %d with %q", r.StatusCode, p.Message, test.status, test.message)
			}
		})
	}
}

func TestFieldsOfTheFormOverrideHeaders(t *testing.T) {
	r := request("POST", "/xapi/echo?method=GET", "X-Experience-API-Version=2.0.0&"+credentialsField, "Authorization: Basic bm86bm8=")
	got := serve(newTestEdge(io.Discard), r)
	if got.StatusCode != 200 || got.Header.Get("X-Experience-API-Version") != "2.0.0" {
		t.Errorf("got %d as %s, want 200 as 2.0.0", got.StatusCode, got.Header.Get("X-Experience-API-Version"))
	}
}

// Forms, whose sender is known only when they are read, do not fill the memory: while so many large ones are on their way a
// further one is refused, and everything else is served.
func TestManySlowForms(t *testing.T) {
	const large = 4_400_000
	e := newTestEdge(io.Discard)
	common := "X-Experience-API-Version=1.0.3&" + credentialsField + "&content="
	slow := func() (finish func() int) {
		reader, writer := io.Pipe()
		r := httptest.NewRequest("POST", "/xapi/echo?method=PUT", reader)
		r.ContentLength = large
		status := make(chan int)
		go func() { status <- serve(e, r).StatusCode }()
		if _, err := io.WriteString(writer, common); err != nil { // returns when it is being read
			t.Error(err)
		}
		return func() int {
			if _, err := io.WriteString(writer, strings.Repeat("x", large-len(common))); err != nil {
				t.Error(err)
			}
			return <-status
		}
	}
	whole := func() *http.Response {
		return serve(e, alternate("/xapi/echo?method=PUT", common+strings.Repeat("x", large-len(common))))
	}
	var finish []func() int
	for range maxForms / large {
		finish = append(finish, slow())
	}
	if got := whole(); got.StatusCode != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" {
		t.Errorf("one form too many: %d with %v", got.StatusCode, got.Header)
	}
	if got := serve(e, alternate("/xapi/echo?method=PUT", common+"x")); got.StatusCode != http.StatusOK {
		t.Errorf("a small form: %d", got.StatusCode)
	}
	if got := serve(e, request("PUT", "/xapi/echo", strings.Repeat("x", large))); got.StatusCode != http.StatusOK {
		t.Errorf("a request whose sender is known: %d", got.StatusCode)
	}
	for _, f := range finish {
		if got := f(); got != http.StatusOK {
			t.Errorf("a slow form: %d", got)
		}
	}
	if got := whole(); got.StatusCode != http.StatusOK {
		t.Errorf("a large form afterwards: %d", got.StatusCode)
	}
}

// A browser adds the credentials that it remembers of the LRS to what a page of any origin sends there, and a form is sent
// without a preflight: there they count for nothing. What stands in the form, whoever made it knew.
func TestFormsOfOtherPagesBringTheirCredentials(t *testing.T) {
	const other, version = "https://other.example", "X-Experience-API-Version=1.0.3"
	for _, test := range []struct {
		name   string
		form   string
		header []string
		status int
	}{
		{"remembered by the browser", version, []string{"Sec-Fetch-Site: cross-site", "Origin: " + other}, 401},
		{"on a sibling's page", version, []string{"Sec-Fetch-Site: same-site"}, 401},
		{"remembered by an older browser", version, []string{"Origin: " + other}, 401},
		{"on a page without an origin", version, []string{"Origin: null"}, 401},
		{"in the form", version + "&" + credentialsField, []string{"Sec-Fetch-Site: cross-site", "Origin: " + other}, 200},
		{"by a script that was asked for a preflight", version, []string{"Sec-Fetch-Site: cross-site", "Origin: " + other, "X-Experience-API-Version: 1.0.3"}, 200},
		{"on a page of the same origin", version, []string{"Sec-Fetch-Site: same-origin", "Origin: http://example.com"}, 200},
		{"on one in an older browser", version, []string{"Origin: http://example.com"}, 200},
		{"without a browser", version, nil, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := request("POST", "http://example.com/xapi/echo?method=DELETE", test.form, append([]string{"X-Experience-API-Version:"}, test.header...)...)
			got := serve(newTestEdge(io.Discard), r)
			if got.StatusCode != test.status {
				t.Fatalf("got %d, want %d: %s", got.StatusCode, test.status, bodyOf(t, got))
			}
			if got.StatusCode == 401 {
				if message := problemOf(t, got).Message; !strings.Contains(message, "field Authorization") {
					t.Errorf("the refusal does not say where credentials belong: %s", message)
				}
			}
		})
	}
}

// What is sent as a form and as a usual request must reach the handler alike.
func TestFormAndUsualRequestAreTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.StringMatching(`p[a-zA-Z_ é+&=%]{0,5}`)
		params := rapid.MapOfN(name, rapid.String(), 0, 4).Draw(rt, "params")
		content := rapid.String().Draw(rt, "content")
		query := url.Values{}
		for k, v := range params {
			query.Set(k, v)
		}
		form := url.Values{"content": {content}, "Content-Type": {"text/plain"}, "X-Experience-API-Version": {"1.0.3"}, "Authorization": {"Basic a2V5OnNlY3JldA=="}}
		for k, v := range params {
			form.Set(k, v)
		}
		usual := serve(newTestEdge(io.Discard), request("PUT", "/xapi/echo?"+query.Encode(), content, "Content-Type: text/plain"))
		byForm := serve(newTestEdge(io.Discard), alternate("/xapi/echo?method=PUT", form.Encode()))
		var a, b echoed
		if err := json.Unmarshal([]byte(bodyOf(t, usual)), &a); err != nil {
			rt.Fatal(err)
		}
		if err := json.Unmarshal([]byte(bodyOf(t, byForm)), &b); err != nil {
			rt.Fatal(err)
		}
		if a.Params == nil {
			a.Params = map[string]string{}
		}
		if diff := cmp.Diff(a, b); diff != "" {
			rt.Errorf("the handler saw a difference:\n%s", diff)
		}
	})
}

func FuzzParams(f *testing.F) {
	for _, seed := range []string{"", "a=1&b=2", "a", "=", "a=%", "a=%ff", "a=1&a=2", "a;b=1", "%41=%41&&", "agent=%7B%22mbox%22%3A%22mailto%3Aa%40b.c%22%7D"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		params, err := parseParams(raw)
		if err != nil {
			if e := asError(err); e.Status != 400 || e.Message == "" {
				t.Errorf("refused with %d %q, want a 400 with a message", e.Status, e.Message)
			}
			return
		}
		if len(params) > maxParams {
			t.Errorf("%d parameters", len(params))
		}
		values := url.Values{}
		for name, value := range params {
			values.Set(name, value)
		}
		again, err := parseParams(values.Encode())
		if diff := cmp.Diff(params, again); err != nil || len(params) > 0 && diff != "" {
			t.Errorf("read again: %v\n%s", err, diff)
		}
	})
}

func FuzzAlternateSyntax(f *testing.F) {
	common := "X-Experience-API-Version=1.0.3&" + credentialsField
	f.Add("GET", common)
	f.Add("PUT", common+"&content=x&Content-Type=text/plain")
	f.Add("POST", "content=%ff")
	f.Add("HEAD", "If-Match=%0a")
	f.Fuzz(func(t *testing.T, method, form string) {
		r := alternate("/xapi/echo?method="+url.QueryEscape(method), form)
		got := serve(newTestEdge(io.Discard), r)
		switch got.StatusCode {
		case 200, 400, 401, 413:
		default:
			t.Errorf("status %d", got.StatusCode)
		}
	})
}

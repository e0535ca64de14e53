package edge

import (
	"bytes"
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/requirements"
)

// keyring knows secrets by key.
type keyring map[string]string

func (k keyring) Authenticate(_ context.Context, key, secret string) (auth.Principal, error) {
	if key == "broken" {
		return auth.Principal{}, errors.New("read credential: connection refused by 10.0.0.7")
	}
	if want, ok := k[key]; !ok || want != secret {
		return auth.Principal{}, auth.ErrUnauthorized
	}
	return auth.Principal{Credential: key, Store: auth.Store{ID: "default"}, Scopes: auth.Scopes{auth.All}}, nil
}

// echoed is what the echo resource saw of a request.
type echoed struct {
	Method  string            `json:"method"`
	Params  map[string]string `json:"params"`
	Version string            `json:"version"`
	Key     string            `json:"key"`
	Type    string            `json:"type"`
	IfMatch string            `json:"ifMatch"`
	Body    string            `json:"body"`
}

// echo answers with what it saw.
func echo(w http.ResponseWriter, r *Request) error {
	body, err := r.Body()
	if err != nil {
		return err
	}
	out, err := json.Marshal(echoed{
		Method: r.Method, Params: r.Params, Version: string(r.Version), Key: r.Principal.Credential,
		Type: r.Header.Get("Content-Type"), IfMatch: r.Header.Get("If-Match"), Body: string(body),
	}, jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return err
	}
	return Write(w, http.StatusOK, "application/json", out)
}

// newTestEdge serves /xapi/echo, which needs credentials, /xapi/open, which needs nothing, and whatever else is given.
func newTestEdge(log io.Writer, more ...Resource) *Edge {
	methods := map[string]Handler{http.MethodGet: echo, http.MethodPut: echo, http.MethodPost: echo, http.MethodDelete: echo}
	return New(Options{
		Authenticator: keyring{"key": "secret", "clé": "çà:va"},
		Log:           slog.New(slog.NewJSONHandler(log, nil)),
		Now:           func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) },
		NewID:         func() string { return "id-1" },
	}, append(more,
		Resource{Name: "echo", Path: "/xapi/echo", Methods: methods, Announce: func(_ context.Context, h http.Header) { h.Set("X-Announced", "yes") }},
		Resource{Name: "open", Path: "/xapi/open", Methods: map[string]Handler{http.MethodGet: echo}, Open: true},
	)...)
}

// request makes a request with version and credentials; header lines override them, and "Name:" takes one away.
func request(method, target, body string, header ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("X-Experience-API-Version", "1.0.3")
	r.SetBasicAuth("key", "secret")
	for _, line := range header {
		name, value, _ := strings.Cut(line, ":")
		r.Header.Del(name)
		if value = strings.TrimSpace(value); value != "" {
			r.Header.Set(name, value)
		}
	}
	return r
}

func serve(h http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func bodyOf(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// problemOf reads the JSON of an error.
func problemOf(t *testing.T, r *http.Response) problemDetail {
	t.Helper()
	var p problem
	body := bodyOf(t, r)
	if err := json.Unmarshal([]byte(body), &p, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("error is not JSON of the documented shape: %v: %s", err, body)
	}
	return p.Error
}

func TestRefusals(t *testing.T) {
	long := strings.Repeat("a", 11_000)
	tests := []struct {
		name    string
		request *http.Request
		status  int
		message string // a part of it
	}{
		{"no version", request("GET", "/xapi/echo", "", "X-Experience-API-Version:"), 400, "send 1.0.3 or 2.0.0"},
		{"version 0.9", request("GET", "/xapi/echo", "", "X-Experience-API-Version: 0.9"), 400, "1.0.3 or 2.0.0"},
		{"version 1.1.0", request("GET", "/xapi/echo", "", "X-Experience-API-Version: 1.1.0"), 400, "1.0.3 or 2.0.0"},
		{"version 3", request("GET", "/xapi/echo", "", "X-Experience-API-Version: 3.0.0"), 400, "1.0.3 or 2.0.0"},
		{"no credentials", request("GET", "/xapi/echo", "", "Authorization:"), 401, "needs Basic credentials"},
		{"credentials of another kind", request("GET", "/xapi/echo", "", "Authorization: Bearer abc"), 401, "needs Basic credentials"},
		{"credentials that are no base64", request("GET", "/xapi/echo", "", "Authorization: Basic !!!"), 401, "needs Basic credentials"},
		{"unknown key", request("GET", "/xapi/echo", "", "Authorization: Basic bm86c2VjcmV0"), 401, "not valid"},
		{"wrong secret", request("GET", "/xapi/echo", "", "Authorization: Basic a2V5Ondyb25n"), 401, "not valid"},
		{"credentials cannot be checked", request("GET", "/xapi/echo", "", "Authorization: Basic YnJva2VuOng="), 500, "internal error"},
		{"unknown path", request("GET", "/xapi/nothing", ""), 404, "no resource"},
		{"unknown path without credentials", request("GET", "/xapi/statement", "", "Authorization:", "X-Experience-API-Version:"), 404, "no resource"},
		{"method of another resource", request("DELETE", "/xapi/open", ""), 400, "GET, HEAD, OPTIONS"},
		{"unknown method", request("BREW", "/xapi/echo", ""), 400, "GET, HEAD, PUT, POST, DELETE, OPTIONS"},
		{"query too long", request("GET", "/xapi/echo?a="+long, ""), 413, "10240 bytes"},
		{"headers too long", request("GET", "/xapi/echo", "", "Accept-Language: "+long), 413, "10240 bytes"},
		{"parameter twice", request("GET", "/xapi/echo?a=1&a=2", ""), 400, `"a" is there twice`},
		{"parameter not percent-encoded", request("GET", "/xapi/echo?a=%zz", ""), 400, "percent-encoded"},
		{"parameter not UTF-8", request("GET", "/xapi/echo?a=%ff", ""), 400, "UTF-8"},
		{"name not UTF-8", request("GET", "/xapi/echo?%ff=a", ""), 400, "UTF-8"},
		{"too many parameters", request("GET", "/xapi/echo?"+manyParams(65), ""), 400, "more than 64"},
		{"compressed content", request("POST", "/xapi/echo", "x", "Content-Encoding: gzip"), 400, "Content-Encoding"},
		{"text too large", request("POST", "/xapi/echo", strings.Repeat("x", 6_000_001), "Content-Type: application/json; charset=utf-8"), 413, "6000000 bytes"},
		{"binary too large", request("POST", "/xapi/echo", strings.Repeat("x", 4_500_001), "Content-Type: image/png"), 413, "4500000 bytes"},
		{"of no type too large", request("POST", "/xapi/echo", strings.Repeat("x", 4_500_001)), 413, "4500000 bytes"},
		{"form too large", request("POST", "/xapi/echo", strings.Repeat("x", 4_500_001), "Content-Type: application/x-www-form-urlencoded"), 413, "4500000 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := serve(newTestEdge(io.Discard), test.request)
			got := problemOf(t, r)
			if r.StatusCode != test.status || got.Status != test.status {
				t.Errorf("status: got %d, in the body %d, want %d", r.StatusCode, got.Status, test.status)
			}
			if !strings.Contains(got.Message, test.message) {
				t.Errorf("message: got %q, want %q in it", got.Message, test.message)
			}
			if got.RequestID != "id-1" || r.Header.Get("X-Request-Id") != "id-1" {
				t.Errorf("request id: got %q and header %q, want id-1", got.RequestID, r.Header.Get("X-Request-Id"))
			}
			if got := r.Header.Get("Www-Authenticate") != ""; got != (test.status == 401) {
				t.Errorf("WWW-Authenticate: got %t, want %t", got, test.status == 401)
			}
			if r.StatusCode == 400 && strings.Contains(test.name, "method") && r.Header.Get("Allow") == "" {
				t.Error("Allow is missing")
			}
		})
	}
}

func manyParams(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "p%d=1&", i)
	}
	return b.String()
}

func TestUnknownKeyAndWrongSecretLookAlike(t *testing.T) {
	e := newTestEdge(io.Discard)
	unknown := serve(e, request("GET", "/xapi/echo", "", "Authorization: Basic bm86c2VjcmV0"))
	wrong := serve(e, request("GET", "/xapi/echo", "", "Authorization: Basic a2V5Ondyb25n"))
	if diff := cmp.Diff(unknown.Header, wrong.Header); diff != "" {
		t.Errorf("headers differ:\n%s", diff)
	}
	if a, b := bodyOf(t, unknown), bodyOf(t, wrong); a != b {
		t.Errorf("bodies differ: %s and %s", a, b)
	}
}

func TestCredentialsMayBeUTF8AndHoldColons(t *testing.T) {
	r := request("GET", "/xapi/echo", "")
	r.SetBasicAuth("clé", "çà:va")
	if got := serve(newTestEdge(io.Discard), r); got.StatusCode != 200 {
		t.Errorf("status: got %d, want 200", got.StatusCode)
	}
}

func TestPaths(t *testing.T) {
	for path, want := range map[string]int{
		"/xapi/echo":      200,
		"/xapi/echo/":     200,
		"/xapi//echo":     200,
		"//xapi///echo//": 200,
		"/xapi/echo/x":    404,
		"/xapi/Echo":      404,
		"/xapi/./echo":    404,
		"/":               404, // no page in this edge
		"//":              404,
	} {
		r := request("GET", "/", "")
		r.URL.Path = path
		if got := serve(newTestEdge(io.Discard), r); got.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, got.StatusCode, want)
		}
	}
}

func TestVersionOfTheAnswer(t *testing.T) {
	for _, test := range []struct {
		sent, answered string
		status         int
	}{
		{"1.0", "1.0.3", 200}, {"1.0.0", "1.0.3", 200}, {"1.0.9", "1.0.3", 200}, {"1.0.3", "1.0.3", 200},
		{"2.0", "2.0.0", 200}, {"2.0.0", "2.0.0", 200}, {"2.0.7", "2.0.0", 200},
		{"", "1.0.3", 400}, {"0.95", "1.0.3", 400}, {"1.1.0", "1.0.3", 400}, {"2.1.0", "2.0.0", 400}, {"10.0", "1.0.3", 400}, {"abc", "2.0.0", 400},
	} {
		r := serve(newTestEdge(io.Discard), request("GET", "/xapi/echo", "", "X-Experience-API-Version: "+test.sent))
		if r.StatusCode != test.status {
			t.Errorf("%q: got status %d, want %d", test.sent, r.StatusCode, test.status)
		}
		if got := r.Header.Values("X-Experience-API-Version"); len(got) != 1 || got[0] != test.answered {
			t.Errorf("%q: answered as %q, want %q once", test.sent, got, test.answered)
		}
		if open := serve(newTestEdge(io.Discard), request("GET", "/xapi/open", "", "X-Experience-API-Version: "+test.sent, "Authorization:")); open.StatusCode != 200 {
			t.Errorf("open resource, %q: got status %d, want 200", test.sent, open.StatusCode)
		}
	}
	twice := request("GET", "/xapi/echo", "")
	twice.Header.Add("X-Experience-API-Version", "2.0.0")
	if got := serve(newTestEdge(io.Discard), twice); got.StatusCode != 400 {
		t.Errorf("two versions: got status %d, want 400", got.StatusCode)
	}
}

func TestHeadersOfEveryAnswer(t *testing.T) {
	want := http.Header{
		"X-Experience-Api-Version":      {"1.0.3"},
		"X-Request-Id":                  {"id-1"},
		"Access-Control-Allow-Origin":   {"*"},
		"Access-Control-Expose-Headers": {"Content-Length, Content-Type, ETag, Last-Modified, Location, Retry-After, WWW-Authenticate, X-Experience-API-Consistent-Through, X-Experience-API-Version, X-Request-Id"},
		"Content-Security-Policy":       {"sandbox; default-src 'none'; frame-ancestors 'none'"},
		"X-Content-Type-Options":        {"nosniff"},
		"Cache-Control":                 {"no-store"},
	}
	for name, r := range map[string]*http.Request{
		"success":   request("GET", "/xapi/echo", ""),
		"not found": request("GET", "/nothing", ""),
		"refused":   request("GET", "/xapi/echo", "", "Authorization:"),
		"preflight": request("OPTIONS", "/xapi/echo", "", "Authorization:", "X-Experience-API-Version:"),
	} {
		got := serve(newTestEdge(io.Discard), r).Header
		for header, values := range want {
			if diff := cmp.Diff(values, got[header]); diff != "" {
				t.Errorf("%s: %s:\n%s", name, header, diff)
			}
		}
		if _, ok := got["Access-Control-Allow-Credentials"]; ok {
			t.Errorf("%s: Access-Control-Allow-Credentials must not be there", name)
		}
	}
	for _, r := range []*http.Request{
		request("GET", "/xapi/echo", ""), request("OPTIONS", "/xapi/echo", ""), request("BREW", "/xapi/echo", ""), request("GET", "/xapi/echo?a=%zz", ""),
		request("GET", "/xapi/echo", "", "Authorization:"), request("GET", "/xapi/echo", "", "X-Experience-API-Version:"),
	} {
		if got := serve(newTestEdge(io.Discard), r); got.Header.Get("X-Announced") != "yes" {
			t.Errorf("%s %s: status %d lacks what the resource announces", r.Method, r.URL, got.StatusCode)
		}
	}
}

func TestPreflight(t *testing.T) {
	r := serve(newTestEdge(io.Discard), request("OPTIONS", "/xapi/echo", "", "Authorization:", "X-Experience-API-Version:",
		"Origin: https://course.example", "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: authorization,content-type,if-match,x-experience-api-version"))
	if r.StatusCode != http.StatusNoContent {
		t.Errorf("status: got %d, want 204", r.StatusCode)
	}
	for header, want := range map[string]string{
		"Access-Control-Allow-Methods": "GET, HEAD, PUT, POST, DELETE, OPTIONS",
		"Access-Control-Allow-Headers": "Accept, Accept-Language, Authorization, Content-Language, Content-Type, If-Match, If-None-Match, Updated, X-Cairn-Upload, X-Experience-API-Hash, X-Experience-API-Version, X-Requested-With",
		"Access-Control-Max-Age":       "7200",
	} {
		if got := r.Header.Get(header); got != want {
			t.Errorf("%s: got %q, want %q", header, got, want)
		}
	}
}

// A refused preflight would hide from content why its request fails.
func TestPreflightRefusesNothing(t *testing.T) {
	for name, r := range map[string]*http.Request{
		"no resource":    request("OPTIONS", "/statements", "", "Authorization:", "X-Experience-API-Version:"),
		"too long query": request("OPTIONS", "/xapi/echo?a="+strings.Repeat("a", 20_000), "", "Authorization:", "X-Experience-API-Version:"),
	} {
		got := serve(newTestEdge(io.Discard), r)
		if methods := got.Header.Get("Access-Control-Allow-Methods"); got.StatusCode != http.StatusNoContent || methods != "GET, HEAD, PUT, POST, DELETE, OPTIONS" {
			t.Errorf("%s: status %d, methods %q", name, got.StatusCode, methods)
		}
	}
}

func TestHeadIsGetWithoutContent(t *testing.T) {
	e := newTestEdge(io.Discard)
	get, head := serve(e, request("GET", "/xapi/open", "")), serve(e, request("HEAD", "/xapi/open", ""))
	if got := bodyOf(t, head); got != "" {
		t.Errorf("HEAD has a body: %q", got)
	}
	// The echo says its method, one letter longer for HEAD.
	get.Header.Del("Content-Length")
	if head.Header.Get("Content-Length") == "" {
		t.Error("HEAD has no Content-Length")
	}
	head.Header.Del("Content-Length")
	if diff := cmp.Diff(get.Header, head.Header); diff != "" {
		t.Errorf("headers differ:\n%s", diff)
	}
	refused := serve(e, request("HEAD", "/xapi/echo", "", "Authorization:"))
	if got := bodyOf(t, refused); refused.StatusCode != 401 || got != "" {
		t.Errorf("refused HEAD: got %d with body %q, want 401 without", refused.StatusCode, got)
	}
}

func TestOverTheWire(t *testing.T) {
	server := httptest.NewServer(newTestEdge(io.Discard))
	defer server.Close()
	send := func(r *http.Request) *http.Response {
		t.Helper()
		r.RequestURI = ""
		r.URL.Scheme, r.URL.Host = "http", server.Listener.Addr().String()
		response, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { response.Body.Close() })
		return response
	}
	t.Run("one Date", func(t *testing.T) {
		for _, target := range []string{"/xapi/echo", "/nothing"} {
			r := send(request("GET", target, ""))
			if dates := r.Header.Values("Date"); len(dates) != 1 {
				t.Errorf("%s: got %d Date headers, want 1", target, len(dates))
			} else if _, err := http.ParseTime(dates[0]); err != nil {
				t.Errorf("%s: Date: %v", target, err)
			}
		}
	})
	t.Run("HEAD by the alternate syntax", func(t *testing.T) {
		r := send(request("POST", "/xapi/echo?method=HEAD", "a=1"))
		if got := bodyOf(t, r); r.StatusCode != 200 || got != "" {
			t.Errorf("got %d with body %q, want 200 without", r.StatusCode, got)
		}
	})
	t.Run("a body without length is cut off at the limit", func(t *testing.T) {
		// Little more than the limit: the server drains that, so that the client is still there for the answer.
		r := request("POST", "/xapi/echo", "", "Content-Type: application/json")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", 6_050_000))), -1
		if response := send(r); response.StatusCode != 413 {
			t.Errorf("status: got %d, want 413", response.StatusCode)
		}
	})
}

// forbidden fails the test when it is read.
type forbidden struct{ t *testing.T }

func (f forbidden) Read([]byte) (int, error) {
	f.t.Error("the body was read")
	return 0, io.EOF
}

func TestFiftyMegabytesAreRefusedUnread(t *testing.T) {
	r := request("POST", "/xapi/echo", "", "Content-Type: application/json")
	r.Body, r.ContentLength = io.NopCloser(forbidden{t}), 50<<20
	if got := serve(newTestEdge(io.Discard), r); got.StatusCode != 413 {
		t.Errorf("status: got %d, want 413", got.StatusCode)
	}
}

func TestTruncatedBody(t *testing.T) {
	r := request("POST", "/xapi/echo", "", "Content-Type: application/json")
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(`{"half`)), 100
	got := serve(newTestEdge(io.Discard), r)
	if p := problemOf(t, got); got.StatusCode != 400 || !strings.Contains(p.Message, "ended before") {
		t.Errorf("got %d %q, want a 400 that says so", got.StatusCode, p.Message)
	}
	requirements.Met(t, "L4.1.1-6")
}

func TestAnnouncedBodies(t *testing.T) {
	for _, size := range []int{0, 1, firstRead - 1, firstRead, firstRead + 1, 3*firstRead + 7, 1_000_000} {
		want := strings.Repeat("0123456789", size/10+1)[:size]
		for name, reader := range map[string]io.Reader{
			"at once": strings.NewReader(want), "byte by byte": iotest.OneByteReader(strings.NewReader(want)), "with EOF": iotest.DataErrReader(strings.NewReader(want)),
		} {
			got, err := readAnnounced(reader, size)
			if err != nil || string(got) != want {
				t.Errorf("%d bytes %s: got %d, %v", size, name, len(got), err)
			}
		}
		if _, err := readAnnounced(strings.NewReader(want), size+1); err != io.ErrUnexpectedEOF {
			t.Errorf("%d of %d bytes: got %v, want %v", size, size+1, err, io.ErrUnexpectedEOF)
		}
	}
	// Nothing came of the megabytes that were announced: little memory was spent on them.
	before, after := &runtime.MemStats{}, &runtime.MemStats{}
	runtime.ReadMemStats(before)
	if _, err := readAnnounced(strings.NewReader(""), 4_000_000); err == nil {
		t.Error("no error")
	}
	runtime.ReadMemStats(after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 1_000_000 {
		t.Errorf("%d bytes were spent", got)
	}
}

func TestRequestID(t *testing.T) {
	for sent, want := range map[string]string{
		"":                                     "id-1",
		"ABC-123_x=.:":                         "ABC-123_x=.:",
		"a b":                                  "id-1",
		"a\"b":                                 "id-1",
		strings.Repeat("a", 129):               "id-1",
		"5f3b1c2e-0c8f-4c3e-9d2e-0a5b6c7d8e9f": "5f3b1c2e-0c8f-4c3e-9d2e-0a5b6c7d8e9f",
	} {
		e := newTestEdge(io.Discard)
		r := request("GET", "/xapi/open", "")
		r.Header["X-Request-Id"] = []string{sent}
		if got := serve(e, r).Header.Get("X-Request-Id"); got != "id-1" {
			t.Errorf("%q of an untrusted client: got id %q, want id-1", sent, got)
		}
		e.RequestIDHeader = "X-Request-Id"
		if got := serve(e, r).Header.Get("X-Request-Id"); got != want {
			t.Errorf("%q of a trusted front: got id %q, want %q", sent, got, want)
		}
	}
}

func BenchmarkPost(b *testing.B) {
	e := newTestEdge(io.Discard)
	body := bytes.Repeat([]byte("x"), 1350)
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest("POST", "/xapi/echo", bytes.NewReader(body))
		r.Header = http.Header{
			"X-Experience-Api-Version": {"1.0.3"}, "Authorization": {"Basic a2V5OnNlY3JldA=="}, "Content-Type": {"application/json"},
		}
		e.ServeHTTP(httptest.NewRecorder(), r)
	}
}

// Package gatewaytest holds the probes of package gateway against a road: whole, each must be content; and behind a
// proxy that breaks one behaviour at a time, the probe that looks at it must say so.
package gatewaytest

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/e2e/gateway"
)

// breaker breaks one behaviour, on the way in or on the way out.
type breaker struct {
	in  func(r *http.Request) // nil: nothing
	out func(r *http.Response)
}

// breakers have one for each probe that can fail, by the probe's name.
var breakers = map[string]breaker{
	"about is served":                {out: status(http.StatusBadGateway)},
	"ETag comes through":             {out: rename("Etag", "X-Amzn-Remapped-Etag")},
	"Last-Modified comes through":    {out: rename("Last-Modified", "X-Amzn-Remapped-Last-Modified")},
	"one Date comes through":         {out: func(r *http.Response) { r.Header.Add("Date", r.Header.Get("Date")) }},
	"WWW-Authenticate comes through": {out: rename("Www-Authenticate", "X-Amzn-Remapped-Www-Authenticate")},
	"HEAD of a document":             {out: func(r *http.Response) { r.Header.Del("Content-Length"); r.ContentLength = -1 }},
	"HEAD of statements":             {out: status(http.StatusForbidden)},
	"304 Not Modified": {out: func(r *http.Response) {
		if r.StatusCode == http.StatusNotModified {
			r.StatusCode = http.StatusOK
		}
	}},
	"Content-Length of an answer": {out: func(r *http.Response) { r.Header.Del("Content-Length"); r.ContentLength = -1 }},
	"connections stay open":       {out: func(r *http.Response) { r.Header.Set("Connection", "close") }},
	"a head of over 10,240 bytes": {out: status(http.StatusBadGateway)},
	"a long query sent as a form": {in: replaceBody(func(b []byte) []byte { return b[:min(len(b), 8192)] })},
	"a body of a +json type":      {in: replaceBody(validText)},
	"a body without a type":       {in: func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }},
	"a body of multipart/mixed":   {in: replaceBody(validText)},
	"a body of text in UTF-8":     {in: replaceBody(func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")) })},
	"CORS preflight":              {out: drop("Access-Control-Expose-Headers")},
	"the headers of xAPI":         {out: drop("X-Experience-Api-Version")},
	"If-Match with several tags": {in: func(r *http.Request) {
		first, _, _ := strings.Cut(r.Header.Get("If-Match"), ",")
		r.Header.Set("If-Match", first)
	}},
	"a query with every kind of character": {in: func(r *http.Request) { r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, "%2B", "+") }},
	"a parameter that comes twice":         {in: func(r *http.Request) { r.URL.RawQuery, _, _ = strings.Cut(r.URL.RawQuery, "&") }},
	"a compressed list":                    {out: drop("Content-Encoding")},
	"doubled and trailing slashes":         {out: func(r *http.Response) { notNormal(r) }},
	"a document of 4 MB":                   {in: replaceBody(func(b []byte) []byte { return b[:min(len(b), 1_000_000)] })},
	"4 MB of JSON full of quotes":          {out: inBase64},
	"a document of 6 MB by an upload":      {out: drop("Location")},
	"an attachment of 6 MB by an upload":   {in: func(r *http.Request) { r.Header.Del("X-Cairn-Upload") }},
	"a body that is too large":             {out: status(http.StatusInternalServerError)},
	"204 has no body":                      {out: status(http.StatusOK)},
	"the request's id":                     {out: drop("X-Request-Id")},
}

func status(code int) func(*http.Response) {
	return func(r *http.Response) { r.StatusCode, r.Status = code, "" }
}

func drop(name string) func(*http.Response) { return func(r *http.Response) { r.Header.Del(name) } }

func rename(name, to string) func(*http.Response) {
	return func(r *http.Response) { r.Header[to] = r.Header[name]; delete(r.Header, name) }
}

// validText is what is left of bytes that went through a string of JSON.
func validText(b []byte) []byte { return bytes.ToValidUTF8(b, []byte("�")) }

func replaceBody(change func([]byte) []byte) func(*http.Request) {
	return func(r *http.Request) {
		if r.Body == nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || len(body) == 0 {
			return
		}
		body = change(body)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	}
}

// inBase64 leaves a large answer as a function gave it.
func inBase64(r *http.Response) {
	body, err := io.ReadAll(r.Body)
	if err == nil && len(body) < 1_000_000 {
		r.Body = io.NopCloser(bytes.NewReader(body))
		return
	}
	body = base64.StdEncoding.AppendEncode(nil, body)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
}

// notNormal answers a path as one who compares letter by letter.
func notNormal(r *http.Response) {
	if path := r.Request.URL.Path; strings.Contains(path, "//") || strings.HasSuffix(path, "/") {
		r.StatusCode = http.StatusNotFound
	}
}

// proxy stands before a road.
func (b breaker) proxy(t *testing.T, to *url.URL) *httptest.Server {
	t.Helper()
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = to.Scheme, to.Host, to.Host
			if b.in != nil {
				b.in(r.Out)
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if b.out != nil {
				b.out(r)
			}
			return nil
		},
		Transport: &http.Transport{DisableCompression: true},
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server
}

// Run asks every probe of the road, and then each of a road that is broken in just what it looks at.
func Run(t *testing.T, target gateway.Target) {
	address, err := url.Parse(target.URL)
	if err != nil {
		t.Fatal(err)
	}
	whole := target
	whole.URL = breaker{}.proxy(t, address).URL + address.Path // the proxy itself breaks nothing
	gateway.Ask(t.Context(), whole, gateway.Probes, func(r gateway.Result) {
		if r.Problem != nil {
			t.Errorf("%s: %v", r.Name, r.Problem)
		}
	})
	broken := 0
	for _, probe := range gateway.Probes {
		b, ok := breakers[probe.Name]
		if !ok {
			if probe.Means != "" {
				t.Errorf("nothing breaks what %q looks at", probe.Name)
			}
			continue
		}
		broken++
		without := target
		without.URL = b.proxy(t, address).URL + address.Path
		gateway.Ask(t.Context(), without, []gateway.Probe{probe}, func(r gateway.Result) {
			if r.Problem == nil {
				t.Errorf("%s was broken, and the probe found %q", r.Name, r.Found)
			}
			t.Logf("%s: %v", r.Name, r.Problem)
		})
	}
	if broken != len(breakers) {
		t.Errorf("%d breakers of %d belong to a probe", broken, len(breakers))
	}
	t.Logf("behaviours broken, and reported: %d", broken)
}

package httpapi_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/httpapi"
)

const browserAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

func TestPage(t *testing.T) {
	h := httpapi.New(httpapi.Options{})
	for _, path := range []string{"/", "/xapi", "/xapi/", "//"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path, r.Host = path, "lrs.example:8080"
		r.Header.Set("Accept", browserAccept)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		body := w.Body.String()
		if w.Code != 200 || !strings.Contains(body, "<pre>http://lrs.example:8080/xapi</pre>") {
			t.Errorf("%s: got %d, and the endpoint is not on the page:\n%s", path, w.Code, body)
		}
		if strings.Contains(body, "<script") || strings.Contains(body, " style=") {
			t.Errorf("%s: the page needs more than its style sheet", path)
		}
		style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(body)
		if style == nil {
			t.Fatalf("%s: no style", path)
		}
		sum := sha256.Sum256([]byte(style[1]))
		if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
			t.Errorf("%s: the policy does not let the style in: %s", path, policy)
		}
		r.Header.Set("Accept", "*/*")
		w = httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Content-Type"); got != "text/plain; charset=utf-8" || !strings.Contains(w.Body.String(), "Endpoint: http://lrs.example:8080/xapi\n") {
			t.Errorf("%s: not as text for other clients: %s: %s", path, got, w.Body)
		}
	}
}

func TestPageDoesNotRepeatAHostileHost(t *testing.T) {
	h := httpapi.New(httpapi.Options{})
	for host, want := range map[string]string{
		"a';rm -rf ~;'":       "http://localhost/xapi",
		"<b>":                 "http://localhost/xapi",
		"":                    "http://localhost/xapi",
		"[::1]:8080":          "http://[::1]:8080/xapi",
		"abc.execute-api.aws": "http://abc.execute-api.aws/xapi",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if !strings.Contains(w.Body.String(), "Endpoint: "+want+"\n") {
			t.Errorf("host %q: %s", host, w.Body)
		}
	}
}

func TestAbout(t *testing.T) {
	for _, version := range []string{"", "1.0.3", "2.0.0", "0.9", "nonsense"} {
		r := httptest.NewRequest("GET", "/xapi/about", nil)
		if version != "" {
			r.Header.Set("X-Experience-API-Version", version)
		}
		w := httptest.NewRecorder()
		httpapi.About(httpapi.Options{}).ServeHTTP(w, r)
		if got := w.Body.String(); w.Code != 200 || got != `{"version":["1.0.3","2.0.0"]}` {
			t.Errorf("version %q: got %d %s", version, w.Code, got)
		}
	}
	w := httptest.NewRecorder()
	httpapi.About(httpapi.Options{}).ServeHTTP(w, httptest.NewRequest("GET", "/xapi/about?x=1", nil))
	if w.Code != 400 {
		t.Errorf("unknown parameter: got %d, want 400", w.Code)
	}
	w = httptest.NewRecorder()
	httpapi.About(httpapi.Options{}).ServeHTTP(w, httptest.NewRequest("GET", "/xapi/statements", nil))
	if w.Code != 404 {
		t.Errorf("another resource, served alone: got %d, want 404", w.Code)
	}
}

package lambdaio

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json/v2"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// answer is the payload that the gateway reads, declared apart from the code under test.
type answer struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Cookies         []string          `json:"cookies"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

// bytes returns the body that a client would see.
func (a answer) bytes(t *testing.T) string {
	t.Helper()
	if !a.IsBase64Encoded {
		return a.Body
	}
	body, err := base64.StdEncoding.DecodeString(a.Body)
	if err != nil {
		t.Fatalf("body is not base64: %v", err)
	}
	return string(body)
}

func invoke(t *testing.T, handler http.HandlerFunc, payload []byte) answer {
	t.Helper()
	return invokeLogging(t, handler, payload, io.Discard)
}

func invokeLogging(t *testing.T, handler http.HandlerFunc, payload []byte, log io.Writer) answer {
	t.Helper()
	out, err := NewGateway(handler, slog.New(slog.NewTextHandler(log, nil))).Invoke(t.Context(), payload)
	if err != nil {
		t.Fatalf("Invoke: %v", err)
	}
	if len(out) > MaxPayload {
		t.Errorf("payload of %d bytes, at most %d can be sent", len(out), MaxPayload)
	}
	var a answer
	if err := json.Unmarshal(out, &a, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("answer %.200s: %v", out, err)
	}
	return a
}

// event returns a small payload, changed as a test needs it.
func event(t *testing.T, change func(*events.APIGatewayV2HTTPRequest)) []byte {
	t.Helper()
	e := events.APIGatewayV2HTTPRequest{Version: "2.0", RawPath: "/xapi/statements"}
	e.RequestContext.RequestID = "request-1"
	e.RequestContext.DomainName = "lrs.example.com"
	e.RequestContext.HTTP.Method = http.MethodGet
	e.RequestContext.HTTP.SourceIP = "192.0.2.44"
	if change != nil {
		change(&e)
	}
	payload, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func method(name string) func(*events.APIGatewayV2HTTPRequest) {
	return func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.Method = name }
}

// dump writes a request as its handler sees it.
func dump(r *http.Request) (string, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\npath   %s\nquery  %s\nhost   %s\nremote %s\nlength %d\n\n", r.Method, r.RequestURI, r.URL.Path, r.URL.RawQuery, r.Host, r.RemoteAddr, r.ContentLength)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	fmt.Fprintf(&b, "\n%q\n", body)
	return b.String(), nil
}

func TestSampleEventsBecomeRequests(t *testing.T) {
	paths, err := filepath.Glob("../../events/*.json")
	if err != nil || len(paths) < 9 {
		t.Fatalf("found %d sample events (%v), want the nine of the first functions at least", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		if strings.HasPrefix(name, "aggregate-") {
			continue // of a stream: TestSampleEventsBecomeChanges
		}
		t.Run(name, func(t *testing.T) {
			payload, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			a := invoke(t, func(w http.ResponseWriter, r *http.Request) {
				got, err = dump(r)
			}, payload)
			if err != nil || a.StatusCode != http.StatusOK {
				t.Fatalf("status %d, read body: %v", a.StatusCode, err)
			}
			golden(t, name, got)
		})
	}
}

// golden compares with a file in testdata, or writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestRequestIsWhatNetHTTPWouldMake(t *testing.T) {
	tests := []struct {
		name   string
		change func(*events.APIGatewayV2HTTPRequest)
		check  func(r *http.Request) (got, want any)
	}{
		{"percent sign in a decoded path is not decoded again", func(e *events.APIGatewayV2HTTPRequest) { e.RawPath = "/xapi/100%41 ü?x" },
			func(r *http.Request) (any, any) { return r.URL.Path + " | " + r.URL.RawQuery, "/xapi/100%41 ü?x | " }},
		{"path that no URL parser takes", func(e *events.APIGatewayV2HTTPRequest) { e.RawPath = "/xapi/%zz\x7f" },
			func(r *http.Request) (any, any) { return r.URL.Path, "/xapi/%zz\x7f" }},
		{"doubled slashes stay for the handler to see", func(e *events.APIGatewayV2HTTPRequest) { e.RawPath = "//xapi//statements/" },
			func(r *http.Request) (any, any) { return r.URL.Path + r.URL.Host, "//xapi//statements/" }},
		{"query with semicolons and bad escapes is untouched", func(e *events.APIGatewayV2HTTPRequest) { e.RawQueryString = "a=1;b=%zz&&c=\x01" },
			func(r *http.Request) (any, any) { return r.URL.RawQuery, "a=1;b=%zz&&c=\x01" }},
		{"query map is never read", func(e *events.APIGatewayV2HTTPRequest) { e.QueryStringParameters = map[string]string{"a": "1,2"} },
			func(r *http.Request) (any, any) { return r.URL.RawQuery, "" }},
		{"If-Match list is one value", func(e *events.APIGatewayV2HTTPRequest) { e.Headers = map[string]string{"if-match": `"a,b", "c"`} },
			func(r *http.Request) (any, any) { return r.Header.Values("If-Match"), []string{`"a,b", "c"`} }},
		{"Date is one value", func(e *events.APIGatewayV2HTTPRequest) {
			e.Headers = map[string]string{"date": "Sat, 21 Nov 2026 10:15:00 GMT"}
		}, func(r *http.Request) (any, any) {
			return r.Header.Values("Date"), []string{"Sat, 21 Nov 2026 10:15:00 GMT"}
		}},
		{"client's request id is replaced", func(e *events.APIGatewayV2HTTPRequest) {
			e.Headers = map[string]string{"x-request-id": "forged"}
		}, func(r *http.Request) (any, any) { return r.Header.Values("X-Request-Id"), []string{"request-1"} }},
		{"client's request id is taken away where the gateway has none", func(e *events.APIGatewayV2HTTPRequest) {
			e.Headers, e.RequestContext.RequestID = map[string]string{"x-request-id": "forged"}, ""
		}, func(r *http.Request) (any, any) { return len(r.Header.Values("X-Request-Id")), 0 }},
		{"cookies are one header again, beside one that came as a header", func(e *events.APIGatewayV2HTTPRequest) {
			e.Cookies, e.Headers = []string{"a=1", `b="2, 3"`}, map[string]string{"cookie": "c=4"}
		}, func(r *http.Request) (any, any) { return r.Header.Values("Cookie"), []string{`a=1; b="2, 3"`} }},
		{"many headers arrive", func(e *events.APIGatewayV2HTTPRequest) {
			e.Headers = map[string]string{}
			for i := range 1000 {
				e.Headers[fmt.Sprintf("x-%d", i)] = "a, b"
			}
		}, func(r *http.Request) (any, any) { return fmt.Sprint(len(r.Header), r.Header.Get("X-999")), "1001a, b" }},
		{"query of 100,000 bytes is untouched", func(e *events.APIGatewayV2HTTPRequest) {
			e.RawQueryString = "agent=" + strings.Repeat("%7B", 33_333)
		}, func(r *http.Request) (any, any) { return len(r.URL.RawQuery), 6 + 3*33_333 }},
		{"no path is the root", func(e *events.APIGatewayV2HTTPRequest) { e.RawPath = "" },
			func(r *http.Request) (any, any) { return r.URL.Path + " " + r.RequestURI, "/ /" }},
		{"host comes from the domain without a Host header", nil,
			func(r *http.Request) (any, any) { return r.Host, "lrs.example.com" }},
		{"remote address splits, IPv6 too", func(e *events.APIGatewayV2HTTPRequest) { e.RequestContext.HTTP.SourceIP = "2001:db8::7" },
			func(r *http.Request) (any, any) {
				host, port, err := net.SplitHostPort(r.RemoteAddr)
				return fmt.Sprint(host, " ", port, " ", err), "2001:db8::7 0 <nil>"
			}},
		{"form in base64 parses", func(e *events.APIGatewayV2HTTPRequest) {
			method(http.MethodPost)(e)
			e.Headers = map[string]string{"content-type": "application/x-www-form-urlencoded"}
			e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte("method=PUT&content=%7B%7D")), true
		}, func(r *http.Request) (any, any) { return r.PostFormValue("content"), "{}" }},
		{"no body is no body", method(http.MethodPost),
			func(r *http.Request) (any, any) { return r.Body == http.NoBody && r.ContentLength == 0, true }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			called := false
			invoke(t, func(_ http.ResponseWriter, r *http.Request) {
				called = true
				if got, want := tt.check(r); !cmp.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}, event(t, tt.change))
			if !called {
				t.Error("the handler was not called")
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	tests := []struct {
		name    string
		method  string
		handler http.HandlerFunc
		want    answer
	}{
		{"silence is 200", "GET", func(http.ResponseWriter, *http.Request) {},
			answer{StatusCode: 200, Headers: map[string]string{}}},
		{"JSON is text", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"a":"<&>ü"}`)
		}, answer{StatusCode: 200, Headers: map[string]string{"Content-Type": "application/json"}, Body: `{"a":"<&>ü"}`}},
		{"what is JSON by its suffix is text", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json; charset=utf-8")
			_, _ = io.WriteString(w, `{}`)
		}, answer{StatusCode: 200, Headers: map[string]string{"Content-Type": "application/problem+json; charset=utf-8"}, Body: `{}`}},
		{"text that says it is compressed is not looked at", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Header().Set("Content-Encoding", "deflate")
			_, _ = io.WriteString(w, "plain")
		}, answer{StatusCode: 200, Headers: map[string]string{"Content-Type": "text/plain", "Content-Encoding": "deflate"}, Body: "cGxhaW4=", IsBase64Encoded: true}},
		{"type is found when the handler names none", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(404)
			_, _ = io.WriteString(w, "nothing here")
		}, answer{StatusCode: 404, Headers: map[string]string{"Content-Type": "text/plain; charset=utf-8"}, Body: "nothing here"}},
		{"attachment that happens to be UTF-8 is base64 all the same", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", `multipart/mixed; boundary="b"`)
			_, _ = io.WriteString(w, "plain")
		}, answer{StatusCode: 200, Headers: map[string]string{"Content-Type": `multipart/mixed; boundary="b"`}, Body: "cGxhaW4=", IsBase64Encoded: true}},
		{"compressed JSON is base64", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write([]byte{0x1f, 0x8b})
		}, answer{StatusCode: 200, Headers: map[string]string{"Content-Type": "application/json", "Content-Encoding": "gzip"}, Body: "H4s=", IsBase64Encoded: true}},
		{"text in another charset is base64", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain; charset=iso-8859-1")
			_, _ = w.Write([]byte{'a', 0xfc})
		}, answer{StatusCode: 200, Headers: map[string]string{"Content-Type": "text/plain; charset=iso-8859-1"}, Body: "Yfw=", IsBase64Encoded: true}},
		{"HEAD keeps the length and drops the body", "HEAD", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{}`)
		}, answer{StatusCode: 200, Headers: map[string]string{"Content-Type": "application/json", "Content-Length": "2"}}},
		{"HEAD keeps an announced length", "HEAD", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "4711")
		}, answer{StatusCode: 200, Headers: map[string]string{"Content-Length": "4711"}}},
		{"204 has no body", "PUT", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(204)
			if _, err := w.Write([]byte("x")); !errors.Is(err, http.ErrBodyNotAllowed) {
				t.Errorf("write after 204: %v", err)
			}
		}, answer{StatusCode: 204, Headers: map[string]string{}}},
		{"304 has no body", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", `"x"`)
			w.WriteHeader(304)
			_, _ = w.Write([]byte("x"))
		}, answer{StatusCode: 304, Headers: map[string]string{"Etag": `"x"`}}},
		{"first status counts and fixes the header", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(103)
			w.WriteHeader(409)
			w.WriteHeader(200)
			w.Header().Set("Late", "1")
		}, answer{StatusCode: 409, Headers: map[string]string{}}},
		{"repeated headers are joined, cookies are a list", "GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Vary", "Accept")
			w.Header().Add("Vary", "Origin")
			w.Header().Add("Set-Cookie", "a=1")
			w.Header().Add("Set-Cookie", "b=2")
		}, answer{StatusCode: 200, Headers: map[string]string{"Vary": "Accept, Origin"}, Cookies: []string{"a=1", "b=2"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := invoke(t, tt.handler, event(t, method(tt.method)))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPanicIsA500AndTheProcessLives(t *testing.T) {
	for name, cause := range map[string]any{
		"string":        "mailto:learner@example.com",
		"error":         errors.New("mailto:learner@example.com"),
		"runtime error": nil, // by an index out of range
		"abort":         http.ErrAbortHandler,
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			a := invokeLogging(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Experience-API-Version", "1.0.3")
				w.Header().Set("Content-Type", "image/png")
				_, _ = w.Write([]byte("half"))
				if cause == nil {
					_ = []byte(r.Method)[len(r.Method)]
				}
				panic(cause)
			}, event(t, nil), &log)
			if a.StatusCode != 500 || a.Headers["Content-Type"] != "application/json" || a.Headers["X-Experience-Api-Version"] != "1.0.3" {
				t.Errorf("got %d with %v", a.StatusCode, a.Headers)
			}
			if want := `{"error":{"status":500,"message":"internal error","requestId":"request-1"}}`; a.Body != want {
				t.Errorf("body %s, want %s", a.Body, want)
			}
			if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "handler panicked") || strings.Contains(log.String(), "learner") {
				t.Errorf("log: %s", log.String())
			}
		})
	}
}

func TestSizesAtTheLimit(t *testing.T) {
	respond := func(contentType string, body []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("ETag", `"x"`)
			_, _ = w.Write(body)
		}
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    int
	}{
		{"binary of 4.4 MiB fits in base64", respond("image/png", make([]byte, 44<<20/10)), 200},
		{"binary of 4.6 MiB does not", respond("image/png", make([]byte, 46<<20/10)), 413},
		{"text of 5.9 MiB fits", respond("application/json", bytes.Repeat([]byte("a"), 59<<20/10)), 200},
		{"text of 4 MiB that doubles by escapes fits in base64", respond("application/json", bytes.Repeat([]byte(`"`), 4<<20)), 200},
		{"text of 4.8 MiB that doubles by escapes does not", respond("application/json", bytes.Repeat([]byte(`"`), 48<<20/10)), 413},
		{"handler is stopped when its answer cannot be sent", func(w http.ResponseWriter, _ *http.Request) {
			chunk := make([]byte, 1<<20)
			for n := range 100 {
				if _, err := w.Write(chunk); err != nil {
					if n != 6 {
						t.Errorf("stopped after %d MiB, want 6", n)
					}
					return
				}
			}
			t.Error("100 MiB were taken")
		}, 413},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := invoke(t, tt.handler, event(t, nil))
			if a.StatusCode != tt.want {
				t.Fatalf("status %d, want %d", a.StatusCode, tt.want)
			}
			if tt.want == 413 && (!strings.Contains(a.bytes(t), "6 MB") || a.Headers["Etag"] != "") {
				t.Errorf("refusal %s with %v", a.bytes(t), a.Headers)
			}
		})
	}
	t.Run("event over the limit", func(t *testing.T) {
		a := invoke(t, func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") }, make([]byte, MaxPayload+1))
		if a.StatusCode != 413 || !strings.Contains(a.Body, "6 MB") {
			t.Errorf("got %d %s", a.StatusCode, a.Body)
		}
	})
}

func TestHandlerEndsBeforeTheFunctionDoes(t *testing.T) {
	deadline := time.Now().Add(time.Minute)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	var got time.Time
	gateway := NewGateway(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got, _ = r.Context().Deadline() }), slog.New(slog.DiscardHandler))
	if _, err := gateway.Invoke(ctx, event(t, nil)); err != nil {
		t.Fatal(err)
	}
	if want := deadline.Add(-500 * time.Millisecond); !got.Equal(want) {
		t.Errorf("deadline %v, want %v", got, want)
	}
}

// sampleEvents reads the payloads in events/ whose names match.
func sampleEvents(tb testing.TB, names string) (payloads [][]byte) {
	tb.Helper()
	paths, err := filepath.Glob("../../events/" + names + ".json")
	if err != nil || len(paths) == 0 {
		tb.Fatalf("found %d sample events: %v", len(paths), err)
	}
	for _, path := range paths {
		payload, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		payloads = append(payloads, payload)
	}
	return payloads
}

// FuzzInvoke looks for payloads that break the process, and for bodies that do not come back as they went in.
func FuzzInvoke(f *testing.F) {
	for _, payload := range sampleEvents(f, "*") {
		f.Add(payload, "image/png")
	}
	f.Fuzz(func(t *testing.T, payload []byte, contentType string) {
		var sent []byte
		head := false
		gateway := NewGateway(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var err error
			if sent, err = io.ReadAll(r.Body); err != nil || int64(len(sent)) != r.ContentLength {
				t.Errorf("body of %d bytes, length %d: %v", len(sent), r.ContentLength, err)
			}
			head = r.Method == http.MethodHead
			w.Header()["Content-Type"] = []string{contentType}
			_, _ = w.Write(sent)
		}), slog.New(slog.DiscardHandler))
		out, err := gateway.Invoke(t.Context(), payload)
		if err != nil {
			return
		}
		var a answer
		if err := json.Unmarshal(out, &a); err != nil {
			t.Fatalf("answer %q: %v", out, err)
		}
		if a.StatusCode == http.StatusOK && !head && a.bytes(t) != string(sent) {
			t.Errorf("got back %q, sent %q", a.bytes(t), sent)
		}
	})
}

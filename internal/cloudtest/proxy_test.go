package cloudtest

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A proxy must show a client what each fault is about, and never an answer that nobody gave.
func TestProxy(t *testing.T) {
	const request, reply = "what is asked", "the whole of the answer"
	for _, test := range []struct {
		name    string
		fault   Fault
		reached bool   // the server
		status  int    // 0: there is no answer
		body    string // "" with a status: it breaks off
	}{
		{"none", nil, true, 201, reply},
		{"unsent", Unsent, false, 0, ""},
		{"reply lost", ReplyLost, true, 0, ""},
		{"reply broken", ReplyBroken, true, 201, ""},
		{"refused", S3Error(503, "SlowDown"), false, 503, "<Error><Code>SlowDown</Code><Message>injected</Message></Error>"},
		{"done and refused", Done(S3Error(500, "InternalError")), true, 500, "<Error><Code>InternalError</Code><Message>injected</Message></Error>"},
		{"late", Late(time.Millisecond), true, 201, reply},
	} {
		t.Run(test.name, func(t *testing.T) {
			var reached atomic.Bool
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				reached.Store(true)
				if got, err := io.ReadAll(r.Body); err != nil || string(got) != request || r.URL.Path != "/a b" {
					t.Errorf("%q arrived at %s, %v", got, r.URL.Path, err)
				}
				w.WriteHeader(http.StatusCreated)
				io.WriteString(w, reply)
			}))
			defer server.Close()
			proxy, err := OpenProxy(server.URL, func(_ *http.Request, body []byte) Fault {
				if string(body) != request {
					t.Errorf("the body is %q", body)
				}
				return test.fault
			})
			if err != nil {
				t.Fatal(err)
			}
			defer proxy.Close()
			status, body, err := exchange(proxy.URL+"/a%20b", request)
			if status != test.status || reached.Load() != test.reached {
				t.Errorf("status %d, reached %t; want %d, %t", status, reached.Load(), test.status, test.reached)
			}
			if whole := test.body != ""; whole != (err == nil) || whole && body != test.body {
				t.Errorf("the answer is %q, %v", body, err)
			}
		})
	}
}

func exchange(url, body string) (status int, answer string, err error) {
	response, err := http.Post(url, "text/plain", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	got, err := io.ReadAll(response.Body)
	return response.StatusCode, string(got), errors.Join(err, response.Body.Close())
}

func TestLeftovers(t *testing.T) {
	for _, test := range []struct{ name, body, done, reply string }{
		{"writes", `{"RequestItems":{"A":[1,2,3],"B":[4]}}`, `{"RequestItems":{"A":[1,2],"B":[4]}}`, `{"UnprocessedItems":{"A":[3]}}`},
		{"keys", `{"RequestItems":{"A":{"Keys":[1,2],"ConsistentRead":true}}}`, `{"RequestItems":{"A":{"ConsistentRead":true,"Keys":[1]}}}`,
			`{"UnprocessedKeys":{"A":{"ConsistentRead":true,"Keys":[2]}}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if got, err := io.ReadAll(r.Body); err != nil || string(got) != test.done {
					t.Errorf("%s arrived, %v", got, err)
				}
				io.WriteString(w, "{}")
			}))
			defer server.Close()
			proxy, err := OpenProxy(server.URL, func(_ *http.Request, body []byte) Fault { return DynamoDBLeftovers(body) })
			if err != nil {
				t.Fatal(err)
			}
			defer proxy.Close()
			status, body, err := exchange(proxy.URL, test.body)
			if err != nil || status != http.StatusOK || body != test.reply {
				t.Errorf("status %d, %s, %v", status, body, err)
			}
		})
	}
}

package edge

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// failing is a resource that does f.
func failing(f Handler) Resource {
	return Resource{Name: "failing", Path: "/xapi/failing", Methods: map[string]Handler{http.MethodGet: f}}
}

func failWith(err error) Resource {
	return failing(func(http.ResponseWriter, *Request) error { return err })
}

func TestStatusOfErrors(t *testing.T) {
	internal := errors.New("dial tcp 10.0.0.7:8000: secret host")
	two := 2
	tests := []struct {
		name string
		err  error
		want problemDetail
	}{
		{"invalid", &lrs.Refusal{Kind: lrs.ErrInvalid, Statement: 2, Path: "/id", Message: "no"}, problemDetail{Status: 400, Message: "no", Statement: &two, Path: "/id"}},
		{"forbidden", &lrs.Refusal{Kind: lrs.ErrForbidden, Statement: -1, Message: "no"}, problemDetail{Status: 403, Message: "no"}},
		{"not found", &lrs.Refusal{Kind: lrs.ErrNotFound, Statement: -1, Message: "no"}, problemDetail{Status: 404, Message: "no"}},
		{"conflict", fmt.Errorf("store: %w", &lrs.Refusal{Kind: lrs.ErrConflict, Statement: 2, Message: "no"}), problemDetail{Status: 409, Message: "no", Statement: &two}},
		{"too large", &lrs.Refusal{Kind: lrs.ErrTooLarge, Statement: -1, Message: "no"}, problemDetail{Status: 413, Message: "no"}},
		{"unavailable", &lrs.Refusal{Kind: lrs.ErrUnavailable, Statement: -1, Message: "no", Cause: internal}, problemDetail{Status: 503, Message: "the store cannot do this just now: try again"}},
		{"bare kind", lrs.ErrNotFound, problemDetail{Status: 404, Message: "not found"}},
		{"unauthorized", auth.ErrUnauthorized, problemDetail{Status: 401, Message: auth.ErrUnauthorized.Error()}},
		{"throttled", fmt.Errorf("put: %w", table.ErrThrottled), problemDetail{Status: 503, Message: "the store cannot do this just now: try again"}},
		{"outcome unknown", table.ErrUnknown, problemDetail{Status: 503, Message: "the store cannot do this just now: try again"}},
		{"blobs away", blob.ErrUnavailable, problemDetail{Status: 503, Message: "the store cannot do this just now: try again"}},
		{"out of time", context.DeadlineExceeded, problemDetail{Status: 503, Message: "the store cannot do this just now: try again"}},
		{"statement breaks a rule", &xapi.Error{Statement: 2, Path: "/actor/mbox", Rule: "must be a mailto IRI", Section: "xAPI 1.0.3 Data 2.4.2.3"},
			problemDetail{Status: 400, Message: "statement 2: /actor/mbox: must be a mailto IRI (xAPI 1.0.3 Data 2.4.2.3)", Statement: &two, Path: "/actor/mbox", Rule: "must be a mailto IRI", Section: "xAPI 1.0.3 Data 2.4.2.3"}},
		{"limit of statements", &xapi.Error{Statement: -1, Rule: "at most 100", TooLarge: true}, problemDetail{Status: 413, Message: "at most 100", Rule: "at most 100"}},
		{"anything else", internal, problemDetail{Status: 500, Message: "internal error"}},
		{"a refusal of no known kind", &lrs.Refusal{Kind: internal, Statement: -1, Message: "secret"}, problemDetail{Status: 500, Message: "internal error"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			r := serve(newTestEdge(&log, failWith(test.err)), request("GET", "/xapi/failing", ""))
			got := problemOf(t, r)
			test.want.RequestID = "id-1"
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("answer:\n%s", diff)
			}
			if r.StatusCode != test.want.Status {
				t.Errorf("status: got %d, want %d", r.StatusCode, test.want.Status)
			}
			if has := r.Header.Get("Retry-After") != ""; has != (test.want.Status == 503) {
				t.Errorf("Retry-After: got %t, want %t", has, test.want.Status == 503)
			}
			if test.want.Status == 500 && !strings.Contains(log.String(), "secret") {
				t.Errorf("the log does not tell the cause: %s", log.String())
			}
		})
	}
}

func TestFormatOfErrors(t *testing.T) {
	const wantText = "403 Forbidden\nno <b>\nSee xAPI 1.0.3 Communication 4.2.\nRequest id-1\n"
	for _, test := range []struct{ accept, contentType string }{
		{"", "application/json"},
		{"*/*", "application/json"},
		{"application/json", "application/json"},
		{"application/json, text/plain, */*", "application/json"},
		{"multipart/mixed", "application/json"},
		{"nonsense;;q=x", "application/json"},
		{"text/plain", "text/plain; charset=utf-8"},
		{"text/*", "text/plain; charset=utf-8"},
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html; charset=utf-8"},
		{"text/html;q=0.2, text/plain;q=0.7, application/json;q=0.1", "text/plain; charset=utf-8"},
		{"application/json;q=0, */*", "text/plain; charset=utf-8"},
	} {
		refusal := Refuse(http.StatusForbidden, "xAPI 1.0.3 Communication 4.2", "no <b>")
		r := serve(newTestEdge(io.Discard, failWith(refusal)), request("GET", "/xapi/failing", "", "Accept: "+test.accept))
		if got := r.Header.Get("Content-Type"); got != test.contentType {
			t.Errorf("Accept %q: got %q, want %q", test.accept, got, test.contentType)
		}
		body := bodyOf(t, r)
		switch {
		case strings.HasPrefix(test.contentType, "text/plain") && body != wantText:
			t.Errorf("text:\n%s", cmp.Diff(wantText, body))
		case strings.HasPrefix(test.contentType, "text/html") && (!strings.Contains(body, "no &lt;b&gt;") || strings.Contains(body, "<b>")):
			t.Errorf("HTML does not escape the message: %s", body)
		}
		if r.Header.Get("Vary") != "Accept" {
			t.Errorf("Accept %q: Vary: got %q, want Accept", test.accept, r.Header.Get("Vary"))
		}
	}
}

func TestPanicIsA500(t *testing.T) {
	for name, cause := range map[string]any{"text": "learner alice@example.com", "error": errors.New("alice@example.com")} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			e := newTestEdge(&log, failing(func(http.ResponseWriter, *Request) error { panic(cause) }))
			r := serve(e, request("GET", "/xapi/failing", ""))
			if p := problemOf(t, r); r.StatusCode != 500 || p.Message != "internal error" {
				t.Errorf("got %d %q, want 500 internal error", r.StatusCode, p.Message)
			}
			if strings.Contains(log.String(), "alice") {
				t.Errorf("the log holds the text of the panic: %s", log.String())
			}
			if !strings.Contains(log.String(), "stack") {
				t.Error("the log holds no stack")
			}
		})
	}
}

func TestFailureInTheMiddleCutsTheConnection(t *testing.T) {
	var log bytes.Buffer
	e := newTestEdge(&log, failing(func(w http.ResponseWriter, _ *Request) error {
		if _, err := io.WriteString(w, "half"); err != nil {
			return err
		}
		return errors.New("read attachment: gone")
	}))
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("the connection was not cut")
		}
		if !strings.Contains(log.String(), "read attachment: gone") {
			t.Errorf("the log does not tell: %s", log.String())
		}
	}()
	serve(e, request("GET", "/xapi/failing", ""))
}

func TestLogLine(t *testing.T) {
	var log bytes.Buffer
	metered := failing(func(w http.ResponseWriter, r *Request) error {
		if _, _, err := table.Metered(costly{}).Get(r.Context(), table.Ref{}, table.Strong); err != nil {
			return err
		}
		return Write(w, http.StatusOK, "text/plain", []byte("hello"))
	})
	r := request("GET", "/xapi/failing?agent=canary", "", "Accept-Language: canary", "Cookie: canary=1")
	serve(newTestEdge(&log, metered), r)
	var got map[string]any
	if err := json.Unmarshal(log.Bytes(), &got); err != nil {
		t.Fatalf("not one line of JSON: %v: %s", err, log.String())
	}
	delete(got, "time")
	want := map[string]any{
		"level": "INFO", "msg": "request", "id": "id-1", "method": "GET", "route": "failing", "status": 200.0, "ms": 0.0, "bytes": 5.0,
		"store": "default", "calls": 1.0, "readUnits": 2.5, "writeUnits": 0.0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log line:\n%s", diff)
	}

	log.Reset()
	e := newTestEdge(&log)
	serve(e, request("GET", "/xapi/canary?canary=1", ""))
	serve(e, request("PUT", "/xapi/echo?canary=%zz", "canary"))
	serve(e, request("POST", "/xapi/echo?method=canary", "canary=1"))
	serve(e, request("GET", "/xapi/echo", "", "Authorization: Basic Y2FuYXJ5OmNhbmFyeQ=="))
	if strings.Contains(log.String(), "canary") || strings.Contains(log.String(), "Y2Fu") {
		t.Errorf("the log repeats what a client sent: %s", log.String())
	}
	if got := strings.Count(log.String(), "\n"); got != 4 {
		t.Errorf("got %d lines for 4 requests", got)
	}
}

// costly is a table whose gets cost 2.5 read units.
type costly struct{ table.DB }

func (costly) Get(context.Context, table.Ref, table.Consistency) (table.Item, table.Cost, error) {
	return nil, table.Cost{Read: 2.5}, nil
}

func TestOnly(t *testing.T) {
	for _, test := range []struct {
		name   string
		params Params
		known  []string
		want   string // a part of the message; "": no error
	}{
		{"none sent, none known", nil, nil, ""},
		{"known", Params{"limit": "1"}, []string{"limit", "since"}, ""},
		{"unknown", Params{"foo": "1"}, []string{"limit"}, `"foo" is not known here: this request takes limit`},
		{"wrong case", Params{"Limit": "1"}, []string{"limit"}, `"Limit" must be written "limit"`},
		{"none known", Params{"limit": "1"}, nil, "takes none"},
		{"two unknown: the first by name", Params{"b": "", "a": ""}, nil, `"a"`},
	} {
		err := test.params.Only(test.known...)
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.want != "" && (err == nil || asError(err).Status != 400 || !strings.Contains(err.Error(), test.want)):
			t.Errorf("%s: got %v, want a 400 with %q", test.name, err, test.want)
		}
	}
}

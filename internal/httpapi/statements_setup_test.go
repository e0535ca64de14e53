package httpapi_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob/disk"
	"github.com/cairn-lrs/cairn/internal/document"
	"github.com/cairn-lrs/cairn/internal/httpapi"
	"github.com/cairn-lrs/cairn/internal/httpapi/lrsapi"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/position/positiontest"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
	"github.com/cairn-lrs/cairn/internal/table/pebble/pebbletest"
	"github.com/cairn-lrs/cairn/internal/transfer"
)

// server is the whole of Cairn over engines in memory and a temporary folder, with a clock that tests can move.
type server struct {
	http.Handler
	t         *testing.T
	directory *auth.Directory
	store     auth.Store
	blobs     *disk.Store
	log       *bytes.Buffer

	mu    sync.Mutex
	clock func() time.Time
	ahead time.Duration // how far the clock is moved
}

// credential is a key with its secret.
type credential struct{ key, secret string }

func newServer(t *testing.T) *server { return newServerWith(t, false) }

// newServerWith makes a server whose answers have no limit, or, with byURL, are given by URLs above it.
func newServerWith(t *testing.T, byURL bool) *server {
	t.Helper()
	s := &server{t: t, log: &bytes.Buffer{}, clock: positiontest.Unhurried(time.Now)}
	db := pebbletest.Open(t, schema.Tables, pebble.Options{Now: s.now})
	blobs, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := blobs.Close(); err != nil {
			t.Error(err)
		}
	})
	s.directory = auth.NewDirectory(auth.Config{Tables: table.Metered(db), Scanner: db, Now: s.now, Shards: 1})
	positions := position.NewClock(s.now, nil)
	s.blobs = blobs
	transfers := transfer.New(transfer.Config{Blobs: blobs, URLs: blobs, Now: s.now})
	var answers lrsapi.AnswerService
	if byURL {
		answers = transfers
	}
	service := lrs.New(lrs.Config{
		Tables: db, Blobs: blobs, Uploads: transfers, Positions: positions, Horizon: lrs.OneProcess{Positions: positions}, Authorities: s.directory, OnlyWriter: true,
	})
	api := httpapi.New(httpapi.Options{
		Statements:    service,
		Uploads:       transfers,
		Answers:       answers,
		Activities:    service,
		Persons:       service,
		Documents:     document.New(document.Config{Tables: db, Blobs: blobs, Now: s.now}),
		Authenticator: s.directory,
		Log:           slog.New(slog.NewJSONHandler(s.log, nil)),
		Now:           s.now,
	})
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, disk.TransferPath) {
			blobs.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
	s.store = s.newStore("Ours")
	return s
}

func (s *server) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clock().Add(s.ahead)
}

func (s *server) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

func (s *server) newStore(name string) auth.Store {
	s.t.Helper()
	store, err := s.directory.CreateStore(context.Background(), name)
	if err != nil {
		s.t.Fatal(err)
	}
	return store
}

func (s *server) newCredential(store auth.Store, scopes ...auth.Scope) credential {
	s.t.Helper()
	key, secret, err := s.directory.CreateCredential(context.Background(), store.ID, auth.NewCredential{Label: "test", Scopes: scopes})
	if err != nil {
		s.t.Fatal(err)
	}
	return credential{key, secret}
}

// client speaks to a server with one credential.
type client struct {
	*server
	credential
	version string
}

// newClient makes a client with all scopes on the server's first store.
func (s *server) newClient() client {
	return client{server: s, credential: s.newCredential(s.store, auth.All), version: "1.0.3"}
}

// answer is a response whose body was read.
type answer struct {
	*http.Response
	body string
}

// do sends a request to the statements resource; query goes behind its path. Header lines are "Name: value".
func (c client) do(method, query, body string, header ...string) answer {
	c.t.Helper()
	return c.request(method, "/xapi/statements"+query, body, header...)
}

// request sends a request to any resource. A header line without a value takes the header away.
func (c client) request(method, target, body string, header ...string) answer {
	c.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.SetBasicAuth(c.key, c.secret)
	r.Header.Set("X-Experience-API-Version", c.version)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ":")
		if value = strings.TrimSpace(value); value == "" {
			r.Header.Del(name)
		} else {
			r.Header.Set(name, value)
		}
	}
	return c.send(r)
}

func (c client) send(r *http.Request) answer {
	c.t.Helper()
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	response := w.Result()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{response, string(content)}
}

// mustPost stores statements and fails the test when that is refused.
func (c client) mustPost(body string) []string {
	c.t.Helper()
	a := c.do("POST", "", body)
	a.want(c.t, 200)
	var ids []string
	if err := json.Unmarshal([]byte(a.body), &ids); err != nil {
		c.t.Fatalf("POST answered no list of ids: %v: %s", err, a.body)
	}
	return ids
}

func (a answer) want(t *testing.T, status int) {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("status: got %d, want %d: %s", a.StatusCode, status, a.body)
	}
}

// result is a StatementResult.
type result struct {
	Statements []jsontext.Value `json:"statements"`
	More       string           `json:"more"`
}

func (a answer) result(t *testing.T) result {
	t.Helper()
	a.want(t, 200)
	return parseResult(t, a.body)
}

func parseResult(t *testing.T, body string) result {
	t.Helper()
	var r result
	if err := json.Unmarshal([]byte(body), &r, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("no StatementResult: %v: %s", err, body)
	}
	return r
}

// ids are the ids of the statements in a list.
func (r result) ids(t *testing.T) []string {
	t.Helper()
	ids := []string{}
	for _, s := range r.Statements {
		ids = append(ids, member(t, string(s), "id"))
	}
	return ids
}

// member is a string member of a JSON object.
func member(t *testing.T, object, name string) string {
	t.Helper()
	var members map[string]jsontext.Value
	if err := json.Unmarshal([]byte(object), &members); err != nil {
		t.Fatalf("no JSON object: %v: %s", err, object)
	}
	var s string
	if err := json.Unmarshal(members[name], &s); err != nil {
		t.Fatalf("member %s: %v: %s", name, err, object)
	}
	return s
}

// message is the message of an error.
func (a answer) message(t *testing.T) string {
	t.Helper()
	var p struct {
		Error struct{ Message string }
	}
	if err := json.Unmarshal([]byte(a.body), &p, json.MatchCaseInsensitiveNames(true)); err != nil {
		t.Fatalf("error is no JSON: %v: %s", err, a.body)
	}
	return p.Error.Message
}

// uuid makes a version 4 UUID.
func uuid() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// statement makes a statement; members are `"name":value` and come first, in place of the default ones of that name.
func statement(members ...string) string {
	all := members
	for _, standard := range []string{
		`"actor":{"mbox":"mailto:learner@example.com"}`,
		`"verb":{"id":"http://example.com/verbs/did"}`,
		`"object":{"id":"http://example.com/activities/one"}`,
	} {
		name, _, _ := strings.Cut(standard, ":")
		taken := false
		for _, m := range members {
			taken = taken || strings.HasPrefix(m, name)
		}
		if !taken {
			all = append(all[:len(all):len(all)], standard)
		}
	}
	return "{" + strings.Join(all, ",") + "}"
}

func withID(id string) string { return `"id":"` + id + `"` }

// batch makes an array of statements.
func batch(statements ...string) string { return "[" + strings.Join(statements, ",") + "]" }

// query makes a query of names and values in turn.
func query(pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return "?" + values.Encode()
}

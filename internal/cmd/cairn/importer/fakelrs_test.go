package importer

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
)

// fakeLRS keeps statements by id in memory and refuses those whose verb says so. A test can put itself before it.
type fakeLRS struct {
	*httptest.Server

	mu       sync.Mutex
	stored   map[string]string
	versions []string // of the requests' headers
	posts    int
	largest  int // statements of one request
	before   func(post int, w http.ResponseWriter) (handled bool)
	after    func(post int, w http.ResponseWriter) (handled bool) // when the statements are stored
}

func newFakeLRS(t *testing.T) *fakeLRS {
	l := &fakeLRS{stored: map[string]string{}}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	return l
}

func (l *fakeLRS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if key, secret, _ := r.BasicAuth(); key != "key" || secret != "secret" {
		http.Error(w, "no", http.StatusUnauthorized)
		return
	}
	if r.URL.Path != "/xapi/statements" {
		http.NotFound(w, r)
		return
	}
	if r.Method == http.MethodGet {
		body, ok := l.stored[r.URL.Query().Get("statementId")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		io.WriteString(w, body)
		return
	}
	l.posts++
	l.versions = append(l.versions, r.Header.Get("X-Experience-API-Version"))
	if l.before != nil && l.before(l.posts, w) {
		return
	}
	status, message := l.store(r.Body)
	if status == http.StatusOK && l.after != nil && l.after(l.posts, w) {
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":{"status":%d,"message":%q}}`, status, message)
}

func (l *fakeLRS) store(body io.Reader) (status int, message string) {
	var batch []jsontext.Value
	if err := json.UnmarshalRead(body, &batch); err != nil {
		return http.StatusBadRequest, "not JSON: " + err.Error()
	}
	l.largest = max(l.largest, len(batch))
	adds := map[string]string{}
	for _, value := range batch {
		var s struct {
			ID   string `json:"id"`
			Verb string `json:"verb"`
		}
		if err := json.Unmarshal(value, &s); err != nil {
			return http.StatusBadRequest, "not a statement"
		}
		switch {
		case s.ID == "":
			return http.StatusBadRequest, "no id"
		case s.Verb == "bad":
			return http.StatusBadRequest, "the verb is bad"
		case s.Verb == "large":
			return http.StatusRequestEntityTooLarge, "the statement is too large"
		case adds[s.ID] != "":
			return http.StatusBadRequest, "an id stands twice"
		case l.stored[s.ID] != "" && l.stored[s.ID] != string(value):
			return http.StatusConflict, "another statement has this id"
		}
		adds[s.ID] = string(value)
	}
	for id, value := range adds {
		l.stored[id] = value
	}
	return http.StatusOK, ""
}

// forget loses the statements with these ids; without ids all.
func (l *fakeLRS) forget(ids ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(ids) == 0 {
		clear(l.stored)
	}
	for _, id := range ids {
		delete(l.stored, id)
	}
}

// verbs counts what is stored.
func (l *fakeLRS) verbs(t *testing.T) map[string]int {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	counts := map[string]int{}
	for _, value := range l.stored {
		var s struct {
			Verb string `json:"verb"`
		}
		if err := json.Unmarshal([]byte(value), &s); err != nil {
			t.Fatal(err)
		}
		counts[s.Verb]++
	}
	return counts
}

// notes is a Progress that keeps what was said.
type notes struct {
	lines    []string
	advances []Summary
	onTurn   func(Summary)
}

func (n *notes) Begin(string, int64) {}
func (n *notes) Note(text string)    { n.lines = append(n.lines, text) }
func (n *notes) End()                {}
func (n *notes) Advance(_ int64, s Summary) {
	n.advances = append(n.advances, s)
	if n.onTurn != nil {
		n.onTurn(s)
	}
}

func (n *notes) said(text string) bool { return slices.Contains(n.lines, text) }

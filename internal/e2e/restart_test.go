package e2e

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// TestMoreAfterRestartAndRotation follows a more link that an earlier process sealed, after its credential got a new
// secret. Source: xAPI 1.0.3 Communication 2.1.3: a more link is good for 24 hours.
func TestMoreAfterRestartAndRotation(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	before := open(t, data)
	_, old := FreshStore(t, before)
	c := newClient(before.Endpoint(), 1)
	defer c.close()
	c.who = old
	var batch []string
	for i := range 30 {
		batch = append(batch, fmt.Sprintf(`{"actor":{"mbox":"mailto:a@example.org"},"verb":{"id":"http://example.org/v"},"object":{"id":"http://example.org/%d"}}`, i))
	}
	if a, err := c.post(t.Context(), "["+strings.Join(batch, ",")+"]"); err != nil || a.status != http.StatusOK {
		t.Fatalf("POST: %d %s %v", a.status, a.body, err)
	}
	a, err := c.do(t.Context(), http.MethodGet, c.endpoint+"/statements?limit=10&ascending=true&format=ids", nil)
	if err != nil {
		t.Fatal(err)
	}
	more, found, err := lookUp(a.body, "$.more")
	if err != nil || !found {
		t.Fatalf("first page has no more: %v %s", err, a.body)
	}
	if err := before.Stop(); err != nil {
		t.Fatal(err)
	}

	after := open(t, data)
	defer func() {
		if err := after.Stop(); err != nil {
			t.Error(err)
		}
	}()
	said, err := after.Command(t.Context(), "credential", "rotate", "-data", data, old.Key)
	if err != nil {
		t.Fatal(err)
	}
	c.endpoint = after.Endpoint()
	if c.who.Secret, err = field(said, "secret"); err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(after.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	next, err := base.Parse(plain(more))
	if err != nil {
		t.Fatal(err)
	}
	a, err = c.do(t.Context(), http.MethodGet, next.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	activities, _, err := lookUp(a.body, "$.statements[*].object")
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"id":"http://example.org/10"},`
	if a.status != http.StatusOK || !strings.HasPrefix(string(activities), want) {
		t.Errorf("second page: %d %.300s, want 200 and objects that begin with %s", a.status, a.body, want)
	}
	c.who = old
	if a, err = c.do(t.Context(), http.MethodGet, next.String(), nil); err != nil || a.status != http.StatusUnauthorized {
		t.Errorf("with the secret from before: %d %v, want 401", a.status, err)
	}
}

// TestUploadSurvivesAKill: what was uploaded before a kill is there for the statement that comes after it, once, and the
// attachment that a client learnt to be stored survives the next one.
func TestUploadSurvivesAKill(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	server := open(t, data)
	_, who := FreshStore(t, server)
	c := newClient(server.Endpoint(), 1)
	defer c.close()
	c.who = who
	film := bytes.Repeat([]byte("0123456789abcdef"), 6_000_000/16)
	sum := sha256.Sum256(film)
	ticket, a, err := c.newTicket(t.Context(), film)
	if err != nil || a.status != http.StatusOK {
		t.Fatalf("POST /uploads: %d %s %v", a.status, a.body, err)
	}
	if a, err = c.byURL(t.Context(), http.MethodPut, ticket.URL, ticket.Headers, film); err != nil || a.status != http.StatusOK {
		t.Fatalf("PUT to the URL: %d %s %v", a.status, a.body, err)
	}
	statement := fmt.Sprintf(`{"id":"5a1c8a2e-8d7c-4a52-9a8b-8d3c2f0e1b11","actor":{"mbox":"mailto:a@example.org"},"verb":{"id":"http://example.org/v"},"object":{"id":"http://example.org/o"},"attachments":[{"usageType":"http://example.org/u","display":{"en":"Film"},"contentType":"video/mp4","length":%d,"sha2":"%x"}]}`, len(film), sum)
	for round := range 2 { // the second time it is sent again
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		server = open(t, data)
		c.endpoint = server.Endpoint()
		a, err = c.do(t.Context(), http.MethodPost, c.endpoint+"/statements", strings.NewReader(statement), "X-Cairn-Upload", ticket.Upload)
		if err != nil || a.status != http.StatusOK {
			t.Fatalf("round %d: POST: %d %s %v", round, a.status, a.body, err)
		}
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	server = open(t, data)
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	}()
	a, err = c.do(t.Context(), http.MethodGet, server.Endpoint()+"/statements?statementId=5a1c8a2e-8d7c-4a52-9a8b-8d3c2f0e1b11&attachments=true", nil)
	if err != nil || a.status != http.StatusOK || bytes.Count(a.body, film) != 1 {
		t.Errorf("GET: %d, %d bytes, %v", a.status, len(a.body), err)
	}
}

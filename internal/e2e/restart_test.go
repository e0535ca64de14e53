package e2e

import (
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
	store, err := before.NewStore(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old, err := before.NewCredential(t.Context(), store, nil, false)
	if err != nil {
		t.Fatal(err)
	}
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

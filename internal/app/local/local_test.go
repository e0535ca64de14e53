package local_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/auth"
)

// patience is how long tests wait for what comes soon. Only what never comes reaches it, however busy the machine is.
const patience = 2 * time.Minute

func open(t *testing.T, dir string, o local.Options) *local.Cairn {
	t.Helper()
	c, err := local.Open(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestOpenLocksTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "with its parents")
	first := open(t, dir, local.Options{})
	if _, err := local.Open(t.Context(), dir, local.Options{}); !errors.Is(err, local.ErrInUse) {
		t.Errorf("a second Open: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir, local.Options{}).Close(); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder can be read by others: %v, %v", info.Mode(), err)
	}
}

// In a folder that others may look into, what is kept is closed to them all the same.
func TestOpenClosesWhatItMakes(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := open(t, dir, local.Options{}).Close(); err != nil {
		t.Fatal(err)
	}
	made, err := os.ReadDir(dir)
	if err != nil || len(made) == 0 {
		t.Fatalf("%v, %v", made, err)
	}
	for _, entry := range made {
		if info, err := entry.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others can open %s: %v, %v", entry.Name(), info.Mode(), err)
		}
	}
}

func TestOpenTellsWhatIsWrong(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := local.Open(t.Context(), file, local.Options{}); err == nil || errors.Is(err, local.ErrInUse) {
		t.Errorf("a file as the folder: %v", err)
	}
}

// What was stored before a restart is there after it, under the same credential; and with late index entries the lists
// have it no later than Consistent-Through says.
func TestStatementsSurviveARestart(t *testing.T) {
	for name, delay := range map[string]time.Duration{"prompt indexes": 0, "late indexes": 100 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			first := open(t, dir, local.Options{IndexDelay: delay})
			key, secret, err := first.Directory.CreateCredential(t.Context(), auth.DefaultStore, auth.NewCredential{Scopes: auth.Scopes{auth.All}})
			if err != nil {
				t.Fatal(err)
			}
			ask := func(c *local.Cairn, method, body string) (string, http.Header) {
				t.Helper()
				r := httptest.NewRequest(method, "/xapi/statements", strings.NewReader(body))
				r.SetBasicAuth(key, secret)
				r.Header.Set("X-Experience-API-Version", "1.0.3")
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				c.Handler().ServeHTTP(w, r)
				answer, err := io.ReadAll(w.Body)
				if err != nil || w.Code != http.StatusOK {
					t.Fatalf("%s: %d %s", method, w.Code, answer)
				}
				return string(answer), w.Header()
			}
			ask(first, http.MethodPost, `{"actor":{"mbox":"mailto:ada@example.com"},"verb":{"id":"http://example.com/v"},"object":{"id":"http://example.com/a"}}`)
			stored := time.Now()
			listed := func(c *local.Cairn) {
				t.Helper()
				for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
					list, header := ask(c, http.MethodGet, "")
					through, err := time.Parse(time.RFC3339, header.Get("X-Experience-API-Consistent-Through"))
					if err != nil {
						t.Fatal(err)
					}
					if through.Before(stored) && time.Now().Before(deadline) {
						continue
					}
					if !strings.Contains(list, "mailto:ada@example.com") {
						t.Errorf("consistent through %v, and the list has not what was stored before %v: %s", through, stored, list)
					}
					return
				}
			}
			listed(first)
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			second := open(t, dir, local.Options{IndexDelay: delay})
			listed(second)
			if err := second.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

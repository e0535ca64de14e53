package app_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairn-lrs/cairn/internal/app"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob/disk"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// More statements wait for a target than its request completes: the rest is completed by who consumes the changes.
func TestConsumerCompletesWhatRequestsLeft(t *testing.T) {
	tables, err := pebble.Open("data", schema.Tables, pebble.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tables.Close(); err != nil {
			t.Error(err)
		}
	})
	blobs, err := disk.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cairn := app.New(app.Ports{
		Tables: tables, Scanner: tables, Blobs: blobs, Transfer: blobs, Now: time.Now, OnlyWriter: true, Shards: 1, Log: slog.New(slog.DiscardHandler),
	})
	if err := cairn.Directory.EnsureDefault(t.Context()); err != nil {
		t.Fatal(err)
	}
	key, secret, err := cairn.Directory.CreateCredential(t.Context(), auth.DefaultStore, auth.NewCredential{Scopes: auth.Scopes{auth.All}})
	if err != nil {
		t.Fatal(err)
	}
	handler := cairn.StatementsHandler()
	ask := func(method, query, body string) string {
		t.Helper()
		r := httptest.NewRequest(method, "/xapi/statements"+query, strings.NewReader(body))
		r.SetBasicAuth(key, secret)
		r.Header.Set("X-Experience-API-Version", "1.0.3")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		if handler.ServeHTTP(w, r); w.Code != http.StatusOK {
			t.Fatalf("%s %s: %d %s", method, query, w.Code, w.Body)
		}
		return w.Body.String()
	}
	const target, waiting = "00000001-0000-4000-8000-000000000000", 60
	said := func(object string) string {
		return `{"actor":{"mbox":"mailto:ann@example.com"},"verb":{"id":"http://example.com/v"},"object":` + object + `}`
	}
	ask("POST", "", "["+strings.TrimSuffix(strings.Repeat(said(`{"objectType":"StatementRef","id":"`+target+`"}`)+",", waiting), ",")+"]")
	ask("POST", "", strings.Replace(said(`{"id":"http://example.com/a"}`), "{", fmt.Sprintf(`{"id":%q,`, target), 1))
	listed := func() int {
		return strings.Count(ask("GET", "?activity=http://example.com/a&limit=100", ""), `"stored"`)
	}
	if n := listed(); n > waiting {
		t.Fatalf("the request itself has completed %d statements: this test shows nothing", n)
	}
	consume := cairn.Rollups.Consumer(0)
	shards, err := tables.Shards(t.Context(), schema.Statements)
	if err != nil {
		t.Fatal(err)
	}
	for _, shard := range shards {
		for after := ""; ; {
			changes, _, err := tables.Changes(t.Context(), schema.Statements, shard.ID, after, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if len(changes) == 0 {
				break
			}
			if done, err := consume(t.Context(), changes); err != nil || done != len(changes) {
				t.Fatalf("%d of %d changes are done, %v", done, len(changes), err)
			}
			after = changes[len(changes)-1].Sequence
		}
	}
	if n := listed(); n != waiting+1 {
		t.Errorf("%d statements lead to the activity, want %d", n, waiting+1)
	}
}

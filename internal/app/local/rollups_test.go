package local_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
)

// folder is an open data folder with a credential.
type folder struct {
	*local.Cairn
	t           *testing.T
	key, secret string
}

func openFolder(t *testing.T, dir string) *folder {
	t.Helper()
	f := &folder{Cairn: open(t, dir, local.Options{}), t: t}
	var err error
	f.key, f.secret, err = f.Directory.CreateCredential(t.Context(), auth.DefaultStore, auth.NewCredential{Scopes: auth.Scopes{auth.All}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// post stores statements.
func (f *folder) post(body string) {
	f.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/xapi/statements", strings.NewReader(body))
	r.SetBasicAuth(f.key, f.secret)
	r.Header.Set("X-Experience-API-Version", "1.0.3")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	f.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		f.t.Fatalf("post: %d %s", w.Code, w.Body)
	}
}

func (f *folder) store() auth.Store {
	f.t.Helper()
	store, err := f.Directory.Store(f.t.Context(), auth.DefaultStore)
	if err != nil {
		f.t.Fatal(err)
	}
	return store
}

// statements is the sum of M01 over all days of the store.
func (f *folder) statements() (n int64) {
	f.t.Helper()
	today := measure.DayOf(time.Now().UnixMilli(), time.UTC)
	sums, err := f.Rollups.Reader().Buckets(f.t.Context(), f.store(), fact.Hash{}, measure.Day, today-30, today+1, &rollup.Reads{})
	if err != nil {
		f.t.Fatal(err)
	}
	for cell, sum := range sums {
		if cell.Counter == measure.Statements {
			n += sum
		}
	}
	return n
}

// await waits until so many statements are counted.
func (f *folder) await(want int64) {
	f.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for got := f.statements(); got != want; got = f.statements() {
		if time.Now().After(deadline) {
			f.t.Fatalf("%d statements are counted, want %d", got, want)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func statementOf(id int, learner string) string {
	return fmt.Sprintf(`{"id":"%08x-0000-4000-8000-000000000000","actor":{"mbox":"mailto:%s@example.com"},"verb":{"id":"http://example.com/v"},"object":{"id":"http://example.com/a"}}`, id, learner)
}

// What is stored is counted soon, what is voided is not counted any more, and a restart counts nothing twice.
func TestStatementsAreCounted(t *testing.T) {
	dir := t.TempDir()
	f := openFolder(t, dir)
	f.post("[" + statementOf(1, "ann") + "," + statementOf(2, "ann") + "," + statementOf(3, "bob") + "]")
	f.await(3)
	f.post(`{"actor":{"mbox":"mailto:ann@example.com"},"verb":{"id":"http://adlnet.gov/expapi/verbs/voided"},"object":{"objectType":"StatementRef","id":"00000002-0000-4000-8000-000000000000"}}`)
	f.await(2)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = openFolder(t, dir)
	f.post(statementOf(4, "bob"))
	f.await(3)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

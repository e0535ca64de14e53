package cloud_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/app/cloud/stacktest"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/dynamo/dynamotest"
)

// What two consumers make of the stream, in batches of odd sizes and with everything twice, is what the statements say:
// statements, voids before and after what they void, groups, videos; and a rebuild comes to the same.
func TestAggregateEqualsTheStatements(t *testing.T) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	name, cairn := stacktest.Open(t, servers, slog.New(slog.DiscardHandler))
	for n := range 2 {
		store, err := cairn.Directory.CreateStore(t.Context(), fmt.Sprint("Store ", n))
		if err != nil {
			t.Fatal(err)
		}
		key, secret, err := cairn.Directory.CreateCredential(t.Context(), store.ID, auth.NewCredential{Scopes: auth.Scopes{auth.All}})
		if err != nil {
			t.Fatal(err)
		}
		for batch := range slices.Chunk(someStatements(60), 20) {
			post(t, cairn.StatementsHandler(), key, secret, batch)
		}
	}

	changes := streamed(t, dynamotest.Connect(servers, name+"-", schema.Tables))
	consumers := []func(context.Context, []table.Change) (int, error){cairn.Rollups.Consumer(0), cairn.Rollups.Consumer(1)}
	for round := range 2 {
		rest := changes
		for i := 0; len(rest) > 0; i++ {
			n := min(len(rest), 1+7*i%40)
			if done, err := consumers[(i+round)%2](t.Context(), rest[:n]); err != nil || done != n {
				t.Fatalf("%d of %d are done: %v", done, n, err)
			}
			rest = rest[n:]
		}
	}
	summary, err := cairn.Rollups.Audit(t.Context(), func(d rollup.Difference) { t.Errorf("%+v", d) })
	if err != nil {
		t.Fatal(err)
	}
	if summary.Facts != 2*(60-10-10) || summary.DeadLetters != 0 { // ten are voided, ten void
		t.Errorf("%+v", summary)
	}
}

// someStatements are n: of six one is voided by one that comes before or after it.
func someStatements(n int) (statements []string) {
	id := func(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-000000000000", n) }
	for i := range n {
		actor := fmt.Sprintf(`{"mbox":"mailto:learner%d@example.com"}`, i%5)
		if i%11 == 5 {
			actor = `{"objectType":"Group","member":[` + actor + `]}`
		}
		verb, object := "http://adlnet.gov/expapi/verbs/completed", fmt.Sprintf(`{"id":"http://example.com/activity/%d"}`, i%4)
		switch i % 12 {
		case 3, 6: // of the one after the next, and of the one before
			target := i + 2
			if i%12 == 6 {
				target = i - 2
			}
			verb, object = "http://adlnet.gov/expapi/verbs/voided", `{"objectType":"StatementRef","id":"`+id(target)+`"}`
		}
		statements = append(statements, fmt.Sprintf(`{"id":%q,"actor":%s,"verb":{"id":%q},"object":%s,"timestamp":"2026-0%d-01T10:00:00Z"}`, id(i), actor, verb, object, 1+i%3))
	}
	return statements
}

func post(t *testing.T, handler http.Handler, key, secret string, statements []string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/xapi/statements", strings.NewReader("["+strings.Join(statements, ",")+"]"))
	r.SetBasicAuth(key, secret)
	r.Header.Set("X-Experience-API-Version", "1.0.3")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("post: %d %s", w.Code, w.Body)
	}
}

// streamed reads the stream of Statements from its beginning to where nothing is new.
func streamed(t *testing.T, feed table.Feed) (changes []table.Change) {
	t.Helper()
	shards, err := feed.Shards(t.Context(), schema.Statements)
	if err != nil {
		t.Fatal(err)
	}
	for _, shard := range shards {
		after := ""
		for quiet := 0; quiet < 3; {
			some, open, err := feed.Changes(t.Context(), schema.Statements, shard.ID, after, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if changes = append(changes, some...); len(some) > 0 {
				after, quiet = some[len(some)-1].Sequence, 0
			} else if quiet++; !open {
				break
			}
		}
	}
	return changes
}

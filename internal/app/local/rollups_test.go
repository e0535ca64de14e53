package local_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/app"
	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
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
	deadline := time.Now().Add(patience)
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

// closed lets f change the tables of a closed folder.
func (f *folder) closed(dir string, change func(db *pebble.DB)) {
	f.t.Helper()
	if err := f.Close(); err != nil {
		f.t.Fatal(err)
	}
	db, err := pebble.Open(filepath.Join(dir, local.TablesFolder), schema.Tables, pebble.Options{})
	if err != nil {
		f.t.Fatal(err)
	}
	change(db)
	if err := db.Close(); err != nil {
		f.t.Fatal(err)
	}
}

// rows lists the rows of Rollups whose partition has this kind.
func rows(t *testing.T, db *pebble.DB, kind string) (items []table.Item) {
	t.Helper()
	page, _, err := db.Scan(t.Context(), schema.Rollups, 0, 1, nil)
	if err != nil || page.Next != nil {
		t.Fatalf("scan: %v", err)
	}
	for _, item := range page.Items {
		if strings.Contains(item[schema.PK].S, "#"+kind) {
			items = append(items, item)
		}
	}
	return items
}

// A rebuild that was killed is gone on with by who serves the folder next: until it is done every change is folded twice.
func TestKilledRebuildGoesOn(t *testing.T) {
	for _, phase := range []rollup.Phase{rollup.Beginning, rollup.Waiting, rollup.Scanning, rollup.Comparing, rollup.Switching, rollup.Deleting} {
		t.Run(string(phase), func(t *testing.T) {
			t.Parallel() // most of it is waiting
			dir := t.TempDir()
			f := openFolder(t, dir)
			f.post("[" + statementOf(1, "ann") + "," + statementOf(2, "ann") + "," + statementOf(3, "bob") + "]")
			f.await(3)
			ctx, kill := context.WithCancel(t.Context())
			_, err := f.Rollups.Rebuild(ctx, nil, func(p rollup.Progress) {
				if p.Phase == phase && (p.Of < 16 || p.Done == 5) {
					kill()
				}
			})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("the rebuild was not killed: %v", err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			f = &folder{Cairn: open(t, dir, local.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}), t: t, key: f.key, secret: f.secret}
			background := f.Rollups.Background()
			if err := background.Resume(t.Context()); err != nil {
				t.Fatal(err)
			}
			f.post(statementOf(4, "bob"))
			for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
				p, running, err := background.Progress()
				if !running && err == nil && p.Differences == 0 && p.Phase == rollup.Finished {
					break
				}
				if !running || time.Now().After(deadline) {
					t.Fatalf("%+v, error %v", p, err)
				}
			}
			f.await(4)
			if store := f.store(); store.Generation != 1 || store.Building != 0 {
				t.Errorf("generation %d, building %d", store.Generation, store.Building)
			}
			if err := background.Resume(t.Context()); err != nil { // there is nothing to go on with
				t.Error(err)
			}
			background.Stop()
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"going on with a rebuild", string(phase), "the rebuild is done"} {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log does not say %q:\n%s", want, &log)
				}
			}
		})
	}
}

func refOf(item table.Item) table.Ref {
	return table.Ref{Table: schema.Rollups, Key: table.Key{Partition: item[schema.PK].S, Sort: item[schema.SK].B}}
}

// A folder from before there were reports has its statements in them when it is opened.
func TestOlderFolderIsCounted(t *testing.T) {
	dir := t.TempDir()
	f := openFolder(t, dir)
	f.post("[" + statementOf(1, "ann") + "," + statementOf(2, "bob") + "]")
	f.await(2)
	f.closed(dir, func(db *pebble.DB) {
		drops := []table.Write{table.Delete(table.Ref{Table: schema.Checkpoints, Key: table.Key{Partition: "counted"}})}
		for _, item := range rows(t, db, "") {
			drops = append(drops, table.Delete(refOf(item)))
		}
		if _, err := db.Batch(t.Context(), drops); err != nil {
			t.Fatal(err)
		}
	})
	f = openFolder(t, dir)
	f.await(2)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// A check finds a sum and a ledger that are not what the statements say. What exactly depends on whether the feed brings the
// statements again: then a lost ledger is made anew, and its sums count twice.
func TestCheckFindsWrongRollups(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(t *testing.T, db *pebble.DB)
		wrong bool
	}{
		"nothing": {spoil: func(*testing.T, *pebble.DB) {}},
		"a sum": {func(t *testing.T, db *pebble.DB) {
			apply(t, db, table.Update(refOf(rows(t, db, "B#")[0]), []table.Action{table.Add("c1", table.N(1))}))
		}, true},
		"a lost ledger":    {func(t *testing.T, db *pebble.DB) { apply(t, db, table.Delete(refOf(rows(t, db, "L#")[0]))) }, true},
		"a lost index row": {func(t *testing.T, db *pebble.DB) { apply(t, db, table.Delete(refOf(rows(t, db, "I#")[0]))) }, true},
		"a broken ledger": {func(t *testing.T, db *pebble.DB) {
			apply(t, db, table.Update(refOf(rows(t, db, "L#")[0]), []table.Action{table.SetTo(schema.Body, table.B([]byte{9}))}))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			f := openFolder(t, dir)
			f.post("[" + statementOf(1, "ann") + "," + statementOf(2, "bob") + "]")
			f.await(2)
			f.closed(dir, func(db *pebble.DB) { test.spoil(t, db) })
			var found []string
			summary, err := local.Check(t.Context(), dir, app.CheckOptions{Report: func(d lrs.Difference) { found = append(found, d.What) }})
			if err != nil {
				t.Fatal(err)
			}
			if test.wrong != (len(found) > 0) || slices.ContainsFunc(found, func(what string) bool {
				return what != rollup.WrongLedger && what != rollup.WrongBuckets && what != rollup.WrongIndex
			}) {
				t.Errorf("found %q", found)
			}
			if !test.wrong && (summary.Rollups.Facts != 2 || summary.Rollups.Ledgers != 2) {
				t.Errorf("%+v", summary.Rollups)
			}
		})
	}
}

func apply(t *testing.T, db *pebble.DB, w table.Write) {
	t.Helper()
	if _, _, err := db.Apply(t.Context(), w); err != nil {
		t.Fatal(err)
	}
}

// A statement whose body is lost is a dead letter of a rebuild, and is counted when the body is back.
func TestDeadLetters(t *testing.T) {
	t.Parallel() // most of it is waiting
	dir := t.TempDir()
	f := openFolder(t, dir)
	text := make([]byte, 300_000)
	if _, err := rand.Read(text); err != nil { // which nothing packs into an item
		t.Fatal(err)
	}
	large := strings.TrimSuffix(statementOf(1, "ann"), "}") + `,"result":{"response":"` + hex.EncodeToString(text) + `"}}`
	f.post("[" + large + "," + statementOf(2, "ann") + "]")
	f.await(2)
	var body string
	away := filepath.Join(dir, "away")
	err := filepath.WalkDir(filepath.Join(dir, "blobs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			body = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(body, away); err != nil {
		t.Fatal(err)
	}
	progress, err := f.Rollups.Rebuild(t.Context(), nil, nil)
	if err != nil || progress.Differences == 0 || progress.Statements != 2 {
		t.Errorf("%+v, error %v", progress, err)
	}
	f.await(1)
	letters, more, err := f.Rollups.DeadLetters(t.Context(), auth.DefaultStore, "")
	if err != nil || more || len(letters) != 1 || !strings.HasPrefix(letters[0].StatementID, "00000001") {
		t.Fatalf("dead letters %+v, error %v", letters, err)
	}
	for _, step := range []struct {
		before            func() error
		gone, still, live int
	}{
		{func() error { return nil }, 0, 1, 1},
		{func() error { return os.Rename(away, body) }, 1, 0, 2},
		{func() error { return nil }, 0, 0, 2},
	} {
		if err := step.before(); err != nil {
			t.Fatal(err)
		}
		gone, still, next, err := f.Rollups.Replay(t.Context(), auth.DefaultStore, "")
		if err != nil || gone != step.gone || still != step.still || next != "" {
			t.Errorf("%d gone, %d still, next %q, error %v", gone, still, next, err)
		}
		f.await(int64(step.live))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// Dead letters are tried again a few at a time: a command waits for each call, and on a stack that is far away each letter
// takes a while.
func TestReplayInParts(t *testing.T) {
	dir := t.TempDir()
	f := openFolder(t, dir)
	const letters = 60 // of statements that are not there any more
	f.closed(dir, func(db *pebble.DB) {
		for n := range letters {
			apply(t, db, table.Put(schema.DeadLetters, table.Item{
				schema.PK: table.S(auth.DefaultStore), schema.SK: table.B(fmt.Appendf(nil, "%08d-0000-4000-8000-000000000000", n)),
				schema.Reason: table.S("lost"), schema.When: table.N(1),
			}))
		}
	})
	f = openFolder(t, dir)
	all, after := 0, ""
	for first := true; first || after != ""; first = false {
		gone, still, next, err := f.Rollups.Replay(t.Context(), auth.DefaultStore, after)
		if err != nil || gone == 0 || gone > letters/2 || still > 0 {
			t.Fatalf("after %q: %d gone, %d still, %v", after, gone, still, err)
		}
		all, after = all+gone, next
	}
	if all != letters {
		t.Errorf("%d letters of %d are gone", all, letters)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

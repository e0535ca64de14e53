package lrs

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/requirements"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// maxCursorWanted is a fifth of what API Gateway takes as request line and headers together, 10,240 bytes. A cursor is to
// be far below. Source: API Gateway developer guide, "Quotas for HTTP API".
const maxCursorWanted = 2048

// drawPlan draws a plan of a store, within what a query can ask for.
func drawPlan(t *rapid.T, store auth.Store) plan {
	text := rapid.StringMatching(`[a-z]{1,8}`)
	filters := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) anyOf {
		filter := anyOf{newTerm(store, agentKind, text.Draw(t, "value"))}
		for range rapid.IntRange(0, 2).Draw(t, "alternatives") {
			filter = append(filter, newTerm(store, relatedAgentKind, text.Draw(t, "value")))
		}
		return filter
	}), 0, 5).Draw(t, "filters")
	at := func(name string) position.Position {
		return position.First(time.UnixMilli(rapid.Int64Range(0, 1<<45).Draw(t, name)))
	}
	pl := plan{filters: filters, low: at("low"), high: at("high"), ascending: rapid.Bool().Draw(t, "ascending"),
		limit: rapid.IntRange(1, MaxLimit).Draw(t, "limit"), attachments: rapid.Bool().Draw(t, "attachments"),
		format: rapid.SampledFrom([]Format{Exact, IDs, Canonical}).Draw(t, "format")}
	if len(filters) == 0 {
		pl.filters = nil
	}
	return pl
}

func TestCursorKeepsItsPlan(t *testing.T) {
	p := principal(storeWith("acme", 1))
	now := time.UnixMilli(1_800_000_000_000)
	longest := 0
	rapid.Check(t, func(t *rapid.T) {
		want := drawPlan(t, p.Store)
		cursor, err := want.seal(p, now)
		if err != nil {
			t.Fatal(err)
		}
		got, err := unseal(p, cursor, now)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(plan{})); diff != "" {
			t.Fatal(diff)
		}
		longest = max(longest, len(cursor))
	})
	if longest > maxCursorWanted/4 {
		t.Errorf("a cursor has %d characters, want well under %d", longest, maxCursorWanted)
	}
}

func TestFlippedCursorsAreRefused(t *testing.T) {
	const cursors = 1000
	p := principal(storeWith("acme", 1))
	now := time.UnixMilli(1_800_000_000_000)
	random := rand.New(rand.NewPCG(5, 5))
	tried, accepted := 0, 0
	for n := range cursors {
		q := Query{Agent: agent(t, fmt.Sprintf("agent%d", n)), RelatedAgents: n%2 == 0, Limit: 1 + n%MaxLimit, Ascending: n%3 == 0}
		if n%4 > 0 { // a filter more is a byte more, beyond what makes whole groups of base64: bits of the last character are none of the cursor's
			q.Verb = "http://example.org/did"
		}
		if n%4 > 1 {
			q.Activity = "http://example.org/thing"
		}
		cursor, err := planOf(p.Store, q, now).seal(p, now)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := unseal(p, cursor, now); err != nil {
			t.Fatalf("whole cursor: %v", err)
		}
		refuse := func(forged string) {
			tried++
			if _, err := unseal(p, forged, now); err == nil {
				accepted++
			} else if !errors.Is(err, errCursor) {
				t.Fatalf("forged cursor: %v", err)
			}
		}
		for i := range cursor {
			b := []byte(cursor)
			b[i] ^= byte(1 + random.IntN(255))
			refuse(string(b))
		}
		for _, last := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
			if forged := cursor[:len(cursor)-1] + string(last); n%10 == 0 && forged != cursor {
				refuse(forged)
			}
		}
		refuse(cursor[:random.IntN(len(cursor))])
		refuse(cursor + cursor)
		refuse(cursor + "\n")
		refuse(cursor[:7] + "\r" + cursor[7:])
	}
	t.Logf("%d forged cursors of %d: %d accepted", tried, cursors, accepted)
	if accepted > 0 {
		t.Errorf("%d forged cursors were accepted", accepted)
	}
}

func FuzzUnseal(f *testing.F) {
	p := principal(storeWith("acme", 1))
	now := time.UnixMilli(1_800_000_000_000)
	want := planOf(p.Store, Query{Verb: "http://example.org/did"}, now)
	cursor, err := want.seal(p, now)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(cursor)
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := unseal(p, s, now)
		if err != nil {
			if !errors.Is(err, errCursor) {
				t.Error(err)
			}
			return
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(plan{})); diff != "" {
			t.Error(diff) // nobody but the holder of the key makes another one
		}
	})
}

// FuzzParseFilters feeds the reader of what a cursor holds; only its own key can make it read anything else.
func FuzzParseFilters(f *testing.F) {
	f.Add([]byte{})
	f.Add(append([]byte{1}, make([]byte, 12)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		filters, err := parseFilters(b)
		size := 0
		for _, filter := range filters {
			size += 1 + len(filter)*len(term{})
		}
		if err == nil && size != len(b) {
			t.Errorf("%d of %d bytes were read", size, len(b))
		}
	})
}

func TestCursorOfAnotherIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	p := principal(storeWith("acme", 1))
	w.mustStore(p, manyPlain(0, 3)...)
	page, err := w.service.Query(t.Context(), p, Query{Limit: 1})
	if err != nil || page.More == "" {
		t.Fatalf("more %q, error %v", page.More, err)
	}
	another := p
	another.Credential = "another"
	for name, stranger := range map[string]auth.Principal{
		"another credential of the store":           another,
		"the same credential's name in another one": principal(storeWith("emca", 1)),
	} {
		if _, err := w.service.More(t.Context(), stranger, page.More); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The scopes of the time of asking count, not those of the first page.
	p.Scopes = auth.Scopes{auth.StatementsWrite}
	if _, err := w.service.More(t.Context(), p, page.More); !errors.Is(err, ErrForbidden) {
		t.Errorf("after reading was taken away: %v", err)
	}
}

// virtualClock is a wall clock that a test moves.
type virtualClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *virtualClock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

func (c *virtualClock) add(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }

// A cursor goes on after a day, a restart and the rotation of its credential's secret; after a week it has ended.
func TestCursorLivesOnADay(t *testing.T) {
	disk, clock := vfs.NewMem(), &virtualClock{t: time.UnixMilli(1_800_000_000_000)}
	start := func() (*world, *auth.Directory, func()) {
		db, err := pebble.Open("data", schema.Tables, pebble.Options{FS: disk, Now: clock.now})
		if err != nil {
			t.Fatal(err)
		}
		w := worldOn(t, db, db, clock.now)
		return w, auth.NewDirectory(auth.Config{Tables: db, Scanner: db, Now: clock.now, Shards: 2}), func() {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	w, directory, stop := start()
	store, err := directory.CreateStore(t.Context(), "Acme")
	if err != nil {
		t.Fatal(err)
	}
	key, secret, err := directory.CreateCredential(t.Context(), store.ID, auth.NewCredential{Scopes: auth.Scopes{auth.All}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := directory.Authenticate(t.Context(), key, secret)
	if err != nil {
		t.Fatal(err)
	}
	w.mustStore(p, manyPlain(0, 10)...)
	first, err := w.service.Query(t.Context(), p, Query{Limit: 4, Format: IDs, Attachments: true, Ascending: true})
	if err != nil {
		t.Fatal(err)
	}
	stop()

	clock.add(25 * time.Hour)
	w, directory, stop = start()
	defer stop()
	if secret, err = directory.RotateSecret(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	if p, err = directory.Authenticate(t.Context(), key, secret); err != nil {
		t.Fatal(err)
	}
	w.mustStore(p, manyPlain(10, 5)...) // after the time of the first page: not part of this list
	var got []string
	more := first.More
	for more != "" {
		page, err := w.service.More(t.Context(), p, more)
		if err != nil {
			t.Fatal(err)
		}
		if page.Format != IDs || !page.Attachments {
			t.Errorf("a later page has format %q and attachments %t", page.Format, page.Attachments)
		}
		for _, st := range page.Statements {
			got = append(got, st.ID)
		}
		more = page.More
	}
	var want []string
	for n := 4; n < 10; n++ {
		want = append(want, uuidOf(n))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the rest of the list (-want +got):\n%s", diff)
	}
	clock.add(6 * 24 * time.Hour)
	if _, err := w.service.More(t.Context(), p, first.More); !errors.Is(err, ErrInvalid) {
		t.Errorf("after 7 days and an hour: %v", err)
	}
	requirements.Met(t, "D2.5-6")
}

package lrs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// ids of the statements first to first+n-1.
func uuids(first, n int) []string {
	var ids []string
	for i := first; i < first+n; i++ {
		ids = append(ids, uuidOf(i))
	}
	return ids
}

// pages lists a query to its end and returns how many statements each page had.
func (w *world) pages(p auth.Principal, q Query) (ids []string, sizes []int) {
	w.t.Helper()
	page, err := w.service.Query(w.t.Context(), p, q)
	for {
		if err != nil {
			w.t.Fatal(err)
		}
		for _, st := range page.Statements {
			ids = append(ids, st.ID)
		}
		sizes = append(sizes, len(page.Statements))
		if page.More == "" {
			return ids, sizes
		}
		page, err = w.service.More(w.t.Context(), p, page.More)
	}
}

// countsVerbReads counts the reads of the index by verb.
type countsVerbReads struct {
	table.DB
	n *atomic.Int64
}

func (d countsVerbReads) Query(ctx context.Context, q table.Query) (table.Page, table.Cost, error) {
	if q.Index == schema.ByVerb {
		d.n.Add(1)
	}
	return d.DB.Query(ctx, q)
}

// Two pages of an agent's statements are 303 entries.
func TestALongLaneIsReadOnlyBesideAnotherLongOne(t *testing.T) {
	for _, test := range []struct {
		ofAnn int
		reads bool
	}{{1, false}, {303, false}, {320, true}} {
		t.Run(fmt.Sprint(test.ofAnn), func(t *testing.T) {
			w := newWorld(t, nil)
			var verbReads atomic.Int64
			w.service = w.newService(countsVerbReads{w.tables, &verbReads}, OneProcess{Positions: w.clock})
			p := principal(storeWith("acme", 1))
			var statements, want []string
			for n := range 2 * test.ofAnn {
				switch {
				case n%2 == 1:
					statements = append(statements, plain(uuidOf(n), "bob", "did", "thing"))
				case n%20 == 0:
					statements = append(statements, plain(uuidOf(n), "ann", "did", "thing"))
					want = append(want, uuidOf(n))
				default:
					statements = append(statements, plain(uuidOf(n), "ann", "saw", "thing"))
				}
			}
			for batch := range slices.Chunk(statements, MaxBatch) {
				w.mustStore(p, batch...)
			}
			slices.Reverse(want)
			got, _ := w.pages(p, Query{Agent: agent(t, "ann"), Verb: "http://example.org/did", Limit: 100})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("statements (-want +got):\n%s", diff)
			}
			if n := verbReads.Load(); (n > 0) != test.reads {
				t.Errorf("%d reads of the index by verb", n)
			}
		})
	}
}

// Statements of one millisecond stand in the order of their request, whatever the shard, and both directions mirror
// each other at every page size.
func TestOrderWithinAMillisecond(t *testing.T) {
	w := newWorld(t, nil)
	clock := &virtualClock{t: time.UnixMilli(1_800_000_000_000)}
	w.clock = position.NewClock(clock.now, nil)
	w.service = w.newService(w.tables, OneProcess{Positions: w.clock})
	p := principal(storeWith("acme", 4))
	for first := 0; first < 60; first += 20 {
		w.mustStore(p, manyPlain(first, 20)...)
	}
	clock.add(time.Millisecond)
	want := uuids(0, 60)
	for _, q := range []Query{{}, {Activity: "http://example.org/thing"}, {Activity: "http://example.org/thing", RelatedActivities: true}} {
		for _, limit := range []int{1, 7, 59, 60, 61} {
			q.Limit, q.Ascending = limit, true
			if diff := cmp.Diff(want, w.walk(p, q)); diff != "" {
				t.Fatalf("%+v (-want +got):\n%s", q, diff)
			}
			q.Ascending = false
			back := w.walk(p, q)
			slices.Reverse(back)
			if diff := cmp.Diff(want, back); diff != "" {
				t.Fatalf("%+v (-want +got, reversed):\n%s", q, diff)
			}
		}
	}
}

// since is exclusive and until inclusive, by the millisecond; times finer than that are taken as they are.
func TestSinceAndUntil(t *testing.T) {
	w := newWorld(t, nil)
	clock := &virtualClock{t: time.UnixMilli(1_800_000_000_000)}
	w.clock = position.NewClock(clock.now, nil)
	w.service = w.newService(w.tables, OneProcess{Positions: w.clock})
	p := principal(storeWith("acme", 2))
	for n := range 4 {
		w.mustStore(p, manyPlain(n, 1)...)
		clock.add(time.Millisecond)
	}
	at := func(milli, micro int) time.Time {
		return time.UnixMilli(1_800_000_000_000 + int64(milli)).Add(time.Duration(micro) * time.Microsecond)
	}
	tests := []struct {
		name         string
		since, until time.Time
		first, n     int
	}{
		{name: "since the first", since: at(0, 0), first: 1, n: 3},
		{name: "since before the first", since: at(-1, 0), first: 0, n: 4},
		{name: "since between two", since: at(0, 500), first: 1, n: 3},
		{name: "since before the second by a hair", since: at(0, 999), first: 1, n: 3},
		{name: "until the second", until: at(1, 0), first: 0, n: 2},
		{name: "until after the second by a hair", until: at(1, 999), first: 0, n: 2},
		{name: "until before the first", until: at(-1, 999), n: 0},
		{name: "one millisecond", since: at(1, 0), until: at(2, 0), first: 2, n: 1},
		{name: "none between equal bounds", since: at(1, 0), until: at(1, 0), n: 0},
		{name: "bounds the wrong way round", since: at(3, 0), until: at(0, 0), n: 0},
		{name: "until the future", until: at(1_000_000, 0), first: 0, n: 4},
		{name: "before anything could be", since: time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC), until: time.Date(1600, 1, 1, 0, 0, 0, 0, time.UTC), n: 0},
		{name: "since the year 9999", since: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), n: 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := w.walk(p, Query{Since: test.since, Until: test.until, Ascending: true, Limit: 2})
			if diff := cmp.Diff(uuids(test.first, test.n), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	w := newWorld(t, nil)
	p := principal(storeWith("acme", 1))
	for first := 0; first < 600; first += MaxBatch {
		w.mustStore(p, manyPlain(first, MaxBatch)...)
	}
	for limit, want := range map[int][]int{0: {500, 100}, 1_000_000: {500, 100}, 500: {500, 100}, 250: {250, 250, 100}, 300: {300, 300}} {
		ids, sizes := w.pages(p, Query{Limit: limit, Ascending: true})
		if diff := cmp.Diff(want, sizes); diff != "" {
			t.Errorf("limit %d: pages (-want +got):\n%s", limit, diff)
		}
		if diff := cmp.Diff(uuids(0, 600), ids); diff != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, diff)
		}
	}
	if err := w.store(p, manyPlain(1000, MaxBatch+1)...); !isRefusal(err, ErrTooLarge, fmt.Sprint(MaxBatch)) {
		t.Errorf("%d statements in a request: %v", MaxBatch+1, err)
	}
	big := strings.Replace(plain(uuidOf(2000), "ann", "did", "thing"), `"object"`, `"result":{"response":"`+strings.Repeat("a", MaxBatchBytes/2)+`"},"object"`, 1)
	if err := w.store(p, big, strings.Replace(big, uuidOf(2000), uuidOf(2001), 1)); !isRefusal(err, ErrTooLarge, fmt.Sprint(MaxBatchBytes)) {
		t.Errorf("two large statements in a request: %v", err)
	}
}

// A page ends before its statements grow past what one reply can carry; nothing is lost, in either direction.
func TestPayloadBudget(t *testing.T) {
	w := newWorld(t, nil)
	p := principal(storeWith("acme", 2))
	text := strings.Repeat("a learner's long answer ", PageBytes/4/24)
	for n := range 10 {
		w.mustStore(p, strings.Replace(plain(uuidOf(n), "ann", "did", "thing"), `"object"`, `"result":{"response":"`+text+`"},"object"`, 1))
	}
	for _, ascending := range []bool{true, false} {
		ids, sizes := w.pages(p, Query{Limit: 100, Ascending: ascending})
		if !ascending {
			slices.Reverse(ids)
		}
		if diff := cmp.Diff(uuids(0, 10), ids); diff != "" {
			t.Errorf("ascending %t (-want +got):\n%s", ascending, diff)
		}
		if slices.Max(sizes) > 4 || slices.Contains(sizes, 0) {
			t.Errorf("ascending %t: pages of %v statements of a quarter of the budget each", ascending, sizes)
		}
	}
	// The bytes of attachments count, where they are asked for.
	file := partOf(strings.Repeat("f", PageBytes/2))
	for n := 20; n < 24; n++ {
		if _, err := w.service.Store(t.Context(), p, decode(t, withAttachment(plain(uuidOf(n), "bob", "sent", "thing"), file, "")), []Part{file}); err != nil {
			t.Fatal(err)
		}
	}
	if _, sizes := w.pages(p, Query{Agent: agent(t, "bob"), Attachments: true}); slices.Max(sizes) != 1 {
		t.Errorf("with attachments of half the budget each: pages of %v", sizes)
	}
	if _, sizes := w.pages(p, Query{Agent: agent(t, "bob")}); len(sizes) != 1 {
		t.Errorf("without the attachments: pages of %v", sizes)
	}
}

// Two common filters with few statements in common: a page that has cost enough ends early, and nothing is lost.
func TestWorkBudget(t *testing.T) {
	w := newWorld(t, nil)
	p := principal(storeWith("acme", 1))
	const count, rare = 14_000, 2_000 // each filter alone holds for half of them; both for one in 2,000
	var want []string
	for first := 0; first < count; first += MaxBatch {
		var batch []string
		for n := first; n < first+MaxBatch; n++ {
			verb, activity := "did", "another"
			if n%2 == 1 {
				verb, activity = "undid", "thing"
			}
			if n%rare == rare/2 {
				verb, activity = "did", "thing"
				want = append(want, uuidOf(n))
			}
			batch = append(batch, plain(uuidOf(n), "ann", verb, activity))
		}
		w.mustStore(p, batch...)
	}
	q := Query{Verb: "http://example.org/did", Activity: "http://example.org/thing", Limit: 100, Ascending: true}
	ids, sizes := w.pages(p, q)
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(sizes) < 2 {
		t.Errorf("one page of %v statements read %d entries", sizes, count)
	}
	for i, size := range sizes[:len(sizes)-1] {
		if size == 0 {
			t.Errorf("page %d of %v is empty, though budget was left for one statement", i, sizes)
		}
	}
	q.Ascending = false
	back := w.walk(p, q)
	slices.Reverse(back)
	if diff := cmp.Diff(want, back); diff != "" {
		t.Errorf("newest first (-want +got, reversed):\n%s", diff)
	}
}

// behind is tables whose eventual reads of statements are of a while ago.
type behind struct {
	table.DB
	ago func(table.Row) table.Row
}

func (b behind) Select(ctx context.Context, refs []table.Ref, c table.Consistency, attributes ...string) ([]table.Row, table.Cost, error) {
	rows, cost, err := b.DB.Select(ctx, refs, c, attributes...)
	if c == table.Eventual {
		for i, row := range rows {
			rows[i] = b.ago(slices.Clone(row))
		}
	}
	return rows, cost, err
}

// What an eventual read does not find, or not as an index lists it, is read again before it is left out.
func TestListsDoNotLackWhatIsNew(t *testing.T) {
	for name, ago := range map[string]func(table.Row) table.Row{
		"not there yet":  func(table.Row) table.Row { return nil },
		"an earlier try": func(r table.Row) table.Row { r[positionColumn] = table.B(make([]byte, 16)); return r },
		"fewer terms": func(r table.Row) table.Row {
			r[termsColumn] = table.SetOf(r[termsColumn].Set[1:]...)
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			p := principal(storeWith("acme", 1))
			w.mustStore(p, plain(uuidOf(1), "ann", "did", "thing"), plain(uuidOf(2), "ann", "did", "thing"))
			w.service = w.newService(behind{w.tables, ago}, OneProcess{Positions: w.clock})
			want := []string{uuidOf(2), uuidOf(1)}
			for of, q := range map[string]Query{"all": {}, "the agent": {Agent: agent(t, "ann")}, "the related activity": {Activity: "http://example.org/thing", RelatedActivities: true}} {
				if diff := cmp.Diff(want, w.walk(p, q)); diff != "" {
					t.Errorf("of %s (-want +got):\n%s", of, diff)
				}
			}
		})
	}
}

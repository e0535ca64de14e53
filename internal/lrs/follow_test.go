package lrs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// apply does a write behind the back of the rules.
func (w *world) apply(write table.Write) {
	w.t.Helper()
	if _, _, err := w.tables.Apply(w.t.Context(), write); err != nil {
		w.t.Fatal(err)
	}
}

// ref names a statement's item.
func (w *world) ref(p auth.Principal, id string) table.Ref {
	w.t.Helper()
	key, err := parseID(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return statementRef(p.Store.ID, key)
}

// A damaged statement in the feed, among the targets or among the referrers holds up no other, and is logged once.
func TestDamagedStatementsHoldUpNobody(t *testing.T) {
	var log bytes.Buffer
	w := newWorld(t, nil)
	w.service.Log = slog.New(slog.NewTextHandler(&log, nil))
	p := principal(storeWith("acme", 1))
	// More referrers wait for statement 1 than a request completes, so the follower has something to do.
	var waiting []string
	for n := 2; n <= 2*inlineCompletions; n++ {
		waiting = append(waiting, referring(uuidOf(n), "bob", "praised", uuidOf(1)))
	}
	w.mustStore(p, waiting...)
	damaged := []string{uuidOf(10), uuidOf(20), uuidOf(30)}
	w.apply(table.Update(w.ref(p, damaged[0]), []table.Action{table.SetTo(schema.Shards, table.N(0))}))
	w.apply(table.Update(w.ref(p, damaged[1]), []table.Action{table.SetTo(schema.Refers, table.B([]byte{1}))}))
	w.apply(table.Update(w.ref(p, damaged[2]), []table.Action{table.Add(schema.EffectiveTerms, table.SetOf([]byte("short")))}))
	w.apply(table.Put(schema.References, table.Item{schema.PK: table.S(referencePartition("acme", w.idOf(uuidOf(1)))), schema.SK: table.B([]byte{2, 3})}))
	w.mustStore(p, plain(uuidOf(1), "ann", "did", "thing"))
	w.mustStore(p, referring(uuidOf(500), "cat", "praised", damaged[0])) // its target cannot be read
	w.followToTheEnd()

	want := []string{uuidOf(1)}
	for n := 2; n <= 2*inlineCompletions; n++ {
		if id := uuidOf(n); id != damaged[0] && id != damaged[1] && id != damaged[2] {
			want = append([]string{id}, want...)
		}
	}
	got := w.stateOfStore(p.Store.ID, want)
	thing := newTerm(p.Store, activityKind, "http://example.org/thing").String()
	for _, id := range want {
		if !strings.Contains(strings.Join(got[id].Terms, " "), thing) {
			t.Errorf("statement %s did not get the terms of its target", id)
		}
	}
	lines := strings.Count(log.String(), "level=ERROR")
	for _, id := range damaged {
		if !strings.Contains(log.String(), "statement=acme#"+id) {
			t.Errorf("the log does not name statement %s:\n%s", id, log.String())
		}
	}
	w.followToTheEnd()
	if now := strings.Count(log.String(), "level=ERROR"); now != lines {
		t.Errorf("%d lines became %d without a change", lines, now)
	}
	if strings.Contains(log.String(), "example.org") {
		t.Errorf("the log names somebody:\n%s", log.String())
	}
}

func (w *world) idOf(id string) [16]byte {
	w.t.Helper()
	key, err := parseID(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return key
}

// What the feed says of a statement that was removed since holds up nobody, and gives nothing to what is stored under its id now:
// neither where its terms are few nor where it must be read again to see whether there is room for more.
func TestRemovedStatementsAreNotCompleted(t *testing.T) {
	for name, own := range map[string]int{"few terms": 1, "many terms": MaxEffectiveTerms/2 - 5} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			p := principal(storeWith("acme", 1))
			gone, anew := uuidOf(2), uuidOf(3)
			var activities []string
			for n := range own {
				activities = append(activities, fmt.Sprintf(`{"id":"http://example.org/%d"}`, n))
			}
			for _, id := range []string{gone, anew} {
				text := referring(id, "bob", "praised", uuidOf(1))
				w.mustStore(p, strings.TrimSuffix(text, "}")+`,"context":{"contextActivities":{"other":[`+strings.Join(activities, ",")+`]}}}`)
			}
			shards, err := w.tables.Shards(t.Context(), schema.Statements)
			if err != nil {
				t.Fatal(err)
			}
			changes, _, err := w.tables.Changes(t.Context(), schema.Statements, shards[0].ID, "", 10)
			if err != nil || len(changes) != 2 {
				t.Fatalf("%d changes, error %v", len(changes), err)
			}
			w.apply(table.Delete(w.ref(p, gone)))
			w.apply(table.Delete(w.ref(p, anew)))
			w.mustStore(p, plain(anew, "cat", "did", "other"))
			before := w.stateOfStore(p.Store.ID, []string{anew})
			w.mustStore(p, plain(uuidOf(1), "ann", "did", "thing"))
			var log bytes.Buffer
			w.service.Log = slog.New(slog.NewTextHandler(&log, nil))
			if err := w.service.Complete(t.Context(), changes...); err != nil || log.Len() > 0 {
				t.Errorf("error %v, log %s", err, log.String())
			}
			after := w.stateOfStore(p.Store.ID, []string{anew})
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("another statement took terms (-before +after):\n%s", diff)
			}
		})
	}
}

// A process that dies loses no completion: the next one goes on at the checkpoint.
func TestFollowerGoesOnAtItsCheckpoint(t *testing.T) {
	w := newWorld(t, nil)
	p := principal(storeWith("acme", 1))
	w.mustStore(p, plain(uuidOf(1), "ann", "did", "thing"))
	w.followToTheEnd() // writes its first checkpoint
	w.mustStore(p, plain(uuidOf(2), "ann", "did", "thing"))
	next := &Follower{Service: w.service}
	n, err := next.Pass(t.Context())
	if err != nil || n != 1 {
		t.Errorf("%d changes after the checkpoint, want 1; error %v", n, err)
	}
	if n, err = next.Pass(t.Context()); err != nil || n != 0 {
		t.Errorf("%d changes when there are none; error %v", n, err)
	}
}

func TestFollowerBeginsAnewWhenItsPlaceIsTrimmed(t *testing.T) {
	w := newWorld(t, nil)
	w.service.Tables = trimmedFeed{w.service.Tables}
	p := principal(storeWith("acme", 1))
	w.mustStore(p, plain(uuidOf(1), "ann", "did", "thing"))
	shards, err := w.tables.Shards(t.Context(), schema.Statements)
	if err != nil {
		t.Fatal(err)
	}
	w.follower.after, w.follower.ended = map[string]string{shards[0].ID: "7"}, map[string]bool{}
	if n, err := w.follower.Pass(t.Context()); err != nil || n != 1 {
		t.Errorf("%d changes, want 1; error %v", n, err)
	}
}

// trimmedFeed keeps nothing after the sequence number 7.
type trimmedFeed struct{ table.DB }

func (f trimmedFeed) Changes(ctx context.Context, name, shard, after string, limit int) ([]table.Change, bool, error) {
	if after == "7" {
		return nil, false, fmt.Errorf("fault: %w", table.ErrTrimmed)
	}
	return f.DB.Changes(ctx, name, shard, after, limit)
}

// sips gives one change at a time.
type sips struct{ table.DB }

func (s sips) Changes(ctx context.Context, name, shard, after string, _ int) ([]table.Change, bool, error) {
	return s.DB.Changes(ctx, name, shard, after, 1)
}

// Over a feed whose shards split and end, changes are handed on in the order in which they happened: of a shard when its parent has no more.
func TestFollowerKeepsTheOrderOfShards(t *testing.T) {
	w := newWorld(t, &pebble.Faults{ShardSpan: 3})
	const statements = 20
	for n := range statements {
		w.mustStore(principal(storeWith("acme", 1)), plain(uuidOf(n), "ann", "did", "thing"))
	}
	w.service.Tables = sips{w.service.Tables}
	var got []string
	w.follower = &Follower{Service: w.service, Also: func(_ context.Context, changes []table.Change) error {
		for _, c := range changes {
			got = append(got, c.Key.Partition)
		}
		return nil
	}}
	for quiet := 0; quiet < 2; { // a pass in which a shard is found to have ended has no change
		n, err := w.follower.Pass(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if quiet++; n > 0 {
			quiet = 0
		}
	}
	var want []string
	for n := range statements {
		want = append(want, "acme#"+uuidOf(n))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Run completes what comes until its context ends, also over a feed whose shards split and end.
func TestFollowerRuns(t *testing.T) {
	faults := &pebble.Faults{ShardSpan: 20}
	w := newWorld(t, faults)
	p := principal(storeWith("acme", 1))
	ctx, stop := context.WithCancel(t.Context())
	w.follower.Wait = func(ctx context.Context, _ string) error {
		select {
		case <-time.After(time.Millisecond):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- w.follower.Run(ctx) }()
	const referrers = 4 * inlineCompletions
	for n := 2; n < 2+referrers; n++ {
		w.mustStore(p, referring(uuidOf(n), "bob", "praised", uuidOf(1)))
	}
	w.mustStore(p, plain(uuidOf(1), "ann", "did", "thing"))
	thing := Query{Activity: "http://example.org/thing"}
	for deadline := time.Now().Add(2 * time.Minute); len(w.walk(p, thing)) != referrers+1; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d statements lead to the activity, want %d", len(w.walk(p, thing)), referrers+1)
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Run ended with %v", err)
	}
	if diff := cmp.Diff([]Difference(nil), w.differences(p.Store)); diff != "" {
		t.Error(diff)
	}
}

// While there are requests a pass rests, the less the nearer what it has not read comes to the end of what the feed keeps.
func TestFollowerRestsWhileItCan(t *testing.T) {
	lost := errors.New("no feed")
	for _, tt := range []struct {
		name string
		lag  func(string) (float64, error)
		want int
		err  error
	}{
		{"nobody says", nil, 9, nil},
		{"nothing left", func(string) (float64, error) { return 0, nil }, 9, nil},
		{"a tenth", func(string) (float64, error) { return 0.1, nil }, 7, nil},
		{"nearly a half", func(string) (float64, error) { return 0.44, nil }, 1, nil},
		{"a half", func(string) (float64, error) { return 0.5, nil }, 0, nil},
		{"all of it", func(string) (float64, error) { return 1, nil }, 0, nil},
		{"unknown", func(string) (float64, error) { return 0, lost }, 0, lost},
	} {
		f := Follower{Lag: tt.lag}
		if got, err := f.rest(); got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %d, error %v, want %d, %v", tt.name, got, err, tt.want, tt.err)
		}
	}
}

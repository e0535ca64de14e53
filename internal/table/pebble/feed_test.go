package pebble

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Whatever order commits end in, the mark never passes one that is under way, and in the end passes all.
func TestMarkWaitsForTheOldest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSequencer(1)
		var open []uint64
		t.Repeat(map[string]func(*rapid.T){
			"begin": func(t *rapid.T) { open = append(open, s.begin(rapid.IntRange(1, 5).Draw(t, "n"))) },
			"end": func(t *rapid.T) {
				if len(open) == 0 {
					return
				}
				i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
				s.end(open[i])
				open = append(open[:i], open[i+1:]...)
			},
			"": func(t *rapid.T) {
				want := s.next
				for _, first := range open {
					want = min(want, first)
				}
				if mark, _ := s.mark(); mark != want {
					t.Fatalf("mark %d, want %d with %v under way", mark, want, open)
				}
			},
		})
	})
}

// readAll reads the feed of things from a number on.
func readAll(t *testing.T, db *DB, after string) []table.Change {
	t.Helper()
	var all []table.Change
	for {
		changes, _, err := db.Changes(t.Context(), things, onlyShard, after, 7)
		if err != nil {
			t.Fatal(err)
		}
		if len(changes) == 0 {
			return all
		}
		all = append(all, changes...)
		after = changes[len(changes)-1].Sequence
	}
}

// A reader that follows the feed while many write must see every change once, and those of an item in order.
func TestFollowerSkipsNothing(t *testing.T) {
	const writers, rounds, items = 8, 60, 4
	db := openTest(t, testSchemas(), Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if latest, err := db.Latest(ctx, things); latest != "" || err != nil {
		t.Errorf("before any change the newest is %q, error %v", latest, err)
	}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range rounds {
				var ws []table.Write
				for i := range items {
					ws = append(ws, table.Update(thingRef("a", fmt.Sprint((w+i)%6)), []table.Action{table.Add("n", table.N(1))}))
				}
				if _, err := db.Group(ctx, "", ws); err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := map[string]int64{}
	after := ""
	for total := 0; total < writers*rounds*items; {
		if err := db.Wait(ctx, things, after); err != nil {
			t.Fatalf("after %d changes: %v", total, err)
		}
		changes, _, err := db.Changes(ctx, things, onlyShard, after, 50)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			if c.Sequence <= after {
				t.Fatalf("number %s after %s", c.Sequence, after)
			}
			after = c.Sequence
			sort := string(c.Key.Sort)
			if old := c.Old["n"].N; old != seen[sort] || c.New["n"].N != old+1 {
				t.Fatalf("item %s went from %d to %d, and was %d", sort, old, c.New["n"].N, seen[sort])
			}
			seen[sort]++
			total++
		}
	}
	wg.Wait()
	if rest := readAll(t, db, after); len(rest) > 0 {
		t.Errorf("%d changes too many", len(rest))
	}
	if latest, err := db.Latest(ctx, things); latest != after || err != nil {
		t.Errorf("the newest change is %q, want %q, error %v", latest, after, err)
	}
}

func TestLag(t *testing.T) {
	db := openTest(t, testSchemas(), Options{FeedLength: 20})
	lag := func(after string) float64 {
		t.Helper()
		lag, err := db.Lag(things, after)
		if err != nil {
			t.Fatal(err)
		}
		return lag
	}
	if got := lag(""); got != 0 {
		t.Errorf("of an empty feed: %v", got)
	}
	for i := range 10 {
		put(t, db, things, listed("a", "1", int64(i)))
	}
	for after, want := range map[string]float64{"": 0.5, formatSequence(3): 0.35, formatSequence(10): 0, formatSequence(99): 0} {
		if got := lag(after); got != want {
			t.Errorf("after %q: %v, want %v", after, got, want)
		}
	}
	if err := db.Trim(t.Context(), things, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := lag(""); got != 0 {
		t.Errorf("with all trimmed: %v", got)
	}
	for i := range 30 {
		put(t, db, things, listed("a", "2", int64(i)))
	}
	if got := lag(formatSequence(10)); got != 1 {
		t.Errorf("with more than the feed keeps: %v", got)
	}
	for _, bad := range [][2]string{{notes, ""}, {things, "x"}} {
		if _, err := db.Lag(bad[0], bad[1]); !errors.Is(err, table.ErrInvalid) {
			t.Errorf("of %q: error %v, want ErrInvalid", bad, err)
		}
	}
}

func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := Open("data", testSchemas(), Options{FS: vfs.NewMem()})
		if err != nil {
			t.Fatal(err)
		}
		put(t, db, things, listed("a", "1", 1))
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := db.Wait(ctx, things, ""); err != nil {
			t.Errorf("with a change: %v", err)
		}
		done := make(chan error)
		go func() { done <- db.Wait(ctx, things, formatSequence(1)) }()
		synctest.Wait()
		put(t, db, things, listed("a", "1", 1)) // changes nothing
		put(t, db, notes, table.Item{"pk": table.S("x")})
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("it returned %v without a change", err)
		default:
		}
		put(t, db, things, listed("a", "1", 2))
		if err := <-done; err != nil {
			t.Errorf("after a change: %v", err)
		}
		if err := db.Wait(ctx, things, formatSequence(2)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("without a change: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTrimByTime(t *testing.T) {
	c := newClock()
	opts := Options{FS: vfs.NewMem(), Now: c.now}
	db := openTest(t, testSchemas(), opts)
	var times []time.Time
	for i := range 50 {
		times = append(times, c.now())
		put(t, db, things, listed("a", "1", int64(i)))
		c.advance(time.Minute)
	}
	for _, first := range []int{0, 1, 17, 49} {
		if err := db.Trim(t.Context(), things, times[first]); err != nil {
			t.Fatal(err)
		}
		left := readAll(t, db, "")
		if len(left) != 50-first || left[0].New["n"].N != int64(first) {
			t.Fatalf("%d changes are left after trimming %d", len(left), first)
		}
	}
	if err := db.Trim(t.Context(), things, c.now()); err != nil {
		t.Fatal(err)
	}
	if left := readAll(t, db, ""); len(left) != 0 {
		t.Errorf("%d changes are left", len(left))
	}
	if _, _, err := db.Changes(t.Context(), things, onlyShard, formatSequence(49), 1); !errors.Is(err, table.ErrTrimmed) {
		t.Errorf("reading on where changes are gone: %v", err)
	}
	if _, _, err := db.Changes(t.Context(), things, onlyShard, formatSequence(50), 1); err != nil {
		t.Errorf("reading on after the last: %v", err)
	}

	// Numbers go on rising though nothing of the feed is left.
	db = reopen(t, db, testSchemas(), opts)
	put(t, db, things, listed("a", "1", 100))
	if left := readAll(t, db, formatSequence(50)); len(left) != 1 || left[0].Sequence != formatSequence(51) {
		t.Errorf("after the restart came %v", left)
	}
}

func TestTrimByLength(t *testing.T) {
	db := openTest(t, testSchemas(), Options{FeedLength: 1000})
	for i := range 2*trimEvery/100 + 3 {
		var ws []table.Write
		for j := range 100 {
			ws = append(ws, table.Put(things, thing("a", fmt.Sprint(j), table.Item{"n": table.N(int64(i))})))
		}
		if _, err := db.Batch(t.Context(), ws); err != nil {
			t.Fatal(err)
		}
	}
	left := readAll(t, db, "")
	if len(left) < 1000 || len(left) > 2000 {
		t.Errorf("%d changes are left, want 1,000 and what came since the last trim", len(left))
	}
}

func TestChangesRefuses(t *testing.T) {
	db := openTest(t, testSchemas(), Options{})
	tests := []struct{ name, table, shard, after string }{
		{"an unknown table", "None", onlyShard, ""},
		{"a table without a feed", notes, onlyShard, ""},
		{"an unknown shard", things, "shard-9", ""},
		{"what is no sequence number", things, onlyShard, "x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, _, err := db.Changes(t.Context(), test.table, test.shard, test.after, 1); !errors.Is(err, table.ErrInvalid) {
				t.Errorf("error %v, want ErrInvalid", err)
			}
		})
	}
}

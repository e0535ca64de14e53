package pebble

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/table"
)

// onCall makes faults that do one thing at the n-th call of an operation, counted from 1.
func onCall(op Operation, n int, fault Fault) *Faults {
	seen := 0
	return &Faults{OnCall: func(c Call) Fault {
		if c.Op != op {
			return Fault{}
		}
		if seen++; seen == n {
			return fault
		}
		return Fault{}
	}}
}

func TestFaultsOfWrites(t *testing.T) {
	note := table.Put(notes, table.Item{"pk": table.S("a")})
	calls := []struct {
		op   Operation
		call func(t *testing.T, db *DB) error
	}{
		{OpApply, func(t *testing.T, db *DB) error { _, _, err := db.Apply(t.Context(), note); return err }},
		{OpGroup, func(t *testing.T, db *DB) error { _, err := db.Group(t.Context(), "", []table.Write{note}); return err }},
		{OpBatch, func(t *testing.T, db *DB) error { _, err := db.Batch(t.Context(), []table.Write{note}); return err }},
	}
	faults := []struct {
		name  string
		fault Fault
		want  error
		done  bool
	}{
		{"none", Fault{}, nil, true},
		{"conflict", Failed(table.ErrConflict), table.ErrConflict, false},
		{"throttled", Failed(table.ErrThrottled), table.ErrThrottled, false},
		{"unknown, not done", Failed(table.ErrUnknown), table.ErrUnknown, false},
		{"unknown, done", ReplyLost(), table.ErrUnknown, true},
	}
	for _, c := range calls {
		for _, f := range faults {
			t.Run(fmt.Sprint(c.op, " ", f.name), func(t *testing.T) {
				db := openTest(t, testSchemas(), Options{Faults: onCall(c.op, 1, f.fault)})
				if err := c.call(t, db); !errors.Is(err, f.want) {
					t.Errorf("error %v, want %v", err, f.want)
				}
				var want table.Item
				if f.done {
					want = note.Item
				}
				wantItem(t, db, noteRef("a"), want)
				if err := c.call(t, db); err != nil {
					t.Errorf("the second call: %v", err)
				}
			})
		}
	}
}

func TestFaultLeavesSomeOfABatch(t *testing.T) {
	for n := range 11 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			db := openTest(t, testSchemas(), Options{Faults: onCall(OpBatch, 1, Leftovers(n))})
			var ws []table.Write
			for i := range 10 {
				ws = append(ws, table.Put(things, listed("a", fmt.Sprint(i), 1)))
			}
			if _, err := db.Batch(t.Context(), ws); !errors.Is(err, table.ErrThrottled) {
				t.Errorf("error %v", err)
			}
			if got := len(itemsOf(t, db, "a")); got != n {
				t.Errorf("%d items are there, want %d", got, n)
			}
		})
	}
}

func TestFaultsOfReads(t *testing.T) {
	calls := []struct {
		op   Operation
		call func(db *DB) error
	}{
		{OpGet, func(db *DB) error { _, _, err := db.Get(t.Context(), noteRef("a"), table.Strong); return err }},
		{OpBatchGet, func(db *DB) error {
			_, _, err := db.BatchGet(t.Context(), []table.Ref{noteRef("a")}, table.Strong)
			return err
		}},
		{OpSelect, func(db *DB) error {
			_, _, err := db.Select(t.Context(), []table.Ref{noteRef("a")}, table.Strong, "pk")
			return err
		}},
		{OpQuery, func(db *DB) error {
			_, _, err := db.Query(t.Context(), table.Query{Table: notes, Partition: "a"})
			return err
		}},
		{OpScan, func(db *DB) error { _, _, err := db.Scan(t.Context(), notes, 0, 1, nil); return err }},
		{OpChanges, func(db *DB) error { _, _, err := db.Changes(t.Context(), things, onlyShard, "", 1); return err }},
	}
	for _, c := range calls {
		for name, fault := range map[string]Fault{"throttled": Failed(table.ErrThrottled), "lost": ReplyLost()} {
			t.Run(fmt.Sprint(c.op, " ", name), func(t *testing.T) {
				db := openTest(t, testSchemas(), Options{Faults: onCall(c.op, 2, fault)})
				for i, want := range []error{nil, table.ErrThrottled, nil} {
					if err := c.call(db); !errors.Is(err, want) {
						t.Errorf("call %d: error %v, want %v", i+1, err, want)
					}
				}
			})
		}
	}
}

func TestFaultsCutPages(t *testing.T) {
	faults := &Faults{OnCall: func(c Call) Fault {
		if c.Op == OpQuery || c.Op == OpChanges {
			return Short(int(c.Number % 3)) // 0, 1 or 2
		}
		return Short(1)
	}}
	db := openTest(t, testSchemas(), Options{Faults: faults})
	var want []string
	for i := range 20 {
		want = append(want, fmt.Sprintf("%02d", i))
		put(t, db, things, listed("a", want[i], 1))
	}
	if diff := cmp.Diff(want, sortsOf(t, db, table.Query{Table: things, Partition: "a"})); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
	wantSorts(t, db, "byTime", "a", want...)
	var scanned []string
	for after := table.Cursor(nil); ; {
		page, _, err := db.Scan(t.Context(), things, 0, 1, after)
		if err != nil || len(page.Items) > 1 {
			t.Fatalf("a page of %d items, %v", len(page.Items), err)
		}
		for _, item := range page.Items {
			scanned = append(scanned, string(item["sk"].B))
		}
		if after = page.Next; after == nil {
			break
		}
	}
	if diff := cmp.Diff(want, scanned); diff != "" {
		t.Errorf("scan (-want +got):\n%s", diff)
	}
}

func TestFaultRepeatsChanges(t *testing.T) {
	db := openTest(t, testSchemas(), Options{Faults: onCall(OpChanges, 2, Repeat(3))})
	for i := range 6 {
		put(t, db, things, listed("a", "1", int64(i)))
	}
	after := formatSequence(4)
	for i, want := range []string{formatSequence(5), formatSequence(2), formatSequence(5)} {
		changes, _, err := db.Changes(t.Context(), things, onlyShard, after, 10)
		if err != nil || len(changes) == 0 || changes[0].Sequence != want {
			t.Errorf("call %d: %v, %v, want to begin with %s", i+1, changes, err, want)
		}
	}
}

func TestIndexDelay(t *testing.T) {
	c := newClock()
	delays := []time.Duration{}
	opts := Options{FS: vfs.NewMem(), Now: c.now, Faults: &Faults{IndexDelay: func() time.Duration {
		d := delays[0]
		delays = delays[1:]
		return d
	}}}
	db := openTest(t, testSchemas(), opts)
	delays = []time.Duration{2 * time.Second, 4 * time.Second, 3 * time.Second, time.Second} // byTime, byColor of each item
	_, err := db.Group(t.Context(), "", []table.Write{table.Put(things, listed("a", "1", 1)), table.Put(things, listed("a", "2", 1))})
	if err != nil {
		t.Fatal(err)
	}
	wantItem(t, db, thingRef("a", "1"), listed("a", "1", 1))
	half := 0
	for range 5 {
		times := sortsOf(t, db, table.Query{Table: things, Index: "byTime", Partition: "a"})
		colors := sortsOf(t, db, table.Query{Table: things, Index: "byColor", Partition: "a"})
		if n := len(times) + len(colors); n > 0 && n < 4 {
			half++
		}
		c.advance(time.Second)
	}
	if half != 3 {
		t.Errorf("half of the group was seen %d times, want 3", half)
	}
	wantSorts(t, db, "byTime", "a", "1", "2")

	// A later change of an entry does not overtake an earlier one.
	delays = []time.Duration{time.Minute, time.Minute, 0, 0}
	for _, actions := range [][]table.Action{{table.Remove("p")}, {table.SetTo("p", table.B([]byte("1")))}} {
		if _, _, err := db.Apply(t.Context(), table.Update(thingRef("a", "1"), actions)); err != nil {
			t.Fatal(err)
		}
	}
	c.advance(time.Second)
	wantSorts(t, db, "byTime", "a", "1", "2")
	c.advance(time.Hour)
	wantSorts(t, db, "byTime", "a", "1", "2")
	if err := db.Verify(t.Context()); err != nil {
		t.Error(err)
	}

	// What is held back survives, and shows after a flush or when the folder is opened.
	delays = []time.Duration{time.Hour, time.Hour, time.Hour, time.Hour}
	put(t, db, things, listed("b", "1", 1))
	wantSorts(t, db, "byTime", "b")
	if err := db.FlushIndexes(); err != nil {
		t.Fatal(err)
	}
	wantSorts(t, db, "byTime", "b", "1")
	put(t, db, things, listed("b", "2", 1))
	wantSorts(t, db, "byTime", "b", "1")
	db = reopen(t, db, testSchemas(), Options{FS: opts.FS, Now: c.now})
	wantSorts(t, db, "byTime", "b", "1", "2")
	if err := db.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestStaleReads(t *testing.T) {
	c := newClock()
	db := openTest(t, testSchemas(), Options{Now: c.now, Faults: &Faults{Stale: time.Second}})
	oldest := int64(0)
	seen := map[int64]bool{} // how many versions behind
	for i := range int64(200) {
		put(t, db, notes, table.Item{"pk": table.S("a"), "n": table.N(i)})
		wantItem(t, db, noteRef("a"), table.Item{"pk": table.S("a"), "n": table.N(i)})
		item, _, err := db.Get(t.Context(), noteRef("a"), table.Eventual)
		if err != nil {
			t.Fatal(err)
		}
		age := i - item["n"].N
		seen[age] = true
		oldest = max(oldest, age)
		c.advance(300 * time.Millisecond)
	}
	if oldest < 2 || oldest > 4 || !seen[0] {
		t.Errorf("versions seen were so many behind: %v; want 0 and up to 1 s, which is 4 versions", seen)
	}
}

// A feed in shards has every change once, and each item's in order when parents are read before their children.
func TestFeedInShards(t *testing.T) {
	fs := vfs.NewMem()
	opts := Options{FS: fs, Faults: &Faults{ShardSpan: 25, Seed: 1}}
	db := openTest(t, testSchemas(), opts)
	shuffled := false
	for round := range int64(20) {
		var ws []table.Write
		for i := range 10 {
			ws = append(ws, table.Update(thingRef("a", fmt.Sprint(i)), []table.Action{table.SetTo("n", table.N(round+1))}))
		}
		if _, err := db.Group(t.Context(), "", ws); err != nil {
			t.Fatal(err)
		}
		if round == 10 {
			db = reopen(t, db, testSchemas(), opts)
		}
	}
	shards, err := db.Shards(t.Context(), things)
	if err != nil {
		t.Fatal(err)
	}
	if want := 1 + 2*(200/25); len(shards) != want {
		t.Fatalf("%d shards, want %d", len(shards), want)
	}
	last := map[string]int64{}
	total := 0
	for i, shard := range shards {
		after, previous := "", ""
		for {
			changes, open, err := db.Changes(t.Context(), things, shard.ID, after, 4)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range changes {
				sort := string(c.Key.Sort)
				if c.Shard != shard.ID || c.Old["n"].N != last[sort] || c.Sequence <= after {
					t.Fatalf("shard %s: change %s of %s from %d, was %d", shard.ID, c.Sequence, sort, c.Old["n"].N, last[sort])
				}
				shuffled = shuffled || c.Old["n"].N == 5 && sort < previous
				last[sort], after, previous = c.New["n"].N, c.Sequence, sort
				total++
			}
			if isLast := i >= len(shards)-2; !open && isLast {
				t.Fatalf("shard %s is closed", shard.ID)
			}
			if len(changes) == 0 || !open {
				break
			}
		}
	}
	if total != 200 {
		t.Errorf("%d changes, want 200", total)
	}
	if !shuffled {
		t.Error("the feed has a group in the order of its writes")
	}
}

// A test that walks over all calls learns their number and what they are.
func TestEveryCallIsAsked(t *testing.T) {
	var asked []string
	db := openTest(t, testSchemas(), Options{Faults: &Faults{OnCall: func(c Call) Fault {
		asked = append(asked, fmt.Sprintf("%d %s %s %d", c.Number, c.Op, c.Table, c.Items))
		return Fault{}
	}}})
	put(t, db, things, listed("a", "1", 1))
	wantItem(t, db, thingRef("a", "1"), listed("a", "1", 1))
	ws := []table.Write{table.Put(things, listed("a", "2", 1)), table.Put(notes, table.Item{"pk": table.S("a")})}
	if _, err := db.Group(t.Context(), "", ws); err != nil {
		t.Fatal(err)
	}
	wantSorts(t, db, "byTime", "a", "1", "2")
	want := []string{"1 Apply Things 1", "2 Get Things 1", "3 Group  2", "4 Query Things 0"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

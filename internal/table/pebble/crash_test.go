package pebble

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/table"
)

// crashClones is how many power failures an ordinary run simulates.
const crashClones = 240

// crashWriter makes the writes of one partition, one after the other. What the n-th step does is a function of the
// writer's number and n, so the state after any number of steps can be worked out again.
type crashWriter struct {
	number        int
	begun, synced atomic.Int64 // steps that were begun, and that must be on the disk
}

func (w *crashWriter) partition() string { return fmt.Sprintf("writer%d", w.number) }

// step describes the n-th step: its kind and its writes. Every step writes its number on item 0.
func (w *crashWriter) step(n int64) (kind int, ws []table.Write) {
	random := rand.New(rand.NewPCG(uint64(w.number), uint64(n)))
	kind = random.IntN(3)
	body := func() table.Value { return table.B(make([]byte, random.IntN(600))) }
	ws = append(ws, table.Put(things, thing(w.partition(), "0", table.Item{"step": table.N(n), "b": body()})))
	if kind == 0 {
		return kind, ws // Apply
	}
	for _, i := range random.Perm(12)[:random.IntN(8)] {
		sort := fmt.Sprintf("item%02d", i)
		put := table.Put(things, listed(w.partition(), sort, n))
		put.Item["b"] = body()
		switch {
		case random.IntN(4) == 0:
			ws = append(ws, table.Delete(thingRef(w.partition(), sort)))
		case kind == 1 && random.IntN(2) == 0: // groups only
			ws = append(ws, table.Update(thingRef(w.partition(), sort), []table.Action{table.Add("n", table.N(1)), table.SetTo("kt", table.S(w.partition()))}))
		default:
			ws = append(ws, put)
		}
	}
	return kind, ws
}

// run makes steps until the context ends.
func (w *crashWriter) run(ctx context.Context, db *DB) error {
	for n := int64(1); ctx.Err() == nil; n++ {
		kind, ws := w.step(n)
		w.begun.Store(n)
		var err error
		switch kind {
		case 0:
			_, _, err = db.Apply(context.Background(), ws[0])
		case 1:
			_, err = db.Group(context.Background(), w.token(n), ws)
		case 2:
			_, err = db.Batch(context.Background(), ws)
		}
		if err != nil {
			return fmt.Errorf("writer %d, step %d: %w", w.number, n, err)
		}
		if kind != 2 {
			w.synced.Store(n)
		}
	}
	return nil
}

func (w *crashWriter) token(n int64) string { return fmt.Sprintf("%d-%d", w.number, n) }

// state works out the items of the partition after n steps.
func (w *crashWriter) state(n int64) map[string]table.Item {
	items := map[string]table.Item{}
	for i := int64(1); i <= n; i++ {
		_, ws := w.step(i)
		for _, write := range ws {
			switch write.Op {
			case table.OpPut:
				items[string(write.Item["sk"].B)] = write.Item
			case table.OpDelete:
				delete(items, string(write.Key.Sort))
			case table.OpUpdate:
				sort := string(write.Key.Sort)
				item := thing(w.partition(), sort, items[sort])
				item["n"] = table.N(item["n"].N + 1)
				item["kt"] = table.S(w.partition())
				items[sort] = item
			}
		}
	}
	return items
}

// After a power failure at any moment, with any part of what was not synced, every acknowledged write is there, no group
// is torn, indexes and feed agree with the items, and a group that is sent again applies once.
func TestPowerFailures(t *testing.T) {
	const writers, rounds = 6, 8
	clones, steps := 0, int64(0)
	for round := range rounds {
		fs := vfs.NewCrashableMem()
		db := openTest(t, testSchemas(), Options{FS: fs, CacheBytes: 1 << 20}) // flushes often
		ctx, cancel := context.WithCancel(t.Context())
		all := make([]*crashWriter, writers)
		var wg sync.WaitGroup
		for i := range all {
			all[i] = &crashWriter{number: 100*round + i}
			wg.Go(func() {
				if err := all[i].run(ctx, db); err != nil {
					t.Error(err)
				}
			})
		}
		random := rand.New(rand.NewPCG(uint64(round), 0))
		var crashes []crash
		for i := range crashClones / rounds {
			for before := stepsOf(all); stepsOf(all) == before && !t.Failed(); { // on a busy machine the writers may be late
				time.Sleep(100 * time.Microsecond)
			}
			time.Sleep(time.Duration(random.IntN(2000)) * time.Microsecond)
			crashes = append(crashes, crashNow(fs, all, []int{0, 100, random.IntN(101)}[i%3], random))
		}
		cancel()
		wg.Wait()
		steps += stepsOf(all)
		for _, c := range crashes {
			c.check(t, all)
			clones++
		}
		if err := db.Close(); err != nil || t.Failed() {
			t.Fatal(err)
		}
	}
	t.Logf("%d power failures in %d steps", clones, steps)
	if clones < crashClones || steps < crashClones {
		t.Errorf("%d power failures in %d steps are too few", clones, steps)
	}
}

// stepsOf is how many steps the writers have begun.
func stepsOf(all []*crashWriter) (steps int64) {
	for _, w := range all {
		steps += w.begun.Load()
	}
	return steps
}

// crash is what a power failure left of the disk, and between which steps it came for each writer.
type crash struct {
	fs          vfs.FS
	least, most []int64
}

// crashNow takes what would be left if the power failed now, with about so many percent of what was not synced.
func crashNow(fs *vfs.MemFS, writers []*crashWriter, percent int, random *rand.Rand) crash {
	var c crash
	for _, w := range writers {
		c.least = append(c.least, w.synced.Load())
	}
	c.fs = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: random})
	for _, w := range writers {
		c.most = append(c.most, w.begun.Load())
	}
	return c
}

// check opens what is left and compares.
func (c *crash) check(t *testing.T, writers []*crashWriter) {
	t.Helper()
	db := openTest(t, testSchemas(), Options{FS: c.fs, CacheBytes: 1 << 20})
	if err := db.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	for i, w := range writers {
		got := itemsOf(t, db, w.partition())
		n := got["0"]["step"].N
		if n < c.least[i] || n > c.most[i] {
			t.Fatalf("writer %d stands at step %d, want %d to %d", w.number, n, c.least[i], c.most[i])
		}
		if diff := cmp.Diff(w.state(n), got); diff != "" {
			t.Fatalf("writer %d after step %d (-want +got):\n%s", w.number, n, diff)
		}
		if kind, ws := w.step(n); n > 0 && kind == 1 {
			if _, err := db.Group(t.Context(), w.token(n), ws); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, itemsOf(t, db, w.partition())); diff != "" {
				t.Fatalf("a group sent again changed (-before +after):\n%s", diff)
			}
		}
	}
	checkFeed(t, db)
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// itemsOf reads a partition of things by sort key.
func itemsOf(t *testing.T, db *DB, partition string) map[string]table.Item {
	t.Helper()
	items := map[string]table.Item{}
	q := table.Query{Table: things, Partition: partition, Consistency: table.Strong}
	for {
		page, _, err := db.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			items[string(item["sk"].B)] = item
		}
		if q.After = page.Next; q.After == nil {
			return items
		}
	}
}

// checkFeed plays the whole feed from the beginning: each change must start from what the one before it left, and the
// end must be what is stored.
func checkFeed(t *testing.T, db *DB) {
	t.Helper()
	played := map[string]map[string]table.Item{}
	for _, c := range readAll(t, db, "") {
		items := played[c.Key.Partition]
		if items == nil {
			items = map[string]table.Item{}
			played[c.Key.Partition] = items
		}
		sort := string(c.Key.Sort)
		if !maps.EqualFunc(items[sort], c.Old, table.Value.Equal) { // much faster than cmp
			t.Fatalf("change %s does not start where the last ended (-last +this):\n%s", c.Sequence, cmp.Diff(items[sort], c.Old))
		}
		if c.New == nil {
			delete(items, sort)
		} else {
			items[sort] = c.New
		}
	}
	for partition, items := range played {
		if diff := cmp.Diff(itemsOf(t, db, partition), items); diff != "" {
			t.Fatalf("the feed does not end at what is stored (-stored +feed):\n%s", diff)
		}
	}
}

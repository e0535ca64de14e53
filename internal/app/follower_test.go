package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/app"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// followed is a table with a follower that notes what it is given.
type followed struct {
	db  *pebble.DB
	log bytes.Buffer

	mu   sync.Mutex
	seen map[string][]int64 // versions by item
}

func newFollowed(t *testing.T, faults *pebble.Faults) *followed {
	t.Helper()
	db, err := pebble.Open("data", schema.Tables, pebble.Options{FS: vfs.NewMem(), Faults: faults})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &followed{db: db, seen: map[string][]int64{}}
}

func (f *followed) write(t *testing.T, item string, version int64) {
	t.Helper()
	put := table.Put(schema.Statements, table.Item{schema.PK: table.S(item), schema.Version: table.N(version)})
	if _, _, err := f.db.Apply(t.Context(), put); err != nil {
		t.Fatal(err)
	}
}

func (f *followed) note(_ context.Context, c table.Change) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen[c.Key.Partition] = append(f.seen[c.Key.Partition], c.New[schema.Version].N)
	return nil
}

func (f *followed) notes() map[string][]int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string][]int64{}
	for item, versions := range f.seen {
		out[item] = slices.Clone(versions)
	}
	return out
}

// run follows until done says so.
func (f *followed) run(t *testing.T, apply func(context.Context, table.Change) error, done func() bool) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var wait sync.WaitGroup
	wait.Go(func() {
		app.Follower{
			Tables: f.db, Table: schema.Statements, Name: "test", Apply: apply,
			Log: slog.New(slog.NewTextHandler(&f.log, nil)), Wait: f.db.Wait,
		}.Run(ctx)
	})
	deadline := time.Now().Add(20 * time.Second)
	for !done() && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	stop()
	wait.Wait()
	if !done() {
		t.Fatalf("after 20 s: %v\n%s", f.notes(), &f.log)
	}
}

// upTo reports whether every item has been seen in its last version.
func (f *followed) upTo(items int, version int64) func() bool {
	return func() bool {
		seen := f.notes()
		for i := range items {
			if versions := seen[fmt.Sprint("item", i)]; len(versions) == 0 || versions[len(versions)-1] != version {
				return false
			}
		}
		return true
	}
}

func TestFollowerGivesEveryChangeInTheOrderOfItsItem(t *testing.T) {
	var calls atomic.Int64
	tests := map[string]*pebble.Faults{
		"no faults":              nil,
		"shards split":           {ShardSpan: 20, Seed: 1},
		"short and repeated":     {Seed: 2, OnCall: disturb(&calls, pebble.Short(1), pebble.Repeat(5))},
		"reads fail and recover": {Seed: 3, OnCall: disturb(&calls, pebble.Failed(table.ErrThrottled))},
	}
	for name, faults := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFollowed(t, faults)
			const items, versions = 10, 15
			for version := range int64(versions) {
				for i := range items {
					f.write(t, fmt.Sprint("item", i), version)
				}
			}
			f.run(t, f.note, f.upTo(items, versions-1))
			for item, seen := range f.notes() {
				// A change may come again, together with those after it; none may be missing when a later one comes.
				next := int64(0)
				for _, version := range seen {
					if version > next {
						t.Fatalf("%s: version %d came before %d: %v", item, version, next, seen)
					}
					next = max(next, version+1)
				}
			}
		})
	}
}

// disturb lets every third reading of changes meet one of the faults.
func disturb(calls *atomic.Int64, faults ...pebble.Fault) func(pebble.Call) pebble.Fault {
	return func(c pebble.Call) pebble.Fault {
		if c.Op != pebble.OpChanges {
			return pebble.Fault{}
		}
		n := calls.Add(1)
		if n%3 != 0 {
			return pebble.Fault{}
		}
		return faults[int(n/3)%len(faults)]
	}
}

func TestFollowerGoesOnFromItsCheckpoint(t *testing.T) {
	f := newFollowed(t, nil)
	f.write(t, "item0", 1)
	f.run(t, f.note, f.upTo(1, 1))
	f.write(t, "item0", 2)
	f.run(t, f.note, f.upTo(1, 2))
	if diff := cmp.Diff(map[string][]int64{"item0": {1, 2}}, f.notes()); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestFollowerWaitsForNewChanges(t *testing.T) {
	f := newFollowed(t, nil)
	wrote := false
	f.run(t, f.note, func() bool {
		if !wrote {
			f.write(t, "item0", 1)
			wrote = true
		}
		return f.upTo(1, 1)()
	})
}

func TestFollowerLeavesOutWhatCannotBeApplied(t *testing.T) {
	f := newFollowed(t, nil)
	f.write(t, "poison", 1)
	f.write(t, "item0", 1)
	attempts := 0
	f.run(t, func(ctx context.Context, c table.Change) error {
		if c.Key.Partition == "poison" {
			attempts++
			return errors.New("cannot be applied")
		}
		return f.note(ctx, c)
	}, f.upTo(1, 1))
	if attempts < 2 {
		t.Errorf("%d attempts", attempts)
	}
	if log := f.log.String(); strings.Count(log, "change left out") != 1 || strings.Contains(log, "poison") {
		t.Errorf("log %s", log)
	}
}

func TestFollowerBeginsAnewAfterATrim(t *testing.T) {
	f := newFollowed(t, nil)
	f.write(t, "item0", 1)
	f.run(t, f.note, f.upTo(1, 1))
	f.write(t, "item0", 2)
	f.write(t, "item1", 2)
	if err := f.db.Trim(t.Context(), schema.Statements, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	f.write(t, "item0", 3)
	f.write(t, "item1", 3)
	f.run(t, f.note, f.upTo(2, 3))
	if !strings.Contains(f.log.String(), "trimmed") {
		t.Errorf("log %s", f.log.String())
	}
}

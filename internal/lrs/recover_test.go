package lrs

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// afterPowerFailure opens what a power failure would leave now, without anything that was not synced, and recovers.
func afterPowerFailure(t *testing.T, fs *vfs.MemFS, store auth.Store) (w *world, recovered int) {
	t.Helper()
	w = worldIn(t, fs.CrashClone(vfs.CrashCloneCfg{}), nil)
	d := &Derivation{
		Service:  w.service,
		Stores:   func(context.Context, string) (auth.Store, error) { return store, nil },
		Definers: func(context.Context) (func(xapi.IFI) bool, error) { return func(xapi.IFI) bool { return true }, nil },
	}
	recovered, err := d.Recover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return w, recovered
}

// What stored statements say is known after a power failure, wherever the checkpoints lie, though its merging waits for no
// disk.
func TestWhatIsMergedSurvivesAPowerFailure(t *testing.T) {
	fs := vfs.NewCrashableMem()
	w := worldIn(t, fs, nil)
	store := storeWith("one", 1)
	p := principal(store)
	undone := 0
	for n := 1; n <= 24; n++ {
		w.mustStore(p, naming(2*n, fmt.Sprintf("agent%d@example.org", n%5), fmt.Sprintf("Name %d", n)), titled(2*n+1, fmt.Sprintf("Title %d", n%2)))
		if n%7 == 0 { // writes a checkpoint, as every new follower does
			if _, err := (&Follower{Service: w.service}).Pass(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if n%2 == 0 { // what waited is merged, but not synced
			w.mergedItems()
		}
		left := worldIn(t, fs.CrashClone(vfs.CrashCloneCfg{}), nil)
		after, recovered := afterPowerFailure(t, fs, store)
		want, got := w.mergedItems(), after.mergedItems()
		if len(left.contents(schema.Persons)) < len(w.contents(schema.Persons)) || left.title(t) != w.title(t) {
			undone++
		}
		for key, value := range want {
			if !value.Equal(got[key]) {
				t.Errorf("statement %d, %d recovered: %s is %v, want %v", n, recovered, key, got[key], value)
			}
		}
		if most := 2 * (n - n/7*7); recovered != most {
			t.Errorf("statement %d: %d recovered, want %d: those after the checkpoint", n, recovered, most)
		}
	}
	if undone == 0 {
		t.Error("no power failure undid anything: this test shows nothing")
	}
}

// What came while reports were behind is not merged again: only what came after the checkpoint of merging is.
func TestRecoveryDoesNotWaitForReports(t *testing.T) {
	fs := vfs.NewCrashableMem()
	w := worldIn(t, fs, nil)
	db := w.tables.(*pebble.DB)
	store := storeWith("one", 1)
	p := principal(store)
	n := 0
	store10 := func() {
		for range 10 {
			n++
			w.mustStore(p, titled(n, fmt.Sprintf("Title %d", n)))
		}
	}
	store10()
	follower := &Follower{
		Service: w.service,
		Latest:  func(ctx context.Context) (string, error) { return db.Latest(ctx, schema.Statements) },
		Also: func(context.Context, []table.Change) error { // takes long: the next come meanwhile
			store10()
			return nil
		},
	}
	if _, err := follower.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := w.title(t)
	after, recovered := afterPowerFailure(t, fs, store)
	if recovered != 0 || after.title(t) != want {
		t.Errorf("%d statements are merged again, and the title is %q, want %q", recovered, after.title(t), want)
	}
	store10()
	if _, recovered := afterPowerFailure(t, fs, store); recovered != 10 {
		t.Errorf("%d statements are merged again, want the 10 after the checkpoint", recovered)
	}
	left, err := after.follower.Pass(t.Context()) // reports begin where they were
	if err != nil || left < 10 {
		t.Errorf("%d changes are left for reports, error %v", left, err)
	}
}

// A checkpoint does not pass a statement whose request has still to say what it brings, nor one of which that waits.
func TestCheckpointWaitsForWhatIsBeingMerged(t *testing.T) {
	committed, goOn := make(chan bool), make(chan bool)
	var put, held atomic.Bool
	fs := vfs.NewCrashableMem()
	w := worldIn(t, fs, &pebble.Faults{OnCall: func(c pebble.Call) pebble.Fault {
		if c.Op == pebble.OpApply && c.Table == schema.Statements {
			put.Store(true)
		}
		if c.Op == pebble.OpBatchGet && put.Load() && held.CompareAndSwap(false, true) { // who waits for the statement
			committed <- true
			<-goOn
		}
		return pebble.Fault{}
	}})
	store := storeWith("one", 1)
	p := principal(store)
	stored, passed := make(chan error, 1), make(chan error, 1)
	go func() { stored <- w.store(p, naming(1, "ann@example.org", "Ann")) }()
	<-committed
	w.follower.Latest = func(ctx context.Context) (string, error) { return w.tables.(*pebble.DB).Latest(ctx, schema.Statements) }
	go func() {
		_, err := w.follower.Pass(t.Context())
		passed <- err
	}()
	select {
	case err := <-passed:
		t.Errorf("the checkpoint was written before the request said what its statement brings; error %v", err)
		passed <- err
	case <-time.After(100 * time.Millisecond): // much longer than a pass takes
	}
	known := func() {
		t.Helper()
		after, _ := afterPowerFailure(t, fs, store)
		if got := after.names(p, mbox("ann@example.org")); !slices.Equal(got, []string{"Ann"}) {
			t.Errorf("names %q after a power failure", got)
		}
	}
	known()
	close(goOn)
	if err := <-stored; err != nil {
		t.Fatal(err)
	}
	if err := <-passed; err != nil {
		t.Fatal(err)
	}
	known()
	if n, err := (&Follower{Service: w.service}).Pass(t.Context()); n != 0 || err != nil {
		t.Errorf("%d changes after the checkpoint; error %v", n, err)
	}
}

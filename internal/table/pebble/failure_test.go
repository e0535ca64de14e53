package pebble

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/cairn-lrs/cairn/internal/table"
)

// brokenDisk fails every write operation from one on, as a full or dying disk does.
type brokenDisk struct {
	from  int64 // the number of the first operation that fails; 0: none
	syncs bool  // only syncs fail
	err   error
	count atomic.Int64
}

func (d *brokenDisk) String() string { return "broken disk" }

func (d *brokenDisk) MaybeError(op errorfs.Op) error {
	switch op.Kind {
	case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
	case errorfs.OpCreate, errorfs.OpFileWrite, errorfs.OpFilePreallocate, errorfs.OpLink, errorfs.OpRename,
		errorfs.OpReuseForWrite, errorfs.OpMkdirAll:
		if d.syncs {
			return nil
		}
	default:
		return nil
	}
	if n := d.count.Add(1); d.from > 0 && n >= d.from {
		return d.err
	}
	return nil
}

// Whatever operation of the disk is the first to fail, no write is acknowledged that is not there after a power failure,
// and none is taken later. Calls return at once.
func TestDiskFails(t *testing.T) {
	disks := []struct {
		name  string
		syncs bool
		err   error
	}{
		{"full", false, syscall.ENOSPC},
		{"cannot sync", true, syscall.EIO},
	}
	for _, disk := range disks {
		t.Run(disk.name, func(t *testing.T) {
			whole := &brokenDisk{syncs: disk.syncs}
			runOnDisk(t, whole)
			operations := whole.count.Load()
			for from := int64(1); from <= operations; from++ {
				runOnDisk(t, &brokenDisk{from: from, syncs: disk.syncs, err: disk.err})
			}
			t.Logf("failed at each of %d operations", operations)
		})
	}
}

func runOnDisk(t *testing.T, disk *brokenDisk) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	fs := vfs.NewCrashableMem()
	db, err := Open("data", testSchemas(), Options{FS: errorfs.Wrap(fs, disk), CacheBytes: 1 << 20})
	if err != nil {
		if disk.from == 0 {
			t.Fatal(err)
		}
		return
	}
	var acked []string
	failed := false
	for i := range 12 {
		pk := fmt.Sprint(i)
		_, err := db.Group(ctx, "", []table.Write{
			table.Put(things, listed(pk, "1", int64(i))), table.Put(notes, table.Item{"pk": table.S(pk)}),
		})
		switch {
		case err == nil && failed:
			t.Fatalf("disk broken from operation %d: write %d was acknowledged after another had failed", disk.from, i)
		case err == nil:
			acked = append(acked, pk)
		case failed && !(errors.Is(err, ErrStopped) && errors.Is(err, table.ErrThrottled)):
			t.Fatalf("disk broken from operation %d: write %d: %v, want ErrStopped", disk.from, i, err)
		case !failed && !errors.Is(err, table.ErrUnknown) && !errors.Is(err, ErrStopped):
			t.Fatalf("disk broken from operation %d: write %d: %v, want ErrUnknown", disk.from, i, err)
		default:
			failed = true
		}
	}
	for _, pk := range acked { // reads go on
		if item, _, err := db.Get(ctx, noteRef(pk), table.Strong); err != nil || item == nil {
			t.Fatalf("disk broken from operation %d: note %s is %v, %v", disk.from, pk, item, err)
		}
	}
	if failed {
		checkDoubtful(ctx, t, db, acked)
	}
	after := fs.CrashClone(vfs.CrashCloneCfg{})
	if err := db.Close(); failed != errors.Is(err, ErrStopped) && disk.from == 0 {
		t.Fatalf("close: %v", err)
	}
	again := openTest(t, testSchemas(), Options{FS: after})
	for _, pk := range acked {
		wantItem(t, again, noteRef(pk), table.Item{"pk": table.S(pk)})
	}
	if err := again.Verify(ctx); err != nil {
		t.Error(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// checkDoubtful reads what was written last: whatever may be visible of it, a strong read must not vouch for it.
func checkDoubtful(ctx context.Context, t *testing.T, db *DB, acked []string) {
	t.Helper()
	item, _, err := db.Get(ctx, noteRef(fmt.Sprint(len(acked))), table.Strong)
	if item != nil || err != nil && !errors.Is(err, ErrStopped) {
		t.Fatalf("a write that failed reads as %v, %v", item, err)
	}
}

// slowDisk holds back the syncs that begin after hold until release. It is a channel that holds them: a goroutine that
// waits for a mutex keeps the time of a synctest from passing.
type slowDisk struct {
	mu   sync.Mutex
	held chan struct{} // closed when syncs may go on; nil while none is held back
}

func (d *slowDisk) hold() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held = make(chan struct{})
}

func (d *slowDisk) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.held)
	d.held = nil
}

func (d *slowDisk) String() string { return "slow disk" }

func (d *slowDisk) MaybeError(op errorfs.Op) error {
	switch op.Kind {
	case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
		d.mu.Lock()
		held := d.held
		d.mu.Unlock()
		if held != nil {
			<-held
		}
	}
	return nil
}

// While a write is on its way to the disk its outcome is unknown, strong reads and other writers of the item wait for it,
// and its change is not in the feed.
func TestDiskIsSlow(t *testing.T) { synctest.Test(t, testDiskIsSlow) }

func testDiskIsSlow(t *testing.T) {
	disk := &slowDisk{}
	db := openTest(t, testSchemas(), Options{FS: errorfs.Wrap(vfs.NewMem(), disk)})
	put(t, db, things, listed("a", "1", 1))
	disk.hold()
	short := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		t.Cleanup(cancel)
		return ctx
	}
	two := listed("a", "1", 2)
	if _, _, err := db.Apply(short(), table.Put(things, two)); !errors.Is(err, table.ErrUnknown) {
		t.Errorf("Apply: %v, want ErrUnknown", err)
	}
	if _, _, err := db.Get(short(), thingRef("a", "1"), table.Strong); !errors.Is(err, table.ErrThrottled) {
		t.Errorf("a strong Get: %v, want ErrThrottled", err)
	}
	if _, _, err := db.Apply(short(), table.Delete(thingRef("a", "1"), table.Present("none"))); !errors.Is(err, table.ErrThrottled) {
		t.Errorf("another writer: %v, want ErrThrottled", err)
	}
	if item, _, err := db.Get(short(), thingRef("a", "1"), table.Eventual); err != nil || !item["n"].Equal(two["n"]) {
		t.Errorf("an eventual Get: %v, %v", item, err)
	}
	if changes := readAll(t, db, ""); len(changes) != 1 {
		t.Errorf("%d changes are in the feed, want 1", len(changes))
	}
	if _, _, err := db.Get(short(), thingRef("a", "2"), table.Strong); err != nil {
		t.Errorf("a strong Get of another item: %v", err)
	}
	disk.release()
	wantItem(t, db, thingRef("a", "1"), two)
	if changes := readAll(t, db, ""); len(changes) != 2 {
		t.Errorf("%d changes are in the feed, want 2", len(changes))
	}
}

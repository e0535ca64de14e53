package pebble

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cairn-lrs/cairn/internal/table"
)

// A reader took the old item from the engine, and is overtaken by a write before it fills the cache.
func TestItemCacheRefusesWhatWasOvertaken(t *testing.T) {
	c := newItemCache(1 << 20)
	key := []byte("item")
	version := c.version(key)
	c.wrote(key, []byte("new"))
	c.fill(key, []byte("old"), version)
	if got, ok := c.get(nil, key); !ok || string(got) != "new" {
		t.Errorf("after an overtaken fill the cache has %q (%t), not the item that was written", got, ok)
	}
	version = c.version(key)
	c.wrote(key, nil)
	c.fill(key, []byte("new"), version)
	if got, ok := c.get(nil, key); ok {
		t.Errorf("after an overtaken fill the cache has %q, which was deleted", got)
	}
	c.fill(key, []byte("newest"), c.version(key))
	if got, ok := c.get(nil, key); !ok || string(got) != "newest" {
		t.Errorf("after a fill the cache has %q (%t)", got, ok)
	}
	c.wrote(key, make([]byte, maxCached+1))
	if _, ok := c.get(nil, key); ok {
		t.Error("an item that is too large for the cache left the old one in it")
	}
}

// Absence is kept like an item: a write ends it, and one that overtook the reader does not let it in.
func TestItemCacheKeepsAbsence(t *testing.T) {
	c := newItemCache(1 << 20)
	key := []byte("item")
	version := c.version(key)
	if _, known := c.get(nil, key); known {
		t.Error("an empty cache knows of an item")
	}
	c.fill(key, nil, version)
	if got, known := c.get(make([]byte, 0, 8), key); !known || got != nil {
		t.Errorf("the cache has %q (%t) where the engine had nothing", got, known)
	}
	c.wrote(key, []byte("new"))
	c.fill(key, nil, version)
	if got, known := c.get(nil, key); !known || string(got) != "new" {
		t.Errorf("the cache has %q (%t), not the item that was written meanwhile", got, known)
	}
}

// Whoever reads after a write was acknowledged sees it, or a later one, while the cache is far too small for the items.
func TestReadsSeeAcknowledgedWrites(t *testing.T) {
	db, err := Open("data", []table.Schema{{Name: "T", Partition: "PK"}}, Options{FS: vfs.NewMem(), ItemBytes: 1, CacheBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const items, writers, rounds = 40, 4, 300
	var acknowledged [items]atomic.Int64
	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	for w := range writers {
		writing.Go(func() {
			for n := range rounds {
				i := (n*7 + w) % items
				item, _, err := db.Apply(context.Background(), table.Write{Table: "T", Op: table.OpUpdate, Key: itemKey(i),
					Actions: []table.Action{{Verb: table.ActionAdd, Attr: "n", Value: table.N(1)}}})
				if err != nil {
					t.Error(err)
					return
				}
				raise(&acknowledged[i], item["n"].N)
			}
		})
	}
	for r := range writers {
		reading.Go(func() {
			for n := r; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				i, consistency := n%items, table.Eventual
				if n%3 == 0 {
					consistency = table.Strong
				}
				atLeast := acknowledged[i].Load()
				item, _, err := db.Get(context.Background(), table.Ref{Table: "T", Key: itemKey(i)}, consistency)
				if err != nil {
					t.Error(err)
					return
				}
				if got := item["n"].N; got < atLeast {
					t.Errorf("read %d of item %d after %d was acknowledged", got, i, atLeast)
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	total := int64(0)
	for i := range items {
		item, _, err := db.Get(context.Background(), table.Ref{Table: "T", Key: itemKey(i)}, table.Eventual)
		if err != nil {
			t.Fatal(err)
		}
		total += item["n"].N
	}
	if total != writers*rounds {
		t.Errorf("the items count %d writes of %d", total, writers*rounds)
	}
}

func itemKey(i int) table.Key { return table.Key{Partition: fmt.Sprint("item-", i)} }

func raise(to *atomic.Int64, n int64) {
	for old := to.Load(); old < n && !to.CompareAndSwap(old, n); old = to.Load() {
	}
}

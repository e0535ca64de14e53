package auth_test

import (
	"errors"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
)

// TestGrowShards: readers know of new shards for as long as anybody may remember the old number before a writer uses them.
func TestGrowShards(t *testing.T) {
	w := newWorld(t, nil)
	store, err := w.CreateStore(t.Context(), "grows")
	if err != nil {
		t.Fatal(err)
	}
	old := store.Shards
	step := func(n, readers, writers int, wait time.Duration) {
		t.Helper()
		got, waits, err := w.GrowShards(t.Context(), store.ID, n)
		if err != nil || got.Shards != readers || got.WriteShards != writers || waits != wait {
			t.Fatalf("%d to read, %d to write, wait %v, %v; want %d, %d, %v", got.Shards, got.WriteShards, waits, err, readers, writers, wait)
		}
		now, err := w.Store(t.Context(), store.ID)
		if err != nil || now.Shards != readers || now.WriteShards != writers {
			t.Fatalf("the store has %d and %d: %v", now.Shards, now.WriteShards, err)
		}
	}
	step(old, old, old, 0)
	step(old+4, old+4, old, auth.GrowWait)
	w.pass(auth.GrowWait - time.Second)
	step(old+4, old+4, old, time.Second)
	step(old+6, old+6, old, auth.GrowWait) // further, before writers followed: the wait begins anew
	w.pass(time.Second)
	step(old+6, old+6, old, auth.GrowWait-time.Second)
	w.pass(auth.GrowWait)
	step(old+6, old+6, old+6, 0)
	step(old+6, old+6, old+6, 0)
	for _, n := range []int{0, -1, old + 5, auth.MaxShards + 1} {
		if _, _, err := w.GrowShards(t.Context(), store.ID, n); !errors.Is(err, auth.ErrRefused) {
			t.Errorf("to %d: %v, want ErrRefused", n, err)
		}
	}
	if _, _, err := w.GrowShards(t.Context(), "nobody", 8); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("a store that is not there: %v", err)
	}
}

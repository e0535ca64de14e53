package pebble

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"

	"github.com/cairn-lrs/cairn/internal/table"
)

// lockShards spreads the bookkeeping of locks so that writers of different items do not meet.
const lockShards = 64

// itemLocks are exclusive locks of single items, by engine key. A writer holds the locks of its items until they are
// durable, so that no outcome is told on the ground of something that a power failure may still undo; a strong read
// waits for it.
type itemLocks struct {
	failure *failure // when it happens nobody waits any longer: some locks are never released
	seed    maphash.Seed
	shards  [lockShards]lockShard
}

type lockShard struct {
	mu   sync.Mutex
	held map[string]*heldLock
}

// heldLock is one lock that somebody holds. Released is made by the first who waits, and closed at the release.
type heldLock struct{ released chan struct{} }

func newItemLocks(f *failure) *itemLocks {
	l := &itemLocks{failure: f, seed: maphash.MakeSeed()}
	for i := range l.shards {
		l.shards[i].held = map[string]*heldLock{}
	}
	return l
}

// lock takes all locks or none. It sorts keys, which must be different: everybody takes locks in one order, so nobody
// waits in a circle. When the context ends first, the error wraps table.ErrThrottled.
func (l *itemLocks) lock(ctx context.Context, keys []string) error {
	slices.SortFunc(keys, strings.Compare)
	for i, key := range keys {
		if err := l.lockOne(ctx, key); err != nil {
			l.unlock(keys[:i])
			return err
		}
	}
	return nil
}

func (l *itemLocks) lockOne(ctx context.Context, key string) error {
	s := &l.shards[maphash.String(l.seed, key)%lockShards]
	for {
		s.mu.Lock()
		lock := s.held[key]
		if lock == nil {
			s.held[key] = &heldLock{}
			s.mu.Unlock()
			return nil
		}
		if err := l.wait(ctx, s, lock); err != nil {
			return err
		}
	}
}

// unlock releases locks that lock took.
func (l *itemLocks) unlock(keys []string) {
	for _, key := range keys {
		s := &l.shards[maphash.String(l.seed, key)%lockShards]
		s.mu.Lock()
		if released := s.held[key].released; released != nil {
			close(released)
		}
		delete(s.held, key)
		s.mu.Unlock()
	}
}

// settled reports whether nobody holds the lock of key; if somebody does, it returns after the release.
func (l *itemLocks) settled(ctx context.Context, key []byte) (bool, error) {
	s := &l.shards[maphash.Bytes(l.seed, key)%lockShards]
	s.mu.Lock()
	lock := s.held[string(key)]
	if lock == nil {
		s.mu.Unlock()
		return true, nil
	}
	return false, l.wait(ctx, s, lock)
}

// wait unlocks the shard and returns when the lock was released, or with an error that tells why not.
func (l *itemLocks) wait(ctx context.Context, s *lockShard, lock *heldLock) error {
	if lock.released == nil {
		lock.released = make(chan struct{})
	}
	released := lock.released
	s.mu.Unlock()
	select {
	case <-released:
		return nil
	case <-l.failure.happened:
		return l.failure.get()
	case <-ctx.Done():
		return fmt.Errorf("%w: wait for an item: %w", table.ErrThrottled, ctx.Err())
	}
}

package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// MaxShards bounds the shards of a store: each list asks all of them.
const MaxShards = 64

// GrowWait is how long writers keep the older number once readers know the new one: so long a process may remember the store,
// then serve a request that it began with that, and have a clock that differs.
const GrowWait = CacheLife + 30*time.Second + 5*time.Second

// GrowShards does the next step towards n shards of a store, and returns the store as it is then. While wait is not 0, there is
// another step to do after that time: the same call. Shards never shrink: what was written over more of them would not be found.
func (d *Directory) GrowShards(ctx context.Context, store string, n int) (s Store, wait time.Duration, err error) {
	if s, err = d.Store(ctx, store); err != nil {
		return Store{}, 0, err
	}
	was := []table.Condition{table.Equals(schema.Shards, table.N(int64(s.Shards))), table.Equals(schema.WriteShards, table.N(int64(s.WriteShards)))}
	switch {
	case n > MaxShards || n < s.Shards:
		return Store{}, 0, fmt.Errorf("%w: store %s has %d shards: they grow, to %d at most", ErrRefused, store, s.Shards, MaxShards)
	case n == s.WriteShards:
		return s, 0, nil
	case n > s.Shards:
		err = d.changeStore(ctx, store, []table.Action{
			table.SetTo(schema.Shards, table.N(int64(n))), table.SetTo(schema.ShardsGrown, table.N(d.Now().UnixNano())),
		}, was...)
		s.Shards, wait = n, GrowWait
	default:
		if wait = GrowWait - d.Now().Sub(s.shardsGrown); wait > 0 {
			return s, wait, nil
		}
		err = d.changeStore(ctx, store, []table.Action{table.SetTo(schema.WriteShards, table.N(int64(n)))}, was...)
		s.WriteShards, wait = n, 0
	}
	if errors.Is(err, errStoreChanged) {
		err = fmt.Errorf("%w: somebody else changes the shards of store %s", ErrRefused, store)
	}
	if err != nil {
		return Store{}, 0, err
	}
	return s, wait, nil
}

package pebble

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Faults.ShardSpan cuts a feed into generations of so many sequence numbers. Generation 0 is one shard; every later
// one has two, which share the items by the hash of their keys. That is a function of number and key alone, so it is
// the same after the folder is opened again.

// feedShard is one shard of a feed that is cut.
type feedShard struct {
	generation uint64
	half       uint32 // 0 or 1; of generation 0 only 0
}

func (s feedShard) id() string {
	if s.generation == 0 {
		return onlyShard
	}
	return fmt.Sprintf("shard-%d-%d", s.generation, s.half)
}

func (s feedShard) parent() string {
	if s.generation == 0 {
		return ""
	}
	if s.generation == 1 {
		return onlyShard
	}
	return feedShard{s.generation - 1, s.half}.id()
}

// has reports whether the shard is the one of this item.
func (s feedShard) has(key table.Key) bool {
	if s.generation == 0 {
		return true
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(key.Partition))
	_, _ = h.Write(key.Sort)
	return h.Sum32()%2 == s.half
}

// list returns the shards that exist below the mark, parents first.
func (f *faults) list(mark uint64) []feedShard {
	shards := []feedShard{{}}
	if f.ShardSpan == 0 {
		return shards
	}
	for g := uint64(1); g <= mark/f.ShardSpan; g++ {
		shards = append(shards, feedShard{g, 0}, feedShard{g, 1})
	}
	return shards
}

func (f *faults) shards() []table.Shard {
	mark, _ := f.db.feed.mark()
	var shards []table.Shard
	for _, s := range f.list(mark) {
		shards = append(shards, table.Shard{ID: s.id(), Parent: s.parent()})
	}
	return shards
}

// changes is Changes with what OnCall wants to go wrong.
func (f *faults) changes(ctx context.Context, t *tableState, shard string, after uint64, limit int) ([]table.Change, bool, error) {
	fault, err := f.before(Call{Op: OpChanges, Table: t.Name})
	if err != nil {
		return nil, false, err
	}
	switch fault.kind {
	case faultShort:
		limit = min(limit, fault.n)
	case faultRepeat:
		after -= min(after, uint64(fault.n))
	}
	changes, open, err := f.db.changes(ctx, t, shard, after, limit)
	if err := fault.lost(err, table.ErrThrottled); err != nil {
		return nil, false, err
	}
	return changes, open, nil
}

// readShard reads one shard. The database is entered.
func (f *faults) readShard(ctx context.Context, t *tableState, id string, after uint64, limit int) ([]table.Change, bool, error) {
	mark, _ := f.db.feed.mark()
	shards := f.list(mark)
	i := slices.IndexFunc(shards, func(s feedShard) bool { return s.id() == id })
	if i < 0 {
		return nil, false, fmt.Errorf("%w: no shard %s", table.ErrInvalid, id)
	}
	first, end := uint64(1), uint64(math.MaxUint64)
	if f.ShardSpan > 0 {
		first = max(1, shards[i].generation*f.ShardSpan)
		end = (shards[i].generation + 1) * f.ShardSpan
	}
	changes, err := f.readSpan(ctx, t, shards[i], max(after, first-1), end, limit)
	return changes, mark < end || len(changes) == limit, err
}

// readSpan reads the changes of a shard that come after one number and before another.
func (f *faults) readSpan(ctx context.Context, t *tableState, s feedShard, after, end uint64, limit int) ([]table.Change, error) {
	var changes []table.Change
	for len(changes) < limit {
		page, err := f.db.readChanges(ctx, t, after, maxChanges)
		if err != nil {
			return nil, err
		}
		for _, c := range page {
			if after, err = parseSequence(c.Sequence); err != nil {
				return nil, err
			}
			if after >= end || len(changes) == limit {
				return changes, nil
			}
			if s.has(c.Key) {
				c.Shard = s.id()
				changes = append(changes, c)
			}
		}
		if len(page) < maxChanges {
			break
		}
	}
	return changes, nil
}

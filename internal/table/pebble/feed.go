package pebble

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"

	engine "github.com/cockroachdb/pebble/v2"

	"github.com/cairn-lrs/cairn/internal/table"
)

// onlyShard is the one shard of every feed, which never ends. Faults may split it.
const onlyShard = "shard-0"

// maxChanges is the most changes of one answer, as in DynamoDB Streams.
const maxChanges = 1000

var errChange = errors.New("stored change is damaged")

// feed puts a change into the feed, as its time, its key, and the old and new item as they are stored.
func feed(sequence uint64, c *change, now time.Time) operation {
	key := appendFeedKey(make([]byte, 0, 11), c.t.id, sequence)
	size := 8 + 2 + len(c.key.Partition) + 3*binary.MaxVarintLen32 + len(c.key.Sort) + len(c.oldRaw) + len(c.newRaw)
	value := binary.BigEndian.AppendUint64(make([]byte, 0, size), uint64(now.UnixMilli()))
	value = appendText(value, c.key.Partition)
	value = appendPart(value, c.key.Sort, true)
	value = appendPart(value, c.oldRaw, c.old != nil)
	value = appendPart(value, c.newRaw, c.new != nil)
	return operation{key, value}
}

// appendPart writes bytes that may be absent: 0, or their length + 1 and themselves.
func appendPart(dst, b []byte, present bool) []byte {
	if !present {
		return append(dst, 0)
	}
	return append(binary.AppendUvarint(dst, uint64(len(b))+1), b...)
}

// cutPart is the inverse of appendPart; part is nil when it is absent.
func cutPart(b []byte) (part, rest []byte, err error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n)+1 {
		return nil, nil, errChange
	}
	if b = b[n:]; size == 0 {
		return nil, b, nil
	}
	return b[: size-1 : size-1], b[size-1:], nil
}

// decodeChange makes a change of its stored bytes, which it does not alias.
func (t *tableState) decodeChange(key, value []byte) (table.Change, error) {
	if len(key) != 11 || len(value) < 8 {
		return table.Change{}, errChange
	}
	c := table.Change{Table: t.Name, Shard: onlyShard, Sequence: formatSequence(binary.BigEndian.Uint64(key[3:]))}
	partition, rest, err := cutText(value[8:])
	if err != nil {
		return table.Change{}, errChange
	}
	var parts [3][]byte
	for i := range parts {
		if parts[i], rest, err = cutPart(rest); err != nil {
			return table.Change{}, err
		}
	}
	c.Key.Partition = string(partition)
	if t.Sort != "" {
		c.Key.Sort = append([]byte(nil), parts[0]...)
	}
	room := new(slab)
	if parts[1] != nil {
		if c.Old, _, err = t.decode(c.Key, parts[1], room); err != nil {
			return table.Change{}, err
		}
	}
	if parts[2] != nil {
		if c.New, _, err = t.decode(c.Key, parts[2], room); err != nil {
			return table.Change{}, err
		}
	}
	return c, nil
}

// Sequence numbers are written with so many digits that they sort as text, too.
func formatSequence(n uint64) string { return fmt.Sprintf("%020d", n) }

func parseSequence(s string) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: not a sequence number", table.ErrInvalid)
	}
	return n, nil
}

// Shards implements table.Feed.
func (db *DB) Shards(ctx context.Context, name string) ([]table.Shard, error) {
	if _, err := db.streamed(name); err != nil {
		return nil, err
	}
	if err := db.enter(ctx); err != nil {
		return nil, err
	}
	defer db.open.RUnlock()
	if db.faults != nil {
		return db.faults.shards(), nil
	}
	return []table.Shard{{ID: onlyShard}}, nil
}

// Changes implements table.Feed. It gives 1,000 changes at most. Those of an Apply or Group are on the disk.
func (db *DB) Changes(ctx context.Context, name, shard, after string, limit int) ([]table.Change, bool, error) {
	t, err := db.streamed(name)
	if err != nil {
		return nil, false, err
	}
	from, err := parseSequence(after)
	if err != nil {
		return nil, false, err
	}
	if limit <= 0 || limit > maxChanges {
		limit = maxChanges
	}
	if db.faults != nil {
		return db.faults.changes(ctx, t, shard, from, limit)
	}
	return db.changes(ctx, t, shard, from, limit)
}

func (db *DB) changes(ctx context.Context, t *tableState, shard string, after uint64, limit int) ([]table.Change, bool, error) {
	if err := db.enter(ctx); err != nil {
		return nil, false, err
	}
	defer db.open.RUnlock()
	if after > 0 && after < t.trimmed.Load() {
		return nil, false, fmt.Errorf("changes of %s after %d: %w", t.Name, after, table.ErrTrimmed)
	}
	if db.faults != nil {
		return db.faults.readShard(ctx, t, shard, after, limit)
	}
	if shard != onlyShard {
		return nil, false, fmt.Errorf("%w: no shard %s", table.ErrInvalid, shard)
	}
	changes, err := db.readChanges(ctx, t, after, limit)
	return changes, true, err
}

func (db *DB) readChanges(ctx context.Context, t *tableState, after uint64, limit int) ([]table.Change, error) {
	mark, _ := db.feed.mark()
	iter, err := db.feedIter(t, after+1, mark)
	if err != nil {
		return nil, err
	}
	var changes []table.Change
	for iter.First(); iter.Valid() && len(changes) < limit; iter.Next() {
		if err = ctx.Err(); err != nil {
			break
		}
		var c table.Change
		if c, err = t.decodeChange(iter.Key(), iter.Value()); err != nil {
			break
		}
		changes = append(changes, c)
	}
	if err := errors.Join(err, iter.Close()); err != nil {
		return nil, fmt.Errorf("read changes of %s: %w", t.Name, err)
	}
	return changes, nil
}

// feedIter iterates the changes with numbers from ≤ n < to.
func (db *DB) feedIter(t *tableState, from, to uint64) (*engine.Iterator, error) {
	return db.engine.NewIter(&engine.IterOptions{
		LowerBound: appendFeedKey(nil, t.id, from),
		UpperBound: appendFeedKey(nil, t.id, to),
	})
}

// Latest returns the sequence number of the newest change of the table that can be read, "" when there is none. Those that come
// later have greater numbers.
func (db *DB) Latest(ctx context.Context, name string) (string, error) {
	t, err := db.streamed(name)
	if err != nil {
		return "", err
	}
	if err := db.enter(ctx); err != nil {
		return "", err
	}
	defer db.open.RUnlock()
	mark, _ := db.feed.mark()
	iter, err := db.feedIter(t, 0, mark)
	if err != nil {
		return "", err
	}
	latest := ""
	if iter.Last() {
		var c table.Change
		c, err = t.decodeChange(iter.Key(), iter.Value())
		latest = c.Sequence
	}
	if err := errors.Join(err, iter.Close()); err != nil {
		return "", fmt.Errorf("read the newest change of %s: %w", name, err)
	}
	return latest, nil
}

// Lag returns how much of what a feed keeps comes after the sequence number ("": all of it does): from 0, nothing, to 1, as many
// changes as are kept. Feeds share the numbers, so where there are several it is too high rather than too low.
func (db *DB) Lag(name, after string) (float64, error) {
	t, err := db.streamed(name)
	if err != nil {
		return 0, err
	}
	from, err := parseSequence(after)
	if err != nil {
		return 0, err
	}
	mark, _ := db.feed.mark()
	next := min(mark, max(from, t.trimmed.Load())+1)
	return min(1, float64(mark-next)/float64(db.keep.length)), nil
}

// Wait returns when the table's feed has a change after the sequence number ("": any), or with the context's error.
// It spares a consumer in this process the polling.
func (db *DB) Wait(ctx context.Context, name, after string) error {
	t, err := db.streamed(name)
	if err != nil {
		return err
	}
	from, err := parseSequence(after)
	if err != nil {
		return err
	}
	for {
		some, moved, err := db.hasChange(ctx, t, from)
		if err != nil || some {
			return err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		case <-db.closing:
			return ErrClosed
		}
	}
}

func (db *DB) hasChange(ctx context.Context, t *tableState, after uint64) (bool, <-chan struct{}, error) {
	if err := db.enter(ctx); err != nil {
		return false, nil, err
	}
	defer db.open.RUnlock()
	mark, moved := db.feed.mark()
	iter, err := db.feedIter(t, after+1, mark)
	if err != nil {
		return false, nil, err
	}
	some := iter.First()
	return some, moved, iter.Close()
}

func (db *DB) streamed(name string) (*tableState, error) {
	t, ok := db.tables[name]
	if !ok || !t.Stream {
		return nil, fmt.Errorf("%w: no feed of table %s", table.ErrInvalid, name)
	}
	return t, nil
}

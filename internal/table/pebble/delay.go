package pebble

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	engine "github.com/cockroachdb/pebble/v2"
)

// delays reports whether index changes are held back.
func (f *faults) delays() bool { return f.IndexDelay != nil }

// hold appends where the index changes of a change wait. They go in the same batch as the item, so a crash does not lose
// them.
func (f *faults) hold(ops []operation, c *change) []operation {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.db.now()
	for _, op := range c.ops {
		due := now.Add(f.IndexDelay())
		if before := f.due[string(op.key)]; due.Before(before) {
			due = before
		}
		f.due[string(op.key)] = due
		f.held++
		value := binary.AppendUvarint(nil, uint64(len(op.key)))
		value = append(value, op.key...)
		value = appendPart(value, op.value, op.value != nil)
		ops = append(ops, operation{delayedKey(due, f.held), value})
	}
	return ops
}

// delayedKey orders changes by the time when they show, and then as they were made.
func delayedKey(due time.Time, n uint64) []byte {
	key := binary.BigEndian.AppendUint64([]byte{spaceDelayed}, uint64(max(0, due.UnixNano())))
	return binary.BigEndian.AppendUint64(key, n)
}

// release makes the changes visible that are due.
func (f *faults) release(now time.Time) error {
	f.moves.Lock()
	defer f.moves.Unlock()
	if err := f.db.enter(context.Background()); err != nil {
		return err
	}
	defer f.db.open.RUnlock()
	return f.db.releaseDelayed(delayedKey(now, 1<<64-1))
}

// FlushIndexes makes all index changes visible that Faults.IndexDelay holds back.
func (db *DB) FlushIndexes() error {
	if db.faults == nil {
		return nil
	}
	return db.faults.release(time.Unix(0, 1<<63-1))
}

// releaseDelayed moves the changes below the bound to their indexes.
func (db *DB) releaseDelayed(bound []byte) (err error) {
	iter, err := db.engine.NewIter(&engine.IterOptions{LowerBound: []byte{spaceDelayed}, UpperBound: bound})
	if err != nil {
		return fmt.Errorf("release delayed index entries: %w", err)
	}
	defer func() { err = errors.Join(err, iter.Close()) }()
	batch := db.engine.NewBatch()
	for iter.First(); iter.Valid(); iter.Next() {
		op, err := decodeDelayed(iter.Value())
		if err == nil {
			err = errors.Join(op.write(batch), batch.Delete(iter.Key(), nil))
		}
		if err != nil {
			return errors.Join(err, batch.Close())
		}
	}
	if err := iter.Error(); err != nil || batch.Empty() {
		return errors.Join(err, batch.Close())
	}
	return db.writeBatch(batch, engine.NoSync)
}

func decodeDelayed(value []byte) (operation, error) {
	size, n := binary.Uvarint(value)
	if n <= 0 || size > uint64(len(value)-n) {
		return operation{}, errKey
	}
	key, rest := value[n:n+int(size)], value[n+int(size):]
	part, rest, err := cutPart(rest)
	if err != nil || len(rest) > 0 {
		return operation{}, errKey
	}
	return operation{key, part}, nil
}

package pebble

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	engine "github.com/cockroachdb/pebble/v2"
)

// retention says how long changes are kept.
type retention struct {
	age    time.Duration
	length uint64
}

// trimEvery is after how many changes old ones are trimmed.
const trimEvery = 1 << 14

// nextSequence reads from the folder which number the next change has, and what was trimmed before.
func (db *DB) nextSequence() (uint64, error) {
	next := uint64(1)
	for _, t := range db.tables {
		if !t.Stream {
			continue
		}
		trimmed, err := getUint64(db.engine, floorKey(t.id))
		if err != nil {
			return 0, fmt.Errorf("read feed of %s: %w", t.Name, err)
		}
		t.trimmed.Store(trimmed)
		last, err := db.lastBelow(t, 1<<64-1)
		if err != nil {
			return 0, fmt.Errorf("read feed of %s: %w", t.Name, err)
		}
		next = max(next, trimmed+1, last+1)
	}
	return next, nil
}

// Trim removes the changes of a table's feed that are older than before.
func (db *DB) Trim(ctx context.Context, name string, before time.Time) error {
	t, err := db.streamed(name)
	if err != nil {
		return err
	}
	if err := db.enter(ctx); err != nil {
		return err
	}
	defer db.open.RUnlock()
	return db.trim(t, before, 0)
}

// tidy is called after each commit, with the numbers that it took. Now and then it drops old tokens and changes. What
// fails here fails because of the disk, and the next write will tell.
func (db *DB) tidy(first uint64, n int) {
	if db.tokens.droppable() {
		_ = db.dropTokens()
	}
	if n == 0 || first/trimEvery == (first+uint64(n))/trimEvery {
		return
	}
	lowest := uint64(0)
	if first > db.keep.length {
		lowest = first - db.keep.length
	}
	for _, t := range db.tables {
		if t.Stream {
			_ = db.trim(t, db.now().Add(-db.keep.age), lowest)
		}
	}
}

// trim removes the changes that are older than before, and those with numbers below lowest.
func (db *DB) trim(t *tableState, before time.Time, lowest uint64) error {
	bound, err := db.firstSince(t, before)
	if err != nil {
		return fmt.Errorf("trim feed of %s: %w", t.Name, err)
	}
	last, err := db.lastBelow(t, max(bound, lowest))
	if err != nil || last == 0 {
		return err
	}
	batch := db.engine.NewBatch()
	err = errors.Join(
		batch.DeleteRange(appendFeedKey(nil, t.id, 0), appendFeedKey(nil, t.id, last+1), nil),
		batch.Set(floorKey(t.id), binary.BigEndian.AppendUint64(nil, last), nil),
	)
	if err != nil {
		return errors.Join(fmt.Errorf("trim feed of %s: %w", t.Name, err), batch.Close())
	}
	if err := db.writeBatch(batch, engine.NoSync); err != nil {
		return fmt.Errorf("trim feed of %s: %w", t.Name, err)
	}
	for old := t.trimmed.Load(); old < last && !t.trimmed.CompareAndSwap(old, last); old = t.trimmed.Load() {
	}
	return nil
}

// firstSince finds, by bisection, the number of the first change at or after a time; the mark when there is none.
// Numbers rise with time, give or take what commits overtake each other.
func (db *DB) firstSince(t *tableState, since time.Time) (uint64, error) {
	low := t.trimmed.Load() + 1
	high, _ := db.feed.mark()
	iter, err := db.feedIter(t, low, high)
	if err != nil {
		return 0, err
	}
	for low < high {
		middle := low + (high-low)/2
		if !iter.SeekGE(appendFeedKey(nil, t.id, middle)) {
			high = middle
			continue
		}
		value := iter.Value()
		if len(value) < 8 {
			err = errChange
			break
		}
		if int64(binary.BigEndian.Uint64(value)) >= since.UnixMilli() {
			high = middle
		} else {
			low = binary.BigEndian.Uint64(iter.Key()[3:]) + 1
		}
	}
	if closed := iter.Close(); err == nil {
		err = closed
	}
	return low, err
}

// lastBelow returns the number of the last change below bound, 0 when there is none.
func (db *DB) lastBelow(t *tableState, bound uint64) (uint64, error) {
	iter, err := db.feedIter(t, 0, bound)
	if err != nil {
		return 0, err
	}
	last := uint64(0)
	if iter.Last() {
		last = binary.BigEndian.Uint64(iter.Key()[3:])
	}
	return last, iter.Close()
}

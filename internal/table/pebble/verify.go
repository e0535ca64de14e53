package pebble

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	engine "github.com/cockroachdb/pebble/v2"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Verify derives every index entry from the items and compares: nothing may be missing, different or too many. It
// also decodes every item, and reads everything else. The error names table and index of the first difference of each kind,
// never a key. Writes have to rest meanwhile, and index delays to be over.
func (db *DB) Verify(ctx context.Context) error {
	if err := db.enter(ctx); err != nil {
		return err
	}
	defer db.open.RUnlock()
	var problems []error
	for _, t := range db.tables {
		if err := db.verifyTable(ctx, t); err != nil {
			problems = append(problems, fmt.Errorf("verify table %s: %w", t.Name, err))
		}
	}
	if err := db.readEverything(ctx); err != nil {
		problems = append(problems, fmt.Errorf("read everything: %w", err))
	}
	return errors.Join(problems...)
}

// readEverything reads all that the engine keeps, so that it looks at every checksum, those of the feed too.
func (db *DB) readEverything(ctx context.Context) error {
	iter, err := db.engine.NewIter(nil)
	if err != nil {
		return err
	}
	for iter.First(); iter.Valid() && ctx.Err() == nil; iter.Next() {
		if _, err := iter.ValueAndErr(); err != nil {
			break // which the iterator tells too
		}
	}
	return errors.Join(ctx.Err(), iter.Error(), iter.Close())
}

func (db *DB) verifyTable(ctx context.Context, t *tableState) error {
	expected := make([]int, len(t.indexes))
	different := make([]int, len(t.indexes))
	err := db.eachItem(ctx, t, func(key table.Key, item table.Item) error {
		if err := t.CheckItem(item); err != nil {
			return err
		}
		for i := range t.indexes {
			e, ok := t.indexes[i].entry(key, item, nil)
			if !ok {
				continue
			}
			expected[i]++
			stored, err := load(db.engine, e.key, nil)
			if err != nil {
				return err
			}
			if !bytes.Equal(stored, e.value) {
				different[i]++
			}
		}
		return nil
	})
	problems := []error{err}
	for i := range t.indexes {
		stored, err := db.countEntries(t.indexes[i].id)
		if err == nil && (different[i] > 0 || stored != expected[i]) {
			err = fmt.Errorf("%d entries instead of %d, %d missing or different", stored, expected[i], different[i])
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("index %s: %w", t.indexes[i].Name, err))
		}
	}
	return errors.Join(problems...)
}

// countEntries counts all entries of an index.
func (db *DB) countEntries(id uint16) (int, error) {
	prefix := binary.BigEndian.AppendUint16([]byte{spaceIndex}, id)
	iter, err := db.engine.NewIter(&engine.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return 0, err
	}
	n := 0
	for iter.First(); iter.Valid(); iter.Next() {
		n++
	}
	return n, errors.Join(iter.Error(), iter.Close())
}

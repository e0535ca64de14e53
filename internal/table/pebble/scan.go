package pebble

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"

	engine "github.com/cockroachdb/pebble/v2"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Scan implements table.Scanner. Segments are made by hashing the partition key: each call walks over the keys of all
// segments, and reads the items of its own.
func (db *DB) Scan(ctx context.Context, name string, segment, of int, cursor table.Cursor) (table.Page, table.Cost, error) {
	if db.faults != nil {
		return db.faults.scan(ctx, name, segment, of, cursor)
	}
	return db.scan(ctx, name, segment, of, cursor, table.MaxPage)
}

// scan reads one page of about most bytes.
func (db *DB) scan(ctx context.Context, name string, segment, of int, cursor table.Cursor, most int) (table.Page, table.Cost, error) {
	t := db.table(name)
	if t == nil || segment < 0 || segment >= of {
		return table.Page{}, table.Cost{}, fmt.Errorf("%w: scan of %s, segment %d of %d", table.ErrInvalid, name, segment, of)
	}
	if err := db.enter(ctx); err != nil {
		return table.Page{}, table.Cost{}, err
	}
	defer db.open.RUnlock()
	s := scan{t: t, segment: uint64(segment), of: uint64(of), most: most}
	if err := db.walk(ctx, t, cursor, s.take); err != nil {
		return table.Page{}, table.Cost{}, fmt.Errorf("scan %s: %w", name, err)
	}
	return s.page, db.cost(table.ReadUnits(s.size, table.Strong), 0), nil
}

// scan collects one page.
type scan struct {
	t           *tableState
	segment, of uint64
	most        int
	page        table.Page
	size        int
}

var errFull = errors.New("the page is full")

func (s *scan) take(key table.Key, iter *engine.Iterator) error {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key.Partition))
	if h.Sum64()%s.of != s.segment {
		return nil
	}
	raw, err := iter.ValueAndErr()
	if err != nil {
		return err
	}
	item, size, err := s.t.decode(key, raw, new(slab))
	if err != nil {
		return err
	}
	s.page.Items = append(s.page.Items, item)
	if s.size += size; s.size >= s.most {
		s.page.Next = bytes.Clone(iter.Key())
		return errFull
	}
	return nil
}

// walk calls f for every item of a table whose engine key is behind the cursor, in the order of the engine keys, until
// f returns an error. errFull ends it without one.
func (db *DB) walk(ctx context.Context, t *tableState, cursor []byte, f func(table.Key, *engine.Iterator) error) (err error) {
	prefix := binary.BigEndian.AppendUint16([]byte{spaceItem}, t.id)
	low := prefix
	if cursor != nil {
		if !bytes.HasPrefix(cursor, prefix) {
			return fmt.Errorf("%w: the cursor is of another scan", table.ErrInvalid)
		}
		low = append(bytes.Clone(cursor), 0)
	}
	iter, err := db.engine.NewIter(&engine.IterOptions{LowerBound: low, UpperBound: after(prefix)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, iter.Close()) }()
	n := 0
	for ok := iter.First(); ok; ok = iter.Next() {
		if n++; n%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("%w: %w", table.ErrThrottled, err)
			}
		}
		partition, sort, err := cutText(iter.Key()[len(prefix):])
		if err != nil {
			return err
		}
		key := table.Key{Partition: string(partition)}
		if t.Sort != "" {
			key.Sort = bytes.Clone(sort)
		}
		if err := f(key, iter); errors.Is(err, errFull) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return iter.Error()
}

// eachItem calls f for every item of a table.
func (db *DB) eachItem(ctx context.Context, t *tableState, f func(table.Key, table.Item) error) error {
	return db.walk(ctx, t, nil, func(key table.Key, iter *engine.Iterator) error {
		raw, err := iter.ValueAndErr()
		if err != nil {
			return err
		}
		item, _, err := t.decode(key, raw, new(slab))
		if err != nil {
			return err
		}
		return f(key, item)
	})
}

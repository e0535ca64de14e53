package pebble

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	engine "github.com/cockroachdb/pebble/v2"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Query implements table.DB.
func (db *DB) Query(ctx context.Context, q table.Query) (table.Page, table.Cost, error) {
	if db.faults != nil {
		return db.faults.query(ctx, q)
	}
	return db.query(ctx, q)
}

func (db *DB) query(ctx context.Context, q table.Query) (table.Page, table.Cost, error) {
	if _, err := db.schemas.CheckQuery(&q); err != nil {
		return table.Page{}, table.Cost{}, err
	}
	if err := db.enter(ctx); err != nil {
		return table.Page{}, table.Cost{}, err
	}
	defer db.open.RUnlock()
	r := db.rangeOf(&q)
	if err := r.goOn(q.After); err != nil {
		return table.Page{}, table.Cost{}, err
	}
	page, bytes := table.Page{}, 0
	if !q.Empty() {
		var err error
		if page, bytes, err = db.readPage(ctx, r, q.Limit, db.reader(q.Consistency)); err != nil {
			return table.Page{}, table.Cost{}, fmt.Errorf("query %s: %w", q.Table, err)
		}
	}
	return page, db.cost(table.ReadUnits(bytes, q.Consistency), 0), nil
}

// keyRange is a range of engine keys of one partition, and how to make items of them.
type keyRange struct {
	t          *tableState
	index      *indexState // nil: the table itself
	partition  string
	columns    columns // of rows; nil: of items
	prefix     int     // length of what all keys have in common
	low, high  []byte
	descending bool
}

// rangeOf translates the bounds of a query into engine keys, low inclusive and high exclusive.
func (db *DB) rangeOf(q *table.Query) keyRange {
	r := keyRange{t: db.table(q.Table), partition: q.Partition, descending: q.Descending}
	space, id := byte(spaceItem), r.t.id
	if q.Index != "" {
		r.index = r.t.index(q.Index)
		space, id = spaceIndex, r.index.id
	}
	if len(q.Only) > 0 {
		r.columns = columnsOf(q.Only)
	}
	prefix := appendPartition(make([]byte, 0, 5+len(q.Partition)), space, id, q.Partition)
	r.prefix = len(prefix)
	r.low, r.high = prefix, after(prefix)
	bound := func(sort []byte) []byte {
		key := slices.Grow(slices.Clone(prefix), len(sort)+2)
		if r.index == nil {
			return append(key, sort...)
		}
		return append(appendEscaped(key, sort), escape, terminator)
	}
	if q.From != nil {
		r.low = bound(q.From)
	}
	if q.To != nil {
		r.high = bound(q.To)
		if r.index == nil {
			r.high = append(r.high, 0)
		} else {
			r.high = after(r.high)
		}
	}
	return r
}

func (t *tableState) index(name string) *indexState {
	for i := range t.indexes {
		if t.indexes[i].Name == name {
			return &t.indexes[i]
		}
	}
	return nil
}

// beginning is a cursor that has nothing behind it: no engine key is so low.
var beginning = table.Cursor{0}

// goOn narrows the range to what comes behind the cursor, which is the last key that was read.
func (r *keyRange) goOn(cursor table.Cursor) error {
	if cursor == nil || bytes.Equal(cursor, beginning) {
		return nil
	}
	if bytes.Compare(cursor, r.low) < 0 || bytes.Compare(cursor, r.high) >= 0 {
		return fmt.Errorf("%w: the cursor is of another query", table.ErrInvalid)
	}
	if r.descending {
		r.high = cursor
	} else {
		r.low = append(slices.Clone(cursor), 0)
	}
	return nil
}

// checkEvery is how many items are read between two looks at the context.
const checkEvery = 64

// readPage reads to the end of the range, the limit (0: none), or 1 MB. It also returns how many bytes the items
// have.
func (db *DB) readPage(ctx context.Context, r keyRange, limit int, from engine.Reader) (page table.Page, size int, err error) {
	iter, err := from.NewIter(&engine.IterOptions{LowerBound: r.low, UpperBound: r.high})
	if err != nil {
		return table.Page{}, 0, err
	}
	defer func() { err = errors.Join(err, iter.Close()) }()
	first, next := iter.First, (&stepper{Iterator: iter}).forward
	if r.descending {
		first, next = iter.Last, iter.Prev
	}
	var room slab
	read := 0
	for ok := first(); ok; {
		if read%checkEvery == 0 {
			if err := ctx.Err(); err != nil {
				return table.Page{}, 0, fmt.Errorf("%w: %w", table.ErrThrottled, err)
			}
		}
		value, err := iter.ValueAndErr()
		if err != nil {
			return table.Page{}, 0, err
		}
		n, err := r.add(&page, iter.Key()[r.prefix:], value, &room)
		if err != nil {
			return table.Page{}, 0, err
		}
		read++
		size += n
		full := read == limit || size >= table.MaxPage
		cursor := iter.Key()
		if full {
			cursor = bytes.Clone(cursor)
		}
		if ok = next(); ok && full {
			page.Next = cursor
			break
		}
	}
	return page, size, iter.Error()
}

// stepper goes from item to item. Until the engine writes its memory to disk it keeps there what was overwritten, and steps
// over every older version: of a row of sums there can be thousands. Once that takes many steps, the next item is sought
// instead.
type stepper struct {
	*engine.Iterator
	steps int    // of the engine so far
	seeks bool   // from now on
	key   []byte // room for what is sought
}

// manySteps take as long as a seek.
const manySteps = 32

func (s *stepper) forward() bool {
	if s.seeks {
		s.key = append(append(s.key[:0], s.Key()...), 0)
		return s.SeekGE(s.key)
	}
	ok := s.Next()
	stats := s.Stats()
	steps := stats.ForwardStepCount[engine.InternalIterCall]
	s.seeks, s.steps = steps-s.steps > manySteps, steps
	return ok
}

// add puts what is stored under the rest of its key on the page, and returns its size.
func (r *keyRange) add(page *table.Page, rest, value []byte, room *slab) (int, error) {
	if r.columns == nil {
		item, size, err := r.item(rest, value, room)
		page.Items = append(page.Items, item)
		return size, err
	}
	row, size, err := r.row(rest, value, room)
	page.Rows = append(page.Rows, row)
	return size, err
}

func (r *keyRange) item(rest, value []byte, room *slab) (table.Item, int, error) {
	if r.index != nil {
		return r.index.decodeEntry(r.t, r.partition, rest, value, room)
	}
	return r.t.decode(r.key(rest, room), value, room)
}

func (r *keyRange) row(rest, value []byte, room *slab) (table.Row, int, error) {
	if r.index != nil {
		return r.index.decodeRow(r.t, r.partition, rest, value, r.columns, room)
	}
	return r.t.decodeRow(r.key(rest, room), value, r.columns, room)
}

// key is that of an item of the table itself.
func (r *keyRange) key(rest []byte, room *slab) table.Key {
	key := table.Key{Partition: r.partition}
	if r.t.Sort != "" {
		key.Sort = room.clone(rest)
	}
	return key
}

package pebble

import (
	"context"
	"fmt"
	"sync"

	engine "github.com/cockroachdb/pebble/v2"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Get implements table.DB. A strong read waits for a write of the item that is on its way to the disk; an eventual
// one may see it a moment early.
func (db *DB) Get(ctx context.Context, ref table.Ref, c table.Consistency) (table.Item, table.Cost, error) {
	if db.faults != nil {
		return db.faults.get(ctx, ref, c)
	}
	return db.get(ctx, ref, c)
}

func (db *DB) get(ctx context.Context, ref table.Ref, c table.Consistency) (item table.Item, cost table.Cost, err error) {
	if err := db.schemas.CheckRef(ref); err != nil {
		return nil, table.Cost{}, err
	}
	cost, err = db.readEach(ctx, []table.Ref{ref}, c, func(_ int, raw []byte, room *slab) (size int, err error) {
		item, size, err = db.table(ref.Table).decode(ref.Key, raw, room)
		return size, err
	})
	if err != nil {
		return nil, cost, err
	}
	return item, cost, nil
}

// BatchGet implements table.DB.
func (db *DB) BatchGet(ctx context.Context, refs []table.Ref, c table.Consistency) ([]table.Item, table.Cost, error) {
	if db.faults != nil {
		return db.faults.batchGet(ctx, refs, c)
	}
	return db.batchGet(ctx, refs, c)
}

func (db *DB) batchGet(ctx context.Context, refs []table.Ref, c table.Consistency) ([]table.Item, table.Cost, error) {
	for _, ref := range refs {
		if err := db.schemas.CheckRef(ref); err != nil {
			return nil, table.Cost{}, err
		}
	}
	items := make([]table.Item, len(refs))
	cost, err := db.readEach(ctx, refs, c, func(i int, raw []byte, room *slab) (size int, err error) {
		items[i], size, err = db.table(refs[i].Table).decode(refs[i].Key, raw, room)
		return size, err
	})
	if err != nil {
		return nil, cost, err
	}
	return items, cost, nil
}

// Select implements table.DB.
func (db *DB) Select(ctx context.Context, refs []table.Ref, c table.Consistency, attributes ...string) ([]table.Row, table.Cost, error) {
	if db.faults != nil {
		return db.faults.selectRows(ctx, refs, c, attributes)
	}
	return db.selectRows(ctx, refs, c, attributes)
}

func (db *DB) selectRows(ctx context.Context, refs []table.Ref, c table.Consistency, attributes []string) ([]table.Row, table.Cost, error) {
	if err := db.schemas.CheckSelect(refs, attributes); err != nil {
		return nil, table.Cost{}, err
	}
	rows, cols := make([]table.Row, len(refs)), columnsOf(attributes)
	cost, err := db.readEach(ctx, refs, c, func(i int, raw []byte, room *slab) (size int, err error) {
		rows[i], size, err = db.table(refs[i].Table).decodeRow(refs[i].Key, raw, cols, room)
		return size, err
	})
	if err != nil {
		return nil, cost, err
	}
	return rows, cost, nil
}

// spaces are for stored items on their way from the cache of items to their decoder.
var spaces = sync.Pool{New: func() any { return new([maxCached]byte) }}

// readEach reads the items of a call, whose references are checked, and calls decode for each that is there. Decode returns the
// item's size and keeps nothing of raw.
func (db *DB) readEach(ctx context.Context, refs []table.Ref, c table.Consistency, decode func(i int, raw []byte, room *slab) (size int, err error)) (table.Cost, error) {
	if err := db.enter(ctx); err != nil {
		return table.Cost{}, err
	}
	defer db.open.RUnlock()
	space := spaces.Get().(*[maxCached]byte)
	defer spaces.Put(space)
	var room slab
	units := 0.0
	for i, ref := range refs {
		if err := ctx.Err(); err != nil {
			return db.cost(units, 0), fmt.Errorf("%w: %w", table.ErrThrottled, err)
		}
		raw, err := db.readStored(ctx, ref, c, space[:0])
		size := 0
		if err == nil && raw != nil {
			size, err = decode(i, raw, &room)
		}
		if err != nil {
			return db.cost(units, 0), err
		}
		units += table.ReadUnits(size, c)
	}
	return db.cost(units, 0), nil
}

// readStored appends the item to dst as it is stored; nil when there is none.
func (db *DB) readStored(ctx context.Context, ref table.Ref, c table.Consistency, dst []byte) ([]byte, error) {
	var keySpace [128]byte
	key := appendItemKey(keySpace[:0], db.table(ref.Table).id, ref.Key)
	raw, err := db.loadItem(db.reader(c), key, dst)
	for c == table.Strong && err == nil {
		// The read is good if nobody was writing: what it saw is on the disk then. Otherwise it has to see what
		// the writer leaves.
		settled, waitErr := db.locks.settled(ctx, key)
		if waitErr != nil {
			return nil, waitErr
		}
		if settled {
			return raw, nil
		}
		raw, err = db.loadItem(db.engine, key, dst)
	}
	return raw, err
}

// loadItem appends the stored item to dst; nil when it is absent. What the engine has now may come from the cache of items.
func (db *DB) loadItem(r engine.Reader, engineKey, dst []byte) ([]byte, error) {
	if r != engine.Reader(db.engine) {
		return load(r, engineKey, dst)
	}
	if raw, ok := db.items.get(dst, engineKey); ok {
		return raw, nil
	}
	version := db.items.version(engineKey)
	raw, err := load(r, engineKey, dst)
	if err == nil {
		db.items.fill(engineKey, raw, version)
	}
	return raw, err
}

// reader is what a read of this consistency reads from: the engine, unless a fault serves an older state.
func (db *DB) reader(c table.Consistency) engine.Reader {
	if db.faults != nil && c == table.Eventual {
		return db.faults.reader()
	}
	return db.engine
}

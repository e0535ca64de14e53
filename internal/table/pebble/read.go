package pebble

import (
	"context"
	"fmt"

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

func (db *DB) get(ctx context.Context, ref table.Ref, c table.Consistency) (table.Item, table.Cost, error) {
	if err := db.schemas.CheckRef(ref); err != nil {
		return nil, table.Cost{}, err
	}
	if err := db.enter(ctx); err != nil {
		return nil, table.Cost{}, err
	}
	defer db.open.RUnlock()
	item, err := db.readItem(ctx, ref, c, nil)
	if err != nil {
		return nil, table.Cost{}, err
	}
	return item, db.cost(table.ReadUnits(item.Size(), c), 0), nil
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
	if err := db.enter(ctx); err != nil {
		return nil, table.Cost{}, err
	}
	defer db.open.RUnlock()
	items := make([]table.Item, len(refs))
	space := make([]byte, 0, maxCached)
	units := 0.0
	for i, ref := range refs {
		if err := ctx.Err(); err != nil {
			return nil, db.cost(units, 0), fmt.Errorf("%w: %w", table.ErrThrottled, err)
		}
		item, err := db.readItem(ctx, ref, c, space)
		if err != nil {
			return nil, db.cost(units, 0), err
		}
		items[i] = item
		units += table.ReadUnits(item.Size(), c)
	}
	return items, db.cost(units, 0), nil
}

// readItem reads one item, nil when there is none. Space is for the stored item, which the answer does not alias.
func (db *DB) readItem(ctx context.Context, ref table.Ref, c table.Consistency, space []byte) (table.Item, error) {
	t := db.table(ref.Table)
	var keySpace [128]byte
	key := appendItemKey(keySpace[:0], t.id, ref.Key)
	item, err := db.decodeStored(db.reader(c), t, ref.Key, key, space)
	for c == table.Strong && err == nil {
		// The read is good if nobody was writing: what it saw is on the disk then. Otherwise it has to see what
		// the writer leaves.
		settled, waitErr := db.locks.settled(ctx, key)
		if waitErr != nil {
			return nil, waitErr
		}
		if settled {
			return item, nil
		}
		item, err = db.decodeStored(db.engine, t, ref.Key, key, space)
	}
	return item, err
}

func (db *DB) decodeStored(r engine.Reader, t *tableState, key table.Key, engineKey, space []byte) (table.Item, error) {
	raw, err := db.loadItem(r, engineKey, space)
	if raw == nil || err != nil {
		return nil, err
	}
	return t.decode(key, raw)
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
	if raw != nil && err == nil {
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

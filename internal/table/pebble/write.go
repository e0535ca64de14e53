package pebble

import (
	"context"
	"fmt"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Apply implements table.DB. It returns when the write is on the disk.
func (db *DB) Apply(ctx context.Context, w table.Write) (table.Item, table.Cost, error) {
	if db.faults != nil {
		return db.faults.apply(ctx, w)
	}
	return db.apply(ctx, w)
}

func (db *DB) apply(ctx context.Context, w table.Write) (table.Item, table.Cost, error) {
	if err := db.schemas.CheckApply(&w); err != nil {
		return nil, table.Cost{}, err
	}
	if err := db.enter(ctx); err != nil {
		return nil, table.Cost{}, err
	}
	defer db.open.RUnlock()
	u := unit{changes: []change{db.newChange(&w)}, durable: true}
	u.changes[0].whole = true
	if err := db.write(ctx, &u); err != nil {
		return nil, table.Cost{}, fmt.Errorf("apply to %s: %w", w.Table, err)
	}
	c := &u.changes[0]
	cost := db.cost(0, c.units()+c.indexUnits)
	switch {
	case c.failed:
		return nil, cost, &table.ConditionError{Old: c.old}
	case w.Op == table.OpUpdate:
		return c.new, cost, nil
	}
	return nil, cost, nil
}

// transactionFactor is how often DynamoDB charges an item in a group: once to prepare, once to commit. Index entries
// are charged once.
const transactionFactor = 2

// Group implements table.DB. It returns when the writes are on the disk. A repeated token costs what reading the
// items costs.
func (db *DB) Group(ctx context.Context, token string, ws []table.Write) (table.Cost, error) {
	if db.faults != nil {
		return db.faults.group(ctx, token, ws)
	}
	return db.group(ctx, token, ws)
}

func (db *DB) group(ctx context.Context, token string, ws []table.Write) (table.Cost, error) {
	if err := db.schemas.CheckGroup(token, ws); err != nil {
		return table.Cost{}, err
	}
	if err := db.enter(ctx); err != nil {
		return table.Cost{}, err
	}
	defer db.open.RUnlock()
	u := unit{changes: make([]change, len(ws)), durable: true, token: token}
	for i := range ws {
		u.changes[i] = db.newChange(&ws[i])
	}
	if err := db.write(ctx, &u); err != nil {
		return table.Cost{}, fmt.Errorf("apply group: %w", err)
	}
	if u.repeated {
		return db.repeatCost(&u), nil
	}
	units, failed := 0.0, map[int]table.Item{}
	for i := range u.changes {
		c := &u.changes[i]
		units += transactionFactor * c.units()
		if c.failed {
			failed[i] = c.old
		}
	}
	if len(failed) > 0 {
		return db.cost(0, units), &table.GroupError{Failed: failed}
	}
	for i := range u.changes {
		units += u.changes[i].indexUnits
	}
	return db.cost(0, units), nil
}

func (db *DB) repeatCost(u *unit) table.Cost {
	units := 0.0
	for i := range u.changes {
		units += transactionFactor * table.ReadUnits(u.changes[i].oldSize(), table.Strong)
	}
	return db.cost(units, 0)
}

// chunkWrites and chunkBytes bound what a batch writes, and locks, at a time.
const (
	chunkWrites = 256
	chunkBytes  = 1 << 20
)

// Batch implements table.DB. It does not wait for the disk: the engine's log is written in order, so a later synced
// write makes it durable.
func (db *DB) Batch(ctx context.Context, ws []table.Write) (table.Cost, error) {
	if db.faults != nil {
		return db.faults.batch(ctx, ws)
	}
	return db.batch(ctx, ws)
}

func (db *DB) batch(ctx context.Context, ws []table.Write) (table.Cost, error) {
	if err := db.schemas.CheckBatch(ws); err != nil {
		return table.Cost{}, err
	}
	if err := db.enter(ctx); err != nil {
		return table.Cost{}, err
	}
	defer db.open.RUnlock()
	units := 0.0
	for len(ws) > 0 {
		u := unit{}
		for bytes := 0; len(ws) > 0 && len(u.changes) < chunkWrites && bytes < chunkBytes; ws = ws[1:] {
			c := db.newChange(&ws[0])
			bytes += len(c.newRaw)
			u.changes = append(u.changes, c)
		}
		if err := db.write(ctx, &u); err != nil {
			return db.cost(0, units), fmt.Errorf("write batch: %w", err)
		}
		for i := range u.changes {
			units += u.changes[i].units() + u.changes[i].indexUnits
		}
	}
	return db.cost(0, units), nil
}

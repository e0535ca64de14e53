package pebble

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	engine "github.com/cockroachdb/pebble/v2"

	"github.com/cairn-lrs/cairn/internal/table"
)

// unit is what is written at once.
type unit struct {
	changes []change
	durable bool   // wait for the disk
	token   string // of a group; "" for none

	repeated bool     // the token was seen: nothing was written
	locked   []string // the engine keys whose locks are held
	print    fingerprint
	first    uint64 // the first sequence number of the changes in the feed
	fed      int    // and how many they are
}

// write locks the items, reads them, decides, and commits. When it returns nil the changes have been decided, and
// committed unless a condition of one failed.
func (db *DB) write(ctx context.Context, u *unit) error {
	if err := db.failure.get(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", table.ErrThrottled, err)
	}
	keys := make([]string, len(u.changes))
	for i := range u.changes {
		keys[i] = string(u.changes[i].engineKey)
	}
	if err := db.locks.lock(ctx, keys); err != nil {
		return err
	}
	u.locked = keys
	write, err := db.decide(u)
	if err != nil || !write {
		db.locks.unlock(u.locked)
		return err
	}
	return db.commit(ctx, u)
}

// decide reads the items under their locks, and reports whether there is something to commit.
func (db *DB) decide(u *unit) (bool, error) {
	for i := range u.changes {
		if err := u.changes[i].read(db); err != nil {
			return false, err
		}
	}
	if u.token != "" {
		u.print = fingerprintOf(u.changes)
		var err error
		if u.repeated, err = db.tokens.begin(u.token, u.print, db.now()); err != nil || u.repeated {
			return false, err
		}
	}
	failed, changed := false, false
	for i := range u.changes {
		c := &u.changes[i]
		if err := c.decide(); err != nil {
			db.tokens.end(u.token, false)
			return false, err
		}
		failed = failed || c.failed
		changed = changed || c.changed()
	}
	if failed || !changed && u.token == "" {
		db.tokens.end(u.token, false)
		return false, nil
	}
	return true, nil
}

// commit writes the changes and releases the locks. It waits, past the context's end if need be, until the changes can
// be seen, so that nothing shows after the call has returned. When the context ends while they are on their way to the
// disk, the outcome is unknown.
func (db *DB) commit(ctx context.Context, u *unit) error {
	if db.faults != nil {
		db.faults.shuffle(u.changes)
	}
	batch, err := db.build(u)
	if err != nil {
		db.locks.unlock(u.locked)
		return err
	}
	db.commits.Add(1)
	err = db.failure.guard(context.WithoutCancel(ctx), func() error {
		defer db.shown(u)
		if u.durable {
			return db.engine.ApplyNoSyncWait(batch, engine.Sync)
		}
		return db.engine.Apply(batch, engine.NoSync)
	})
	if err != nil {
		return err
	}
	if !u.durable {
		return db.finish(u, batch)
	}
	return db.failure.guard(ctx, func() error {
		if err := batch.SyncWait(); err != nil {
			db.failure.set(err)
			return fmt.Errorf("%w: %w", table.ErrUnknown, err)
		}
		return db.finish(u, batch)
	})
}

// shown tells the cache of items what the engine shows now. What is written blindly is read by queries, if at all.
func (db *DB) shown(u *unit) {
	for i := range u.changes {
		switch c := &u.changes[i]; {
		case c.blind:
			db.items.wrote(c.engineKey, nil)
		case c.changed():
			db.items.wrote(c.engineKey, c.newRaw)
		}
	}
}

// finish tells everybody who waits for a commit. After a failure of the disk nobody is told: the feed stands still, and
// the locks are never released, so that no strong read vouches for what may not be on the disk.
func (db *DB) finish(u *unit, batch *engine.Batch) error {
	defer db.commits.Done()
	db.tokens.end(u.token, true)
	db.feed.end(u.first)
	db.locks.unlock(u.locked)
	db.tidy(u.first, u.fed)
	return batch.Close()
}

// build makes the engine batch: items, index entries, feed and token, in the order of the keys. The engine's memory table
// looks for the place of a key beside that of the one before.
func (db *DB) build(u *unit) (*engine.Batch, error) {
	for i := range u.changes {
		if c := &u.changes[i]; c.t.Stream && c.changed() {
			u.fed++
		}
	}
	if u.fed > 0 {
		u.first = db.feed.begin(u.fed)
	}
	ops := db.operations(u)
	slices.SortFunc(ops, func(a, b operation) int { return bytes.Compare(a.key, b.key) })
	size := 64
	for i := range ops {
		size += len(ops[i].key) + len(ops[i].value) + 16
	}
	batch := db.engine.NewBatchWithSize(size)
	for i := range ops {
		if err := ops[i].write(batch); err != nil {
			db.feed.end(u.first)
			db.tokens.end(u.token, false)
			return nil, errors.Join(fmt.Errorf("build batch: %w", err), batch.Close())
		}
	}
	return batch, nil
}

// operation puts a value under an engine key, or deletes it when value is nil.
type operation struct{ key, value []byte }

func (op *operation) write(w engine.Writer) error {
	if op.value == nil {
		return w.Delete(op.key, nil)
	}
	return w.Set(op.key, op.value, nil)
}

// operations are what a unit does to the engine.
func (db *DB) operations(u *unit) []operation {
	count := 1
	for i := range u.changes {
		count += 3 + len(u.changes[i].ops)
	}
	ops := make([]operation, 0, count)
	now, next := db.now(), u.first
	for i := range u.changes {
		c := &u.changes[i]
		if !c.changed() {
			continue
		}
		ops = c.appendItem(ops)
		if db.faults != nil && db.faults.delays() {
			ops = db.faults.hold(ops, c)
		} else {
			ops = append(ops, c.ops...)
		}
		if c.t.Stream {
			ops = append(ops, feed(next, c, now))
			next++
		}
	}
	if u.token != "" {
		ops = append(ops, operation{tokenKey(now, u.token), u.print[:]})
	}
	return ops
}

// appendItem appends what the change does to the item. The first item of a table that is larger than a write unit puts that on
// record with it.
func (c *change) appendItem(ops []operation) []operation {
	if c.new == nil && c.sum == nil {
		return append(ops, operation{key: c.engineKey})
	}
	if !c.t.large.Load() && c.units() > 1 {
		ops = append(ops, operation{largeKey(c.t.id), binary.BigEndian.AppendUint64(nil, 1)})
		c.t.large.Store(true)
	}
	return append(ops, operation{c.engineKey, c.newRaw})
}

// load appends what is under one engine key to dst; nil when it is absent.
func load(r engine.Reader, key, dst []byte) ([]byte, error) {
	raw, closer, err := r.Get(key)
	if errors.Is(err, engine.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read item: %w", err)
	}
	value := append(slices.Grow(dst, max(1, len(raw))), raw...) // not nil
	return value, closer.Close()
}

// getUint64 reads a number under one engine key; 0 when it is absent.
func getUint64(r engine.Reader, key []byte) (uint64, error) {
	raw, err := load(r, key, nil)
	if err != nil || raw == nil {
		return 0, err
	}
	if len(raw) != 8 {
		return 0, errKey
	}
	return binary.BigEndian.Uint64(raw), nil
}

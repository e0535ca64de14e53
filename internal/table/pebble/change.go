package pebble

import (
	"bytes"
	"fmt"
	"maps"
	"math"

	"github.com/cairn-lrs/cairn/internal/table"
)

// change is one write on its way: what was there, and what will be.
type change struct {
	write     *table.Write
	t         *tableState
	key       table.Key
	engineKey []byte

	old, new       table.Item // nil: absent
	oldRaw, newRaw []byte     // the same as stored
	failed         bool       // a condition did not hold
	blind          bool       // what is stored was not read
	sum            *summed    // instead of old and new, of an update that adds numbers
	whole          bool       // old and new are asked for
	ops            []operation
	indexUnits     float64
}

// newChange begins a change. It does what needs no lock: the key, and the bytes of a put.
func (db *DB) newChange(w *table.Write) change {
	c := change{write: w, t: db.table(w.Table), key: w.Key}
	if w.Op == table.OpPut {
		c.key, _ = c.t.KeyOf(w.Item) // the checks have seen it
		c.newRaw = appendItem(nil, w.Item, c.t.Partition, c.t.Sort)
	}
	c.engineKey = appendItemKey(make([]byte, 0, 5+len(c.key.Partition)+len(c.key.Sort)), c.t.id, c.key)
	return c
}

// read takes in what is stored now, if that matters.
func (c *change) read(db *DB) (err error) {
	if c.write.Op != table.OpUpdate && len(c.write.If) == 0 && c.t.blind() {
		c.blind = true
		return nil
	}
	if c.oldRaw, err = db.loadItem(db.engine, c.engineKey, nil); err != nil {
		return err
	}
	if c.sum = c.addNumbers(); c.sum != nil || c.oldRaw == nil {
		return nil
	}
	c.old, _, err = c.t.decode(c.key, c.oldRaw, new(slab))
	return err
}

// decode makes an item of its stored bytes and its key, and returns its size.
func (t *tableState) decode(key table.Key, raw []byte, room *slab) (item table.Item, size int, err error) {
	if item, size, err = decodeItem(raw, t.keys(), room); err != nil {
		return nil, 0, fmt.Errorf("table %s: %w", t.Name, err)
	}
	t.addKey(item, key)
	return item, size + t.keySize(key), nil
}

// decodeRow makes a row of the same, and returns the size of the whole item.
func (t *tableState) decodeRow(key table.Key, raw []byte, cols columns, room *slab) (row table.Row, size int, err error) {
	row = room.row(len(cols))
	if size, err = decodeRow(row, raw, cols, room); err != nil {
		return nil, 0, fmt.Errorf("table %s: %w", t.Name, err)
	}
	t.setKey(row, cols, key)
	return row, size + t.keySize(key), nil
}

// setKey gives a row the key attributes that it has.
func (t *tableState) setKey(row table.Row, cols columns, key table.Key) {
	cols.set(row, t.Partition, table.S(key.Partition))
	if t.Sort != "" {
		cols.set(row, t.Sort, table.B(key.Sort))
	}
}

// keys is how many key attributes the items have.
func (t *tableState) keys() int {
	if t.Sort == "" {
		return 1
	}
	return 2
}

// keySize is what they count in an item's size.
func (t *tableState) keySize(key table.Key) int {
	size := len(t.Partition) + len(key.Partition)
	if t.Sort != "" {
		size += len(t.Sort) + len(key.Sort)
	}
	return size
}

// decide tests the conditions and works out the new item. A failed condition is noted, not returned.
func (c *change) decide() error {
	for i := range c.write.If {
		if !holds(&c.write.If[i], c.old) {
			c.failed = true
			c.new, c.newRaw = c.old, c.oldRaw
			return nil
		}
	}
	switch c.write.Op {
	case table.OpPut:
		c.new = c.write.Item
	case table.OpUpdate:
		if c.sum != nil {
			c.newRaw = c.sum.raw
		} else if err := c.update(); err != nil {
			return err
		}
	case table.OpCheck:
		c.new, c.newRaw = c.old, c.oldRaw
	}
	if c.changed() {
		c.ops, c.indexUnits = c.indexOps()
	}
	return nil
}

// changed reports whether the item will differ from what is stored. If that was not read, it may.
func (c *change) changed() bool {
	return c.blind || (c.old == nil) != (c.new == nil) || !bytes.Equal(c.oldRaw, c.newRaw)
}

func holds(c *table.Condition, item table.Item) bool {
	v, ok := item[c.Attr]
	switch c.Test {
	case table.TestAbsent:
		return !ok
	case table.TestPresent:
		return ok
	default:
		return ok && v.Equal(c.Value)
	}
}

// update applies the actions to a copy of the old item, or to one that has the key only.
func (c *change) update() error {
	c.new = maps.Clone(c.old)
	if c.new == nil {
		c.new = make(table.Item, 2+len(c.write.Actions))
		c.t.addKey(c.new, c.key)
	}
	for i := range c.write.Actions {
		if err := act(c.new, &c.write.Actions[i]); err != nil {
			return fmt.Errorf("table %s: %w", c.t.Name, err)
		}
	}
	if err := c.t.CheckItem(c.new); err != nil {
		return err
	}
	c.newRaw = appendItem(nil, c.new, c.t.Partition, c.t.Sort)
	return nil
}

func act(item table.Item, a *table.Action) error {
	old, had := item[a.Attr]
	switch {
	case a.Verb == table.ActionRemove:
		delete(item, a.Attr)
	case a.Verb == table.ActionSet || !had:
		item[a.Attr] = a.Value
	case old.Kind != a.Value.Kind:
		return fmt.Errorf("%w: add to %s, which is of another kind", table.ErrInvalid, a.Attr)
	case old.Kind == table.Number:
		if overflows(old.N, a.Value.N) {
			return fmt.Errorf("%w: add to %s goes beyond 64 bits", table.ErrInvalid, a.Attr)
		}
		item[a.Attr] = table.N(old.N + a.Value.N)
	default:
		item[a.Attr] = table.SetOf(table.Union(old.Set, a.Value.Set)...)
	}
	return nil
}

func overflows(a, b int64) bool {
	return b > 0 && a > math.MaxInt64-b || b < 0 && a < math.MinInt64-b
}

// oldSize is the size of what was there, as Item.Size counts.
func (c *change) oldSize() int {
	if c.sum != nil {
		return c.sum.oldSize
	}
	return c.old.Size()
}

// units is what the change costs on its table: the larger of the item before and after. A failed condition costs what
// there is, or what a put would have written.
func (c *change) units() float64 {
	if c.sum != nil {
		return table.WriteUnits(max(c.sum.oldSize, c.sum.size))
	}
	size := max(c.old.Size(), c.new.Size())
	if c.failed && c.old == nil {
		size = c.write.Item.Size()
	}
	return table.WriteUnits(size)
}

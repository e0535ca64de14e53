package pebble

import (
	"bytes"
	"slices"

	"github.com/cairn-lrs/cairn/internal/table"
)

// entry is one index entry. Size is what DynamoDB would count for it, not what it takes here.
type entry struct {
	key, value []byte
	carries    []string
	size       int
}

// entry makes the index entry of an item; false when a key attribute of the index is not on it. Indexes often carry
// the same attributes: last, which may be nil, is an entry of the same item to share its value with.
func (ix *indexState) entry(key table.Key, item table.Item, last *entry) (entry, bool) {
	partition, ok := item[ix.Partition]
	if !ok {
		return entry{}, false
	}
	sort, ok := item[ix.Sort]
	if !ok {
		return entry{}, false
	}
	k := make([]byte, 0, 16+len(partition.S)+len(sort.B)+len(key.Partition)+len(key.Sort))
	k = appendEntryKey(appendPartition(k, spaceIndex, ix.id, partition.S), sort.B, key)
	e := entry{key: k, carries: ix.carries, size: ix.entrySize(item)}
	if last != nil && last.value != nil && slices.Equal(last.carries, e.carries) {
		e.value = last.value
	} else {
		e.value = appendAttributes(nil, item, ix.carries)
	}
	return e, true
}

// entrySize counts the attributes of an entry: the keys of index and table, and what is projected.
func (ix *indexState) entrySize(item table.Item) int {
	n := 0
	for _, name := range ix.keys {
		n += attributeSize(item, name)
	}
	for _, name := range ix.carries {
		n += attributeSize(item, name)
	}
	return n
}

func attributeSize(item table.Item, name string) int {
	v, ok := item[name]
	if !ok {
		return 0
	}
	return len(name) + v.Size()
}

// decodeEntry makes an item of an entry, and returns its size. Rest is its engine key after the partition.
func (ix *indexState) decodeEntry(t *tableState, partition string, rest, value []byte, room *slab) (table.Item, int, error) {
	item, size, err := decodeItem(value, len(ix.keys), room)
	if err != nil {
		return nil, 0, err
	}
	sort, key, err := cutEntryKey(rest, room)
	if err != nil {
		return nil, 0, err
	}
	item[ix.Partition] = table.S(partition)
	item[ix.Sort] = table.B(sort)
	t.addKey(item, key)
	return item, size + ix.keySize(t, partition, sort, key), nil
}

// decodeRow makes a row of the same, and returns the size of the whole entry.
func (ix *indexState) decodeRow(t *tableState, partition string, rest, value []byte, cols columns, room *slab) (table.Row, int, error) {
	row := room.row(len(cols))
	size, err := decodeRow(row, value, cols, room)
	if err != nil {
		return nil, 0, err
	}
	sort, key, err := cutEntryKey(rest, room)
	if err != nil {
		return nil, 0, err
	}
	cols.set(row, ix.Partition, table.S(partition))
	cols.set(row, ix.Sort, table.B(sort))
	t.setKey(row, cols, key)
	return row, size + ix.keySize(t, partition, sort, key), nil
}

// keySize is what the key attributes of index and table count in an entry's size, each once.
func (ix *indexState) keySize(t *tableState, partition string, sort []byte, key table.Key) int {
	size := t.keySize(key)
	if ix.Partition != t.Partition {
		size += len(ix.Partition) + len(partition)
	}
	if ix.Sort != t.Sort {
		size += len(ix.Sort) + len(sort)
	}
	return size
}

// addKey gives an item its key attributes, which are not stored with it.
func (t *tableState) addKey(item table.Item, key table.Key) {
	item[t.Partition] = table.S(key.Partition)
	if t.Sort != "" {
		item[t.Sort] = table.B(key.Sort)
	}
}

// indexOps returns what a change does to the indexes, and its write units: the entry of an index is written when
// something it shows has changed, and twice when its key has.
func (c *change) indexOps() (ops []operation, units float64) {
	var old, now entry
	var had, has bool
	for i := range c.t.indexes {
		ix := &c.t.indexes[i]
		old, had = ix.entry(c.key, c.old, &old)
		now, has = ix.entry(c.key, c.new, &now)
		if had && has && bytes.Equal(old.key, now.key) {
			if !bytes.Equal(old.value, now.value) {
				ops = append(ops, operation{now.key, now.value})
				units += table.WriteUnits(max(old.size, now.size))
			}
			continue
		}
		if had {
			ops = append(ops, operation{key: old.key})
			units += table.WriteUnits(old.size)
		}
		if has {
			ops = append(ops, operation{now.key, now.value})
			units += table.WriteUnits(now.size)
		}
	}
	return ops, units
}

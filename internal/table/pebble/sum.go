package pebble

import (
	"encoding/binary"

	"github.com/cairn-lrs/cairn/internal/table"
)

// summed is an item of numbers after some were added to, worked out on what is stored: sums have a hundred attributes, of
// which an update changes a few, and no map is made of them.
type summed struct {
	raw           []byte
	oldSize, size int // of the item before and after, as Item.Size counts; oldSize is 0 where there was none
}

// addNumbers works an update out that only adds numbers to numbers; nil when it does not, or when anything derives from the
// item, or is wrong with it: then it is done the long way.
func (c *change) addNumbers() *summed {
	if !c.adds() {
		return nil
	}
	attrs, ok := numbersOf(c.oldRaw)
	if !ok {
		return nil
	}
	keySize := c.t.keySize(c.key)
	s := &summed{size: keySize}
	if c.oldRaw != nil {
		s.oldSize = keySize
	}
	count, head := uint64(0), make([]byte, 0, len(c.oldRaw)+16*len(c.write.Actions))
	put := func(name string, n int64) {
		count++
		head = binary.AppendUvarint(head, uint64(len(name)))
		head = append(append(head, name...), byte(table.Number))
		head = binary.AppendVarint(head, n)
		s.size += len(name) + table.N(n).Size()
	}
	actions := c.write.Actions
	for {
		name, n, more := attrs.next()
		for len(actions) > 0 && (!more || actions[0].Attr < name) {
			put(actions[0].Attr, actions[0].Value.N)
			actions = actions[1:]
		}
		if !more {
			break
		}
		s.oldSize += len(name) + table.N(n).Size()
		if len(actions) > 0 && actions[0].Attr == name {
			if overflows(n, actions[0].Value.N) {
				return nil
			}
			n += actions[0].Value.N
			actions = actions[1:]
		}
		put(name, n)
	}
	if attrs.bad || s.size > table.MaxItem {
		return nil
	}
	s.raw = make([]byte, 0, 2*binary.MaxVarintLen32+len(head))
	s.raw = binary.AppendUvarint(s.raw, count)
	s.raw = binary.AppendUvarint(s.raw, uint64(len(head)))
	s.raw = append(s.raw, head...)
	return s
}

// adds reports whether the write adds numbers alone, in the order of their names, to an item that nothing derives from.
func (c *change) adds() bool {
	if c.write.Op != table.OpUpdate || len(c.write.If) > 0 || c.whole || c.t.Stream || len(c.t.indexes) > 0 {
		return false
	}
	for i := range c.write.Actions {
		a := &c.write.Actions[i]
		if a.Verb != table.ActionAdd || a.Value.Kind != table.Number || i > 0 && a.Attr <= c.write.Actions[i-1].Attr {
			return false
		}
	}
	return true
}

// numbers goes through the attributes of a stored item. It is bad when it ends where it should not: at damage, or at an attribute
// that is no number.
type numbers struct{ decoder }

// numbersOf begins with the first attribute of an item; of none when raw is nil. ok is false when there is more than numbers.
func numbersOf(raw []byte) (n numbers, ok bool) {
	if raw == nil {
		return numbers{}, true
	}
	_, at := binary.Uvarint(raw)
	if at <= 0 {
		return numbers{}, false
	}
	size, width := binary.Uvarint(raw[at:])
	if width <= 0 || size != uint64(len(raw)-at-width) { // behind it are binaries
		return numbers{}, false
	}
	head := raw[at+width:]
	return numbers{decoder{head: head, text: string(head)}}, true
}

// next takes an attribute; false at the end.
func (n *numbers) next() (name string, value int64, more bool) {
	if n.bad || len(n.head) == 0 {
		return "", 0, false
	}
	name = n.string()
	n.bad = n.kind() != table.Number || n.bad
	value = n.varint()
	return name, value, !n.bad
}

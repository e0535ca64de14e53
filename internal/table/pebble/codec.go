package pebble

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/cairn-lrs/cairn/internal/table"
)

// An item is stored without its key attributes, which its engine key tells, as
//
//	number of attributes | length of head | head | tail
//
// The head has the attributes in the order of their names: name, kind, and the text, the number, or the lengths of
// the binaries, whose bytes lie in the tail. Lengths are varints. So decoding copies every byte once, into one string
// and one slice that all values share; and equal items have equal bytes, because sets are stored in order.

var errItem = errors.New("stored item is damaged")

// manyAttributes is how many names are sorted without going to the heap; Cairn's items have fewer.
const manyAttributes = 24

// appendItem encodes the item without the two attributes named (the table's keys; sort may be "").
func appendItem(dst []byte, item table.Item, partition, sort string) []byte {
	var space [manyAttributes]string
	names := space[:0]
	for name := range item {
		if name != partition && name != sort {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return appendAttributes(dst, item, names)
}

// appendAttributes encodes the attributes of these names, in this order, as far as the item has them.
func appendAttributes(dst []byte, item table.Item, names []string) []byte {
	count, head, tail := 0, 0, 0
	for _, name := range names {
		if v, ok := item[name]; ok {
			count++
			h, t := encodedSize(v)
			head += uvarintSize(uint64(len(name))) + len(name) + 1 + h
			tail += t
		}
	}
	dst = slices.Grow(dst, 2*binary.MaxVarintLen32+head+tail)
	dst = binary.AppendUvarint(dst, uint64(count))
	dst = binary.AppendUvarint(dst, uint64(head))
	for _, name := range names {
		if v, ok := item[name]; ok {
			dst = binary.AppendUvarint(dst, uint64(len(name)))
			dst = append(append(dst, name...), byte(v.Kind))
			dst = appendHead(dst, v)
		}
	}
	for _, name := range names {
		switch v := item[name]; v.Kind {
		case table.Binary:
			dst = append(dst, v.B...)
		case table.Set:
			for _, member := range table.SortedSet(v.Set) {
				dst = append(dst, member...)
			}
		}
	}
	return dst
}

func appendHead(dst []byte, v table.Value) []byte {
	switch v.Kind {
	case table.Text:
		dst = binary.AppendUvarint(dst, uint64(len(v.S)))
		dst = append(dst, v.S...)
	case table.Number:
		dst = binary.AppendVarint(dst, v.N)
	case table.Binary:
		dst = binary.AppendUvarint(dst, uint64(len(v.B)))
	case table.Set:
		dst = binary.AppendUvarint(dst, uint64(len(v.Set)))
		for _, member := range table.SortedSet(v.Set) {
			dst = binary.AppendUvarint(dst, uint64(len(member)))
		}
	}
	return dst
}

// encodedSize returns the bytes that a value takes in the head and in the tail.
func encodedSize(v table.Value) (head, tail int) {
	switch v.Kind {
	case table.Text:
		return uvarintSize(uint64(len(v.S))) + len(v.S), 0
	case table.Number:
		return uvarintSize(uint64(v.N)<<1 ^ uint64(v.N>>63)), 0
	case table.Binary:
		return uvarintSize(uint64(len(v.B))), len(v.B)
	case table.Set:
		head = uvarintSize(uint64(len(v.Set)))
		for _, member := range v.Set {
			head += uvarintSize(uint64(len(member)))
			tail += len(member)
		}
	}
	return head, tail
}

func uvarintSize(n uint64) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// decodeItem decodes what appendItem made, with room for extra more attributes. The item does not alias raw. Damage that
// the checksums of the engine let through is an error, never a panic.
func decodeItem(raw []byte, extra int) (table.Item, error) {
	count, n := binary.Uvarint(raw)
	if n <= 0 {
		return nil, errItem
	}
	raw = raw[n:]
	size, n := binary.Uvarint(raw)
	if n <= 0 || size > uint64(len(raw)-n) {
		return nil, errItem
	}
	raw = raw[n:]
	if count > size/2 { // a name's length and a kind are two bytes
		return nil, errItem
	}
	d := decoder{head: string(raw[:size]), tail: bytes.Clone(raw[size:])}
	item := make(table.Item, int(count)+extra)
	for range count {
		name := d.text()
		item[name] = d.value()
	}
	if d.bad || len(d.head) > 0 || len(d.tail) > 0 || len(item) != int(count) {
		return nil, errItem
	}
	return item, nil
}

// decoder takes values from the front of both parts. After damage, bad is set and everything taken is empty.
type decoder struct {
	head string
	tail []byte
	bad  bool
}

func (d *decoder) value() table.Value {
	if d.bad || d.head == "" {
		d.bad = true
		return table.Value{}
	}
	v := table.Value{Kind: table.Kind(d.head[0])}
	d.head = d.head[1:]
	switch v.Kind {
	case table.Text:
		v.S = d.text()
	case table.Number:
		n := d.uvarint()
		v.N = int64(n>>1) ^ -int64(n&1)
	case table.Binary:
		v.B = d.bytes()
	case table.Set:
		count := d.uvarint()
		if count == 0 || count > uint64(len(d.head)) { // each member's length takes a byte at least
			d.bad = true
			return table.Value{}
		}
		v.Set = make([][]byte, count)
		for i := range v.Set {
			v.Set[i] = d.bytes()
		}
	default:
		d.bad = true
	}
	return v
}

func (d *decoder) text() string {
	n := d.uvarint()
	if n > uint64(len(d.head)) {
		d.bad = true
		return ""
	}
	s := d.head[:n]
	d.head = d.head[n:]
	return s
}

// bytes takes from the tail as many bytes as the head says, capped so that appending to them cannot reach the next.
func (d *decoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.tail)) {
		d.bad = true
		return nil
	}
	b := d.tail[:n:n]
	d.tail = d.tail[n:]
	return b
}

func (d *decoder) uvarint() uint64 {
	var n uint64
	for i := 0; i < len(d.head) && i < binary.MaxVarintLen64; i++ {
		c := d.head[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			d.head = d.head[i+1:]
			return n
		}
	}
	d.bad = true
	return 0
}

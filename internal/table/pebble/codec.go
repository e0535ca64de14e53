package pebble

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"github.com/cairn-lrs/cairn/internal/table"
)

// An item is stored without its key attributes, which its engine key tells, as
//
//	number of attributes | length of head | head | tail
//
// The head has the attributes in the order of their names: name, kind, and the text, the number, or the lengths of
// the binaries, whose bytes lie in the tail. Lengths are varints. So decoding copies every byte once at most, into one string
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

// decodeItem decodes what appendItem made. The item is made for extra more attributes and does not alias raw. Size is what its
// attributes have, as Item.Size counts. Damage that the checksums of the engine let through is an error, never a panic.
func decodeItem(raw []byte, extra int, room *slab) (item table.Item, size int, err error) {
	d, count, err := newDecoder(raw, room)
	if err != nil {
		return nil, 0, err
	}
	d.text = string(d.head)
	item = make(table.Item, int(count)+extra)
	last := ""
	for i := range count {
		name := d.string()
		d.bad = d.bad || i > 0 && name <= last
		last = name
		v := d.value()
		if d.bad {
			break
		}
		item[name] = v
		size += len(name) + v.Size()
	}
	return item, size, d.end()
}

// columns are the attributes of rows, in the order of their names.
type columns []column

type column struct {
	name string
	at   int // in the row
}

func columnsOf(names []string) columns {
	cols := make(columns, len(names))
	for i, name := range names {
		cols[i] = column{name, i}
	}
	slices.SortFunc(cols, func(a, b column) int { return strings.Compare(a.name, b.name) })
	return cols
}

// set gives the attribute its value, if it is one of the columns.
func (cols columns) set(row table.Row, name string, v table.Value) {
	for i := range cols {
		if cols[i].name == name {
			row[cols[i].at] = v
			return
		}
	}
}

// decodeRow takes what belongs into a row from what appendItem made. Size is what all attributes have.
func decodeRow(row table.Row, raw []byte, cols columns, room *slab) (size int, err error) {
	d, count, err := newDecoder(raw, room)
	if err != nil {
		return 0, err
	}
	var last []byte
	for i := range count {
		name := d.take(d.uvarint())
		d.bad = d.bad || i > 0 && string(name) <= string(last)
		last = name
		for len(cols) > 0 && cols[0].name < string(name) {
			cols = cols[1:]
		}
		size += len(name)
		if len(cols) > 0 && cols[0].name == string(name) {
			v := d.value()
			row[cols[0].at] = v
			size += v.Size()
		} else {
			size += d.pass()
		}
		if d.bad {
			break
		}
	}
	return size, d.end()
}

// decoder takes values from the front of both parts. After damage, bad is set and everything taken is empty.
type decoder struct {
	head []byte // aliases what is stored
	text string // a copy of the whole head, for names and texts to share; "": they are copied one by one
	tail []byte // a copy, which binaries share
	room *slab
	bad  bool
}

// newDecoder finds the parts, and how many attributes they have.
func newDecoder(raw []byte, room *slab) (d decoder, count uint64, err error) {
	count, n := binary.Uvarint(raw)
	if n <= 0 {
		return decoder{}, 0, errItem
	}
	raw = raw[n:]
	head, n := binary.Uvarint(raw)
	if n <= 0 || head > uint64(len(raw)-n) {
		return decoder{}, 0, errItem
	}
	raw = raw[n:]
	if count > head/2 { // a name's length and a kind are two bytes
		return decoder{}, 0, errItem
	}
	return decoder{head: raw[:head], tail: room.clone(raw[head:]), room: room}, count, nil
}

// end is an error unless everything was taken.
func (d *decoder) end() error {
	if d.bad || len(d.head) > 0 || len(d.tail) > 0 {
		return errItem
	}
	return nil
}

func (d *decoder) kind() table.Kind {
	if kind := d.take(1); len(kind) == 1 {
		return table.Kind(kind[0])
	}
	return 0
}

func (d *decoder) value() table.Value {
	v := table.Value{Kind: d.kind()}
	switch v.Kind {
	case table.Text:
		v.S = d.string()
	case table.Number:
		v.N = d.varint()
	case table.Binary:
		v.B = d.bytes()
	case table.Set:
		v.Set = d.room.members(d.members())
		for i := range v.Set {
			v.Set[i] = d.bytes()
		}
	default:
		d.bad = true
	}
	if d.bad {
		return table.Value{}
	}
	return v
}

// pass leaves a value out and returns its size.
func (d *decoder) pass() (size int) {
	switch d.kind() {
	case table.Text:
		return len(d.take(d.uvarint()))
	case table.Number:
		return table.N(d.varint()).Size()
	case table.Binary:
		return len(d.bytes())
	case table.Set:
		for range d.members() {
			size += len(d.bytes())
		}
		return size
	}
	d.bad = true
	return 0
}

// take takes so many bytes from the head; nil after damage.
func (d *decoder) take(n uint64) []byte {
	if d.bad || n > uint64(len(d.head)) {
		d.bad = true
		return nil
	}
	b := d.head[:n]
	d.head = d.head[n:]
	return b
}

func (d *decoder) string() string {
	n := d.uvarint()
	at := len(d.text) - len(d.head)
	b := d.take(n)
	if d.text == "" {
		return string(b)
	}
	return d.text[at : at+len(b)]
}

// bytes takes from the tail as many bytes as the head says, capped so that appending to them cannot reach the next.
func (d *decoder) bytes() []byte {
	n := d.uvarint()
	if d.bad || n > uint64(len(d.tail)) {
		d.bad = true
		return nil
	}
	b := d.tail[:n:n]
	d.tail = d.tail[n:]
	return b
}

// members takes how many members a set has, never none.
func (d *decoder) members() int {
	n := d.uvarint()
	if d.bad || n == 0 || n > uint64(len(d.head)) { // each member's length takes a byte at least
		d.bad = true
		return 0
	}
	return int(n)
}

func (d *decoder) varint() int64 {
	n := d.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

func (d *decoder) uvarint() uint64 {
	n, width := binary.Uvarint(d.head)
	if width <= 0 {
		d.bad = true
		return 0
	}
	d.head = d.head[width:]
	return n
}

package pebble

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/cairn-lrs/cairn/internal/table"
)

// The first byte of every engine key says what lies there. README.md draws the layout.
const (
	spaceMeta    = 0x01 // what this package knows about the folder
	spaceItem    = 0x02 // table, partition, sort -> item
	spaceIndex   = 0x03 // index, its partition and sort, the item's key -> projected attributes
	spaceFeed    = 0x04 // table, sequence -> change
	spaceToken   = 0x05 // time, token -> fingerprint of its group
	spaceDelayed = 0x06 // due time, number -> an index operation held back by Faults
)

var errKey = errors.New("engine key is not of this layout")

// appendPartition starts the key of an item or index entry: everything of one partition has this prefix and nothing
// else has, because the partition's length stands before it.
func appendPartition(dst []byte, space byte, id uint16, partition string) []byte {
	dst = append(dst, space)
	dst = binary.BigEndian.AppendUint16(dst, id)
	return appendText(dst, partition)
}

func appendText(dst []byte, s string) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}

// cutText is the inverse of appendText.
func cutText(b []byte) (text, rest []byte, err error) {
	if len(b) < 2 {
		return nil, nil, errKey
	}
	n := int(binary.BigEndian.Uint16(b))
	if len(b)-2 < n {
		return nil, nil, errKey
	}
	return b[2 : 2+n], b[2+n:], nil
}

// appendItemKey makes an item's engine key. The sort key stands last and as it is, so items lie in its order.
func appendItemKey(dst []byte, id uint16, key table.Key) []byte {
	return append(appendPartition(dst, spaceItem, id, key.Partition), key.Sort...)
}

// In an index the sort key is followed by the item's key, so its end has to be marked: 0x00 becomes 0x00 0xff, and
// 0x00 0x01 ends it. That keeps the order of the bytes.
const (
	escape     = 0x00
	escaped    = 0xff
	terminator = 0x01
)

func appendEscaped(dst, sort []byte) []byte {
	for {
		i := bytes.IndexByte(sort, escape)
		if i < 0 {
			return append(dst, sort...)
		}
		dst = append(append(dst, sort[:i]...), escape, escaped)
		sort = sort[i+1:]
	}
}

// appendEntryKey completes the key of an index entry after appendPartition.
func appendEntryKey(dst, sort []byte, key table.Key) []byte {
	dst = append(appendEscaped(dst, sort), escape, terminator)
	return append(appendText(dst, key.Partition), key.Sort...)
}

// cutEntryKey splits what follows the index's partition into copies of the index's sort key and the item's key, whose
// sort key is empty where the table has none.
func cutEntryKey(b []byte, room *slab) (sort []byte, key table.Key, err error) {
	var space [64]byte
	unescaped := space[:0]
	for {
		i := bytes.IndexByte(b, escape)
		if i < 0 || i+1 >= len(b) {
			return nil, table.Key{}, errKey
		}
		unescaped = append(unescaped, b[:i]...)
		mark := b[i+1]
		b = b[i+2:]
		switch mark {
		case terminator:
			partition, itemSort, err := cutText(b)
			return room.clone(unescaped), table.Key{Partition: string(partition), Sort: room.clone(itemSort)}, err
		case escaped:
			unescaped = append(unescaped, escape)
		default:
			return nil, table.Key{}, errKey
		}
	}
}

// appendFeedKey makes the key of a change.
func appendFeedKey(dst []byte, id uint16, sequence uint64) []byte {
	dst = append(dst, spaceFeed)
	dst = binary.BigEndian.AppendUint16(dst, id)
	return binary.BigEndian.AppendUint64(dst, sequence)
}

// after returns the first key behind all keys that begin with prefix.
func after(prefix []byte) []byte {
	end := slices.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

package pebble

import (
	"bytes"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/table"
)

// genBytes makes short binaries of few different bytes, so that equal and neighbouring ones are common.
func genBytes(least int) *rapid.Generator[[]byte] {
	return rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 'a', 0xfe, 0xff}), least, 5)
}

func genValue() *rapid.Generator[table.Value] {
	return rapid.OneOf(
		rapid.Map(rapid.String(), table.S),
		rapid.Map(rapid.Int64(), table.N),
		rapid.Map(genBytes(0), table.B),
		rapid.Map(rapid.SliceOfNDistinct(genBytes(0), 1, 6, func(b []byte) string { return string(b) }),
			func(members [][]byte) table.Value { return table.SetOf(members...) }),
	)
}

func genItem() *rapid.Generator[table.Item] {
	return rapid.Custom(func(t *rapid.T) table.Item {
		return rapid.MapOfN(rapid.StringN(1, 3, -1), genValue(), 0, 12).Draw(t, "attributes")
	})
}

func TestItemsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		item := genItem().Draw(t, "item")
		before := slices.Repeat([]byte{7}, rapid.IntRange(0, 3).Draw(t, "before"))
		raw := appendItem(before, item, "", "")
		got, size, err := decodeItem(raw[len(before):], 2, new(slab))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(item, got); diff != "" {
			t.Fatalf("item (-want +got):\n%s", diff)
		}
		if size != item.Size() {
			t.Fatalf("size %d, want %d", size, item.Size())
		}
	})
}

func TestRowsComeBackAndTheSizeOfTheItem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		item := genItem().Draw(t, "item")
		names := rapid.SliceOfNDistinct(rapid.StringN(1, 3, -1), 0, 4, rapid.ID).Draw(t, "absent or not")
		for name := range item {
			if rapid.Bool().Draw(t, "with "+name) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		want := make(table.Row, len(names))
		for i, name := range names {
			want[i] = item[name]
		}
		got := make(table.Row, len(names))
		size, err := decodeRow(got, appendItem(nil, item, "", ""), columnsOf(names), new(slab))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("row (-want +got):\n%s", diff)
		}
		if size != item.Size() {
			t.Fatalf("size %d, want %d", size, item.Size())
		}
	})
}

// Items that are read together share memory and nothing else. Some are larger than what is shared.
func TestItemsThatAreReadTogetherDoNotShareTheirBytes(t *testing.T) {
	var room slab
	var want, got []table.Item
	for n := range 200 {
		members := make([][]byte, 1+n%150)
		for i := range members {
			members[i] = []byte{byte(n), byte(i)}
		}
		item := table.Item{"b": table.B(bytes.Repeat([]byte{byte(n)}, n*n%6000)), "t": table.SetOf(members...)}
		decoded, _, err := decodeItem(appendItem(nil, item, "", ""), 0, &room)
		if err != nil {
			t.Fatal(err)
		}
		want, got = append(want, item), append(got, decoded)
	}
	for _, item := range got {
		_ = append(item["b"].B, '!')
		_ = append(item["t"].Set, []byte("!"))
		_ = append(item["t"].Set[0], '!')
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("items after appending to their parts (-want +got):\n%s", diff)
	}
}

// Equal items must have equal bytes: that is how a write which changes nothing is known.
func TestEqualItemsHaveEqualBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		item := genItem().Draw(t, "item")
		same := table.Item{}
		for name, v := range item {
			if v.Kind == table.Set {
				v = table.SetOf(rapid.Permutation(v.Set).Draw(t, "members")...)
			}
			same[name] = v
		}
		if !bytes.Equal(appendItem(nil, item, "", ""), appendItem(nil, same, "", "")) {
			t.Fatal("the bytes differ")
		}
	})
}

func TestItemDoesNotShareItsBytes(t *testing.T) {
	item := table.Item{"s": table.S("text"), "b": table.B([]byte("bin")), "t": table.SetOf([]byte("x"), []byte("y"))}
	raw := appendItem(nil, item, "", "")
	got, _, err := decodeItem(raw, 0, new(slab))
	if err != nil {
		t.Fatal(err)
	}
	row := make(table.Row, 3)
	if _, err := decodeRow(row, raw, columnsOf([]string{"s", "b", "t"}), new(slab)); err != nil {
		t.Fatal(err)
	}
	clear(raw)
	for _, got := range []table.Item{got, {"s": row[0], "b": row[1], "t": row[2]}} {
		if diff := cmp.Diff(item, got); diff != "" {
			t.Errorf("item after the buffer was reused (-want +got):\n%s", diff)
		}
	}
	_ = append(got["t"].Set[0], '!')
	_ = append(got["b"].B, '!')
	if diff := cmp.Diff(item, got); diff != "" {
		t.Errorf("item after appending to its parts (-want +got):\n%s", diff)
	}
}

// FuzzDecodeItem checks that damage is an error or another item that can be stored, never a panic.
func FuzzDecodeItem(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	for _, item := range []table.Item{
		{"a": table.S("text")}, {"n": table.N(-1)}, {"b": table.B([]byte{1, 2})}, {"t": table.SetOf([]byte("x"), []byte("y"))},
		{"a": table.N(7), "b": table.S("x"), "t": table.B([]byte("y")), "v": table.N(1)},
		{"a": table.S(""), "b": table.B(nil), "c": table.N(1 << 62), "d": table.SetOf([]byte{})},
	} {
		f.Add(appendItem(nil, item, "", ""))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		item, size, err := decodeItem(raw, 2, new(slab))
		row := make(table.Row, 2)
		sizeAgain, errOfRow := decodeRow(row, raw, columnsOf([]string{"b", "t"}), new(slab))
		if (err == nil) != (errOfRow == nil) {
			t.Fatalf("as an item %v, as a row %v", err, errOfRow)
		}
		if err != nil {
			return
		}
		if diff := cmp.Diff(table.Row{item["b"], item["t"]}, row); diff != "" || size != sizeAgain {
			t.Errorf("sizes %d and %d, row (-item's +got):\n%s", size, sizeAgain, diff)
		}
		again, _, err := decodeItem(appendItem(nil, item, "", ""), 0, new(slab))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(item, again); diff != "" {
			t.Errorf("item (-first +second):\n%s", diff)
		}
	})
}

// FuzzDecodeChange checks the same for stored changes and delayed index operations.
func FuzzDecodeChange(f *testing.F) {
	s := &tableState{Schema: &table.Schema{Name: "T", Partition: "pk", Sort: "sk"}}
	c := change{key: table.Key{Partition: "p", Sort: []byte("s")}, new: table.Item{}, newRaw: appendItem(nil, table.Item{"n": table.N(1)}, "", "")}
	value := appendText(make([]byte, 8), c.key.Partition)
	value = appendPart(appendPart(appendPart(value, c.key.Sort, true), nil, false), c.newRaw, true)
	f.Add(value)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, value []byte) {
		if c, err := s.decodeChange(appendFeedKey(nil, 1, 7), value); err == nil && c.Sequence != formatSequence(7) {
			t.Errorf("sequence %s", c.Sequence)
		}
		if op, err := decodeDelayed(value); err == nil && len(op.key)+len(op.value) > len(value) {
			t.Errorf("more bytes came out than went in")
		}
	})
}

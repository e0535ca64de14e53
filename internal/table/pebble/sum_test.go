package pebble

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Adding numbers to what is stored comes to the bytes and the price of the long way; where it does not apply, it says so.
func TestNumbersAreAddedAsTheLongWay(t *testing.T) {
	sums := &tableState{Schema: &table.Schema{Name: "Sums", Partition: "pk", Sort: "sk"}}
	key := table.Key{Partition: "p", Sort: []byte("s")}
	name := rapid.SampledFrom([]string{"a", "a1", "a2", "b", "b1", "w10"})
	short := 0
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Map(rapid.OneOf(rapid.Int64Range(-200, 200), rapid.Int64()), table.N)
		value := rapid.OneOf(number, number, number, number, number, number, number, genValue())
		write := table.Write{Op: table.OpUpdate, Key: key}
		for attr, v := range rapid.MapOfN(name, value, 1, 4).Draw(t, "actions") {
			write.Actions = append(write.Actions, table.Add(attr, v))
		}
		if rapid.IntRange(0, 3).Draw(t, "sorted") > 0 {
			slices.SortFunc(write.Actions, func(a, b table.Action) int { return strings.Compare(a.Attr, b.Attr) })
		}
		var raw []byte
		var old table.Item
		if rapid.Bool().Draw(t, "there") {
			old = rapid.MapOfN(name, value, 0, 6).Draw(t, "item")
			raw = appendItem(nil, old, "pk", "sk")
			sums.addKey(old, key)
		}
		quick := change{write: &write, t: sums, key: key, oldRaw: raw}
		long := change{write: &write, t: sums, key: key, oldRaw: raw, old: old}
		err := long.update()
		if quick.sum = quick.addNumbers(); quick.sum == nil {
			return
		}
		short++
		if err != nil {
			t.Fatalf("it was added, and the long way says %v", err)
		}
		if !bytes.Equal(quick.sum.raw, long.newRaw) {
			t.Fatalf("%x, the long way %x", quick.sum.raw, long.newRaw)
		}
		if quick.units() != long.units() || quick.oldSize() != long.old.Size() || quick.sum.size != long.new.Size() {
			t.Fatalf("sizes %d and %d, the long way %d and %d", quick.sum.oldSize, quick.sum.size, long.old.Size(), long.new.Size())
		}
	})
	if short < 10 {
		t.Errorf("%d updates took the short way", short)
	}
}

// Where a map would be needed, the short way is not taken.
func TestOnlyNumbersAreAdded(t *testing.T) {
	plain := table.Schema{Name: "Sums", Partition: "pk", Sort: "sk"}
	key := table.Key{Partition: "p", Sort: []byte("s")}
	update := table.Update(table.Ref{Table: "Sums", Key: key}, []table.Action{table.Add("a", table.N(1)), table.Add("b", table.N(2))})
	for _, test := range []struct {
		name string
		edit func(c *change)
		sums bool
	}{
		{"numbers", func(*change) {}, true},
		{"nothing stored", func(c *change) { c.oldRaw = nil }, true},
		{"text stored", func(c *change) { c.oldRaw = appendItem(nil, table.Item{"c": table.S("x")}, "", "") }, false},
		{"binary stored", func(c *change) { c.oldRaw = appendItem(nil, table.Item{"c": table.B([]byte("x"))}, "", "") }, false},
		{"damage", func(c *change) { c.oldRaw = c.oldRaw[:len(c.oldRaw)-1] }, false},
		{"overflow", func(c *change) { c.oldRaw = appendItem(nil, table.Item{"a": table.N(1<<63 - 1)}, "", "") }, false},
		{"a condition", func(c *change) { c.write.If = []table.Condition{table.Present("a")} }, false},
		{"set", func(c *change) { c.write.Actions = []table.Action{table.SetTo("a", table.N(1))} }, false},
		{"not in order", func(c *change) {
			c.write.Actions = []table.Action{table.Add("b", table.N(1)), table.Add("a", table.N(1))}
		}, false},
		{"the item is asked for", func(c *change) { c.whole = true }, false},
		{"a feed", func(c *change) { c.t.Schema.Stream = true }, false},
		{"an index", func(c *change) { c.t.indexes = []indexState{{}} }, false},
	} {
		schema, write := plain, update
		c := change{write: &write, t: &tableState{Schema: &schema}, key: key, oldRaw: appendItem(nil, table.Item{"a": table.N(5)}, "", "")}
		test.edit(&c)
		if sums := c.addNumbers() != nil; sums != test.sums {
			t.Errorf("%s: taken is %v", test.name, sums)
		}
	}
}

package tabletest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/table"
)

// testLimits checks that what breaks a limit or rule of the port is refused as table.ErrInvalid and leaves nothing
// behind, and that what just keeps to it is taken.
func (s *suite) testLimits(t *testing.T) {
	t.Run("items and keys", s.limitsOfItems)
	t.Run("writes", s.limitsOfWrites)
	t.Run("groups", s.limitsOfGroups)
	t.Run("batches", s.limitsOfBatches)
	t.Run("reads", s.limitsOfReads)
	t.Run("an update grows beyond the limit", s.limitsOfUpdate)
}

// longest makes a partition key of n bytes that begins with this test's own.
func (s *suite) longest(t *testing.T, n int) string {
	pk := s.partition(t)
	return pk + strings.Repeat("x", n-len(pk))
}

func (s *suite) limitsOfItems(t *testing.T) {
	pk := s.partition(t)
	with := func(name string, v table.Value) table.Item { return recordItem(pk, "a", table.Item{name: v}) }
	tests := []struct {
		name  string
		table string
		item  table.Item
		valid bool
	}{
		{"the largest item", records, sizedRecord(pk, "a", table.MaxItem, nil), true},
		{"a larger item", records, sizedRecord(pk, "a", table.MaxItem+1, nil), false},
		{"the longest partition key", records, recordItem(s.longest(t, 2048), "a", nil), true},
		{"a longer partition key", records, recordItem(s.longest(t, 2049), "a", nil), false},
		{"an empty partition key", records, recordItem("", "a", nil), false},
		{"a partition key that is not UTF-8", records, recordItem(pk+"\xff", "a", nil), false},
		{"the longest sort key", records, recordItem(pk, strings.Repeat("s", 1024), nil), true},
		{"a longer sort key", records, recordItem(pk, strings.Repeat("s", 1025), nil), false},
		{"an empty sort key", records, recordItem(pk, "", nil), false},
		{"no sort key", records, table.Item{"pk": table.S(pk)}, false},
		{"no partition key", records, table.Item{"sk": table.B([]byte("a"))}, false},
		{"a partition key of another kind", plain, table.Item{"pk": table.N(1)}, false},
		{"an empty set", records, with("t", table.SetOf()), false},
		{"a set with a member twice", records, with("t", table.SetOf([]byte("x"), []byte("y"), []byte("x"))), false},
		{"no value", records, with("x", table.Value{}), false},
		{"no name", records, with("", table.N(1)), false},
		{"text that is not UTF-8", records, with("x", table.S("\xff")), false},
		{"the longest index keys", records, recordItem(pk, "a", table.Item{
			"kt": table.S(strings.Repeat("k", 2048)), "p": table.B(make([]byte, 1024))}), true},
		{"a longer index partition key", records, with("kt", table.S(strings.Repeat("k", 2049))), false},
		{"a longer index sort key", records, with("p", table.B(make([]byte, 1025))), false},
		{"an empty index key", records, with("kt", table.S("")), false},
		{"an index key of another kind", records, with("kt", table.N(1)), false},
		{"an unknown table", "TabletestNone", with("x", table.N(1)), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx := within(t)
			for name, err := range s.putAllWays(ctx, test.table, test.item) {
				if test.valid {
					wantError(t, err, nil)
				} else if wantError(t, err, table.ErrInvalid); t.Failed() {
					t.Log("by", name)
				}
			}
		})
	}
	if left := s.all(t, within(t), table.Query{Table: records, Partition: pk, Consistency: table.Strong}); len(left) != 2 {
		t.Errorf("%d items are there, want the 2 valid ones", len(left))
	}
}

// putAllWays puts an item by each operation and returns their errors.
func (s *suite) putAllWays(ctx context.Context, name string, item table.Item) map[string]error {
	_, _, apply := s.db.Apply(ctx, table.Put(name, item))
	_, group := s.db.Group(ctx, "", []table.Write{table.Put(name, item)})
	_, batch := s.db.Batch(ctx, []table.Write{table.Put(name, item)})
	return map[string]error{"Apply": apply, "Group": group, "Batch": batch}
}

func (s *suite) limitsOfWrites(t *testing.T) {
	pk := s.partition(t)
	ref := record(pk, "a")
	set := table.SetTo("x", table.N(1))
	tests := []struct {
		name  string
		write table.Write
	}{
		{"a check alone", table.Check(ref, table.Absent("pk"))},
		{"no operation", table.Write{Table: records, Key: ref.Key}},
		{"an update without an action", table.Update(ref, nil)},
		{"an action on a key", table.Update(ref, []table.Action{table.SetTo("pk", table.S("x"))})},
		{"an action on a sort key", table.Update(ref, []table.Action{table.Remove("sk")})},
		{"two actions on one attribute", table.Update(ref, []table.Action{set, table.Remove("x")})},
		{"an action without an attribute", table.Update(ref, []table.Action{table.Remove("")})},
		{"adding a text", table.Update(ref, []table.Action{table.Add("x", table.S("y"))})},
		{"setting nothing", table.Update(ref, []table.Action{table.SetTo("x", table.Value{})})},
		{"a condition without an attribute", table.Delete(ref, table.Present(""))},
		{"a condition of no kind", table.Delete(ref, table.Condition{Attr: "x"})},
		{"equal to no value", table.Delete(ref, table.Equals("x", table.Value{}))},
		{"a key without its sort key", table.Delete(table.Ref{Table: records, Key: table.Key{Partition: pk}})},
		{"a sort key too many", table.Delete(table.Ref{Table: plain, Key: ref.Key})},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := s.db.Apply(within(t), test.write)
			wantError(t, err, table.ErrInvalid)
		})
	}
	s.want(t, within(t), ref, nil)
}

func (s *suite) limitsOfGroups(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	puts := func(n, size int) []table.Write {
		var ws []table.Write
		for i := range n {
			ws = append(ws, table.Put(records, sizedRecord(pk, fmt.Sprintf("%03d", i), size, nil)))
		}
		return ws
	}
	twice := append(puts(3, 200), table.Delete(record(pk, "001")))
	tests := []struct {
		name  string
		token string
		ws    []table.Write
	}{
		{"no write", "", nil},
		{"101 writes", "", puts(101, 200)},
		{"more than 4 MB", "", puts(11, 390<<10)},
		{"two writes of one item", "", twice},
		{"a check and a write of one item", "", append(puts(1, 200), table.Check(record(pk, "000"), table.Absent("pk")))},
		{"a check without a condition", "", append(puts(1, 200), table.Check(record(pk, "x")))},
		{"a long token", strings.Repeat("t", 37), puts(1, 200)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := s.db.Group(ctx, test.token, test.ws)
			wantError(t, err, table.ErrInvalid)
		})
	}
	if left := s.all(t, ctx, table.Query{Table: records, Partition: pk, Consistency: table.Strong}); len(left) != 0 {
		t.Errorf("%d items are there, want none", len(left))
	}
	t.Run("almost 4 MB", func(t *testing.T) {
		_, err := s.db.Group(ctx, "", puts(10, 390<<10))
		wantError(t, err, nil)
	})
}

func (s *suite) limitsOfBatches(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	put := table.Put(records, recordItem(pk, "a", nil))
	tests := []struct {
		name  string
		write table.Write
	}{
		{"an update", table.Update(record(pk, "b"), []table.Action{table.Add("n", table.N(1))})},
		{"a check", table.Check(record(pk, "b"), table.Absent("pk"))},
		{"a conditional put", table.Put(records, recordItem(pk, "b", nil), table.Absent("pk"))},
		{"a conditional delete", table.Delete(record(pk, "b"), table.Present("pk"))},
		{"the same item again", put},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := s.db.Batch(ctx, []table.Write{put, test.write})
			wantError(t, err, table.ErrInvalid)
		})
	}
	s.want(t, ctx, record(pk, "a"), nil)
}

func (s *suite) limitsOfReads(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	long := make([]byte, 1025)
	queries := []struct {
		name string
		q    table.Query
	}{
		{"an unknown table", table.Query{Table: "TabletestNone", Partition: pk}},
		{"an unknown index", table.Query{Table: records, Index: "byNothing", Partition: pk}},
		{"a strong read of an index", table.Query{Table: records, Index: byTime, Partition: pk, Consistency: table.Strong}},
		{"no partition", table.Query{Table: records}},
		{"a long partition", table.Query{Table: records, Partition: s.longest(t, 2049)}},
		{"a negative limit", table.Query{Table: records, Partition: pk, Limit: -1}},
		{"an empty bound", table.Query{Table: records, Partition: pk, From: []byte{}}},
		{"a long bound", table.Query{Table: records, Partition: pk, To: long}},
		{"an attribute without a name", table.Query{Table: records, Partition: pk, Only: []string{"a", ""}}},
		{"an attribute twice", table.Query{Table: records, Partition: pk, Only: []string{"a", "b", "a"}}},
		{"an attribute that the index lacks", table.Query{Table: records, Index: byTime, Partition: pk, Only: []string{"t", "n"}}},
		{"bounds without a sort key", table.Query{Table: plain, Partition: pk, From: []byte("a")}},
	}
	for _, test := range queries {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := s.db.Query(ctx, test.q)
			wantError(t, err, table.ErrInvalid)
		})
	}
	refs := []struct {
		name string
		ref  table.Ref
	}{
		{"an unknown table", table.Ref{Table: "TabletestNone", Key: table.Key{Partition: pk}}},
		{"no sort key", table.Ref{Table: records, Key: table.Key{Partition: pk}}},
		{"a sort key too many", table.Ref{Table: plain, Key: table.Key{Partition: pk, Sort: []byte("a")}}},
		{"no partition", plainRef("")},
	}
	for _, test := range refs {
		t.Run("get with "+test.name, func(t *testing.T) {
			_, _, err := s.db.Get(ctx, test.ref, table.Strong)
			wantError(t, err, table.ErrInvalid)
			_, _, err = s.db.BatchGet(ctx, []table.Ref{test.ref}, table.Strong)
			wantError(t, err, table.ErrInvalid)
			_, _, err = s.db.Select(ctx, []table.Ref{test.ref}, table.Strong, "a")
			wantError(t, err, table.ErrInvalid)
		})
	}
	for _, attributes := range [][]string{nil, {""}, {"a", "b", "a"}} {
		t.Run(fmt.Sprintf("select %q", attributes), func(t *testing.T) {
			_, _, err := s.db.Select(ctx, []table.Ref{record(pk, "a")}, table.Strong, attributes...)
			wantError(t, err, table.ErrInvalid)
		})
	}
	t.Run("bounds that exclude everything", func(t *testing.T) {
		s.put(t, ctx, records, recordItem(pk, "b", nil))
		page, _, err := s.db.Query(ctx, table.Query{Table: records, Partition: pk, From: []byte("c"), To: []byte("a")})
		if err != nil || len(page.Items) > 0 || page.Next != nil {
			t.Errorf("page %v, error %v, want an empty page", page, err)
		}
	})
}

func (s *suite) limitsOfUpdate(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	before := sizedRecord(pk, "a", 300<<10, nil)
	s.put(t, ctx, records, before)
	update := table.Update(record(pk, "a"), []table.Action{table.SetTo("c", bytesOf(101<<10))})
	_, _, err := s.db.Apply(ctx, update)
	wantError(t, err, table.ErrInvalid)
	_, err = s.db.Group(ctx, "", []table.Write{update})
	wantError(t, err, table.ErrInvalid)
	_, _, err = s.db.Apply(ctx, table.Update(record(pk, "a"), []table.Action{table.SetTo("kt", table.S(""))}))
	wantError(t, err, table.ErrInvalid)
	s.want(t, ctx, record(pk, "a"), before)
}

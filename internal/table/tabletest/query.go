package tabletest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/table"
)

func (s *suite) testQuery(t *testing.T) {
	t.Run("ranges, directions and limits", s.queryRanges)
	t.Run("large pages are cut", s.queryLarge)
	t.Run("only its partition", s.queryPartition)
	t.Run("strong after write", s.queryStrong)
	t.Run("a table without sort key", s.queryPlain)
	t.Run("rows of some attributes", s.queryRows)
}

func (s *suite) queryRows(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	color := table.S(pk + "/color")
	var rows, entries []table.Row
	for i := range 7 {
		sort, position, n, text := fmt.Sprint(i), table.B([]byte{byte(i)}), table.N(int64(i)), table.S(fmt.Sprint("text ", i))
		item := recordItem(pk, sort, table.Item{"kc": color, "p": position, "n": n, "b": text})
		if i%3 == 0 {
			delete(item, "b")
			text = table.Value{}
		}
		s.put(t, ctx, records, item)
		rows = append(rows, table.Row{text, item["sk"], {}})
		entries = append(entries, table.Row{n, item["pk"], {}, color, item["sk"], position})
	}
	ofTable := table.Query{Table: records, Partition: pk, Consistency: table.Strong, Only: []string{"b", "sk", "absent"}}
	ofIndex := table.Query{Table: records, Index: byColor, Partition: color.S, Only: []string{"n", "pk", "t", "kc", "sk", "p"}}
	for _, limit := range []int{0, 1, 3} {
		ofTable.Limit, ofIndex.Limit = limit, limit
		if diff := cmp.Diff(rows, s.allRows(t, ctx, ofTable)); diff != "" {
			t.Errorf("limit %d: rows (-want +got):\n%s", limit, diff)
		}
		eventually(t, func() string {
			if diff := cmp.Diff(entries, s.allRows(t, ctx, ofIndex)); diff != "" {
				return fmt.Sprintf("limit %d: rows of the index (-want +got):\n%s", limit, diff)
			}
			return ""
		})
	}
	none := table.Query{Table: records, Partition: pk, Consistency: table.Strong, Only: []string{"absent"}}
	if diff := cmp.Diff(slices.Repeat([]table.Row{{{}}}, 7), s.allRows(t, ctx, none)); diff != "" {
		t.Errorf("rows of what no item has (-want +got):\n%s", diff)
	}
}

// allRows reads a query of some attributes to its end.
func (s *suite) allRows(t *testing.T, ctx context.Context, q table.Query) (rows []table.Row) {
	t.Helper()
	for {
		page, _, err := s.db.Query(ctx, q)
		if err != nil {
			t.Fatalf("query: %v", err)
		}
		if len(page.Items) > 0 || q.Limit > 0 && len(page.Rows) > q.Limit {
			t.Fatalf("a page of %d items and %d rows, limit %d", len(page.Items), len(page.Rows), q.Limit)
		}
		rows = append(rows, page.Rows...)
		if page.Next == nil {
			return rows
		}
		q.After = page.Next
	}
}

// sorts are sort keys in order, with those that an encoding could get wrong.
var sorts = []string{
	"\x00", "\x00\x00", "\x00\x01", "\x00\xff", "\x01", "a", "a\x00", "a\x00\x00", "a\x00\x01", "a\x00b", "aa", "b",
	"\xfe\xff", "\xff", "\xff\x00", "\xff\xff", "\xff\xff\xff",
}

// bounds are what From and To are tried with; "" is open.
var bounds = []string{"", "\x00", "\x00\x02", "a", "a\x00", "ab", "\xff", "\xff\xff\xff\xff"}

func (s *suite) queryRanges(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	var items []table.Item
	for _, sort := range sorts {
		items = append(items, recordItem(pk, sort, nil))
	}
	for i := range items {
		items[i]["v"] = table.N(int64(i))
	}
	s.put(t, ctx, records, items...)
	s.checkRanges(t, ctx, table.Query{Table: records, Partition: pk, Consistency: table.Strong}, items, "sk")
}

// checkRanges tries a query with all bounds, directions and limits, against a filter over the items, which are in
// order of the attribute named.
func (s *suite) checkRanges(t *testing.T, ctx context.Context, q table.Query, items []table.Item, sort string) {
	t.Helper()
	for _, from := range bounds {
		for _, to := range bounds {
			for _, descending := range []bool{false, true} {
				q.From, q.To, q.Descending = bound(from), bound(to), descending
				want := between(items, sort, q.From, q.To)
				if descending {
					slices.Reverse(want)
				}
				for _, limit := range []int{0, 1, 5} {
					q.Limit = limit
					name := fmt.Sprintf("from %q to %q descending %v limit %d", from, to, descending, limit)
					if diff := cmp.Diff(want, s.all(t, ctx, q)); diff != "" {
						t.Fatalf("%s (-want +got):\n%s", name, diff)
					}
				}
			}
		}
	}
}

func bound(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

func between(items []table.Item, sort string, from, to []byte) []table.Item {
	var some []table.Item
	for _, item := range items {
		key := item[sort].B
		if (from == nil || bytes.Compare(key, from) >= 0) && (to == nil || bytes.Compare(key, to) <= 0) {
			some = append(some, item)
		}
	}
	return some
}

func (s *suite) queryLarge(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	var items []table.Item
	for i := range 9 {
		body := bytes.Repeat([]byte{byte(i)}, 300<<10)
		items = append(items, recordItem(pk, string([]byte{1, byte(i)}), table.Item{"b": table.B(body)}))
	}
	s.put(t, ctx, records, items...)
	q := table.Query{Table: records, Partition: pk, Consistency: table.Strong}
	page, _, err := s.db.Query(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Items) == 0 || len(page.Items) > 4 || page.Next == nil {
		t.Errorf("first page has %d items of 300 KB, next %v", len(page.Items), page.Next != nil)
	}
	if diff := cmp.Diff(items, s.all(t, ctx, q)); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

func (s *suite) queryPartition(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	want := []table.Item{recordItem(pk, "a", nil), recordItem(pk, "b", nil)}
	s.put(t, ctx, records, want...)
	for _, other := range []string{pk + "a", pk + "\x00", pk[:len(pk)-1], "a" + pk} {
		s.put(t, ctx, records, recordItem(other, "a", nil), recordItem(other, "b", nil))
	}
	q := table.Query{Table: records, Partition: pk, Consistency: table.Strong}
	if diff := cmp.Diff(want, s.all(t, ctx, q)); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	q.Partition = pk + "absent"
	if got := s.all(t, ctx, q); len(got) != 0 {
		t.Errorf("%d items in a partition that is not there", len(got))
	}
}

func (s *suite) queryStrong(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	q := table.Query{Table: records, Partition: pk, Consistency: table.Strong}
	for i := range 20 {
		s.put(t, ctx, records, recordItem(pk, fmt.Sprintf("%03d", i), nil))
		if got := len(s.all(t, ctx, q)); got != i+1 {
			t.Fatalf("%d items, want %d", got, i+1)
		}
	}
	if _, _, err := s.db.Apply(ctx, table.Delete(record(pk, "007"))); err != nil {
		t.Fatal(err)
	}
	if got := len(s.all(t, ctx, q)); got != 19 {
		t.Errorf("%d items after the delete, want 19", got)
	}
}

func (s *suite) queryPlain(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	want := []table.Item{{"pk": table.S(pk), "x": table.N(1)}}
	s.put(t, ctx, plain, want...)
	q := table.Query{Table: plain, Partition: pk, Consistency: table.Strong}
	for _, descending := range []bool{false, true} {
		q.Descending = descending
		if diff := cmp.Diff(want, s.all(t, ctx, q)); diff != "" {
			t.Errorf("items (-want +got):\n%s", diff)
		}
	}
}

package tabletest

import (
	"fmt"
	"testing"

	"github.com/cairn-lrs/cairn/internal/table"
)

func (s *suite) testIndex(t *testing.T) {
	t.Run("ranges, directions and limits", s.indexRanges)
	t.Run("sparse, and projects what it should", s.indexSparse)
	t.Run("follows its item", s.indexFollows)
	t.Run("equal sort keys", s.indexEqualSorts)
}

func (s *suite) indexRanges(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	var entries []table.Item
	for i, sort := range sorts {
		entry := recordItem(pk, fmt.Sprint(i), table.Item{"kt": table.S(pk), "p": table.B([]byte(sort))})
		entries = append(entries, entry)
		item := recordItem(pk, fmt.Sprint(i), entry)
		item["b"] = table.S("not projected")
		s.put(t, ctx, records, item)
	}
	q := table.Query{Table: records, Index: byTime, Partition: pk}
	s.eventualItems(t, ctx, q, entries)
	s.checkRanges(t, ctx, q, entries, "p")
}

func (s *suite) indexSparse(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	t1 := table.SetOf([]byte("term"))
	common := table.Item{"t": t1, "n": table.N(1), "b": table.S("body")}
	with := func(sort string, more table.Item) table.Item {
		item := recordItem(pk, sort, common)
		for name, v := range more {
			item[name] = v
		}
		return item
	}
	position := table.B([]byte("0001"))
	s.put(t, ctx, records,
		with("no keys", nil),
		with("sort only", table.Item{"p": position}),
		with("partition only", table.Item{"kt": table.S(pk), "kc": table.S(pk)}),
		with("time", table.Item{"p": position, "kt": table.S(pk)}),
		with("color", table.Item{"p": position, "kc": table.S(pk)}),
	)
	s.eventualItems(t, ctx, table.Query{Table: records, Index: byTime, Partition: pk}, []table.Item{
		recordItem(pk, "time", table.Item{"p": position, "kt": table.S(pk), "t": t1}),
	})
	s.eventualItems(t, ctx, table.Query{Table: records, Index: byColor, Partition: pk}, []table.Item{
		recordItem(pk, "color", table.Item{"p": position, "kc": table.S(pk), "t": t1, "n": table.N(1)}),
	})
}

func (s *suite) indexFollows(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	ref := record(pk, "a")
	entry := recordItem(pk, "a", table.Item{"kt": table.S(pk), "p": table.B([]byte("1"))})
	q := table.Query{Table: records, Index: byTime, Partition: pk}
	s.put(t, ctx, records, entry)
	s.eventualItems(t, ctx, q, []table.Item{entry})

	steps := []struct {
		name    string
		actions []table.Action
		want    []table.Item
	}{
		{"a projected attribute comes", []table.Action{table.Add("t", table.SetOf([]byte("x")))},
			[]table.Item{recordItem(pk, "a", table.Item{"kt": table.S(pk), "p": table.B([]byte("1")), "t": table.SetOf([]byte("x"))})}},
		{"another does not", []table.Action{table.SetTo("b", table.S("body"))},
			[]table.Item{recordItem(pk, "a", table.Item{"kt": table.S(pk), "p": table.B([]byte("1")), "t": table.SetOf([]byte("x"))})}},
		{"the sort key moves", []table.Action{table.SetTo("p", table.B([]byte("2"))), table.Remove("t")},
			[]table.Item{recordItem(pk, "a", table.Item{"kt": table.S(pk), "p": table.B([]byte("2"))})}},
		{"a key goes", []table.Action{table.Remove("kt")}, nil},
		{"it comes back", []table.Action{table.SetTo("kt", table.S(pk))},
			[]table.Item{recordItem(pk, "a", table.Item{"kt": table.S(pk), "p": table.B([]byte("2"))})}},
		{"the partition key moves away", []table.Action{table.SetTo("kt", table.S(pk+"elsewhere"))}, nil},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			if _, _, err := s.db.Apply(ctx, table.Update(ref, step.actions)); err != nil {
				t.Fatal(err)
			}
			s.eventualItems(t, ctx, q, step.want)
		})
	}

	q.Partition = pk + "elsewhere"
	moved := recordItem(pk, "a", table.Item{"kt": table.S(q.Partition), "p": table.B([]byte("2"))})
	s.eventualItems(t, ctx, q, []table.Item{moved})
	if _, _, err := s.db.Apply(ctx, table.Delete(ref)); err != nil {
		t.Fatal(err)
	}
	s.eventualItems(t, ctx, q, nil)
}

func (s *suite) indexEqualSorts(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	const n = 7
	for i := range n {
		s.put(t, ctx, records, recordItem(pk, fmt.Sprint(i), table.Item{"kt": table.S(pk), "p": table.B([]byte("same"))}))
	}
	eventually(t, func() string {
		for _, limit := range []int{0, 1, 3} {
			seen := map[string]int{}
			for _, item := range s.all(t, ctx, table.Query{Table: records, Index: byTime, Partition: pk, Limit: limit}) {
				seen[string(item["sk"].B)]++
			}
			for i := range n {
				if seen[fmt.Sprint(i)] != 1 || len(seen) != n {
					return fmt.Sprintf("with limit %d the entries seen are %v, want each of %d once", limit, seen, n)
				}
			}
		}
		return ""
	})
}

package tabletest

import (
	"fmt"
	"testing"

	"github.com/cairn-lrs/cairn/internal/table"
)

func (s *suite) testBatch(t *testing.T) {
	t.Run("many puts and deletes of several tables", s.batchMany)
	t.Run("none", s.batchNone)
	t.Run("keeps the indexes", s.batchIndex)
}

func (s *suite) batchMany(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	const n = 300 // more than DynamoDB takes in one call
	var first, second []table.Write
	var refs []table.Ref
	var want []table.Item
	for i := range n {
		sort := fmt.Sprintf("%04d", i)
		item := recordItem(pk, sort, table.Item{"n": table.N(int64(i))})
		first = append(first, table.Put(records, item))
		refs = append(refs, record(pk, sort))
		switch i % 3 {
		case 0:
			second = append(second, table.Delete(record(pk, sort)))
			want = append(want, nil)
		case 1:
			item = recordItem(pk, sort, table.Item{"other": table.S("x")})
			second = append(second, table.Put(records, item))
			want = append(want, item)
		case 2:
			want = append(want, item)
		}
	}
	second = append(second, table.Put(plain, table.Item{"pk": table.S(pk)}), table.Delete(record(pk, "never there")))
	refs, want = append(refs, plainRef(pk)), append(want, table.Item{"pk": table.S(pk)})
	for _, ws := range [][]table.Write{first, second} {
		if _, err := s.db.Batch(ctx, ws); err != nil {
			t.Fatal(err)
		}
	}
	s.wantAll(t, ctx, refs, want)
}

func (s *suite) batchNone(t *testing.T) {
	cost, err := s.db.Batch(within(t), nil)
	if err != nil || cost.Read != 0 || cost.Write != 0 {
		t.Errorf("cost %v, error %v", cost, err)
	}
}

func (s *suite) batchIndex(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	entry := func(sort, position string) table.Item {
		return recordItem(pk, sort, table.Item{"kt": table.S(pk), "p": table.B([]byte(position))})
	}
	q := table.Query{Table: records, Index: byTime, Partition: pk}
	a, b := entry("a", "1"), entry("b", "2")
	if _, err := s.db.Batch(ctx, []table.Write{table.Put(records, a), table.Put(records, b)}); err != nil {
		t.Fatal(err)
	}
	s.eventualItems(t, ctx, q, []table.Item{a, b})
	a = entry("a", "3")
	if _, err := s.db.Batch(ctx, []table.Write{table.Put(records, a), table.Delete(record(pk, "b"))}); err != nil {
		t.Fatal(err)
	}
	s.eventualItems(t, ctx, q, []table.Item{a})
}

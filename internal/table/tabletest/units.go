package tabletest

import (
	"context"
	"testing"

	"github.com/cairn-lrs/cairn/internal/table"
)

// testUnits checks capacity units by explicit numbers. They are those of DynamoDB's published arithmetic, which
// DynamoDB Local reports too as far as they are tested here: its figures for transactions and for missing items are
// not DynamoDB's.
func (s *suite) testUnits(t *testing.T) {
	t.Run("writes", s.unitsOfWrites)
	t.Run("batches", s.unitsOfBatches)
	t.Run("reads", s.unitsOfReads)
	t.Run("queries", s.unitsOfQueries)
}

// bytesOf makes a binary that brings an item of that attribute alone to so many bytes.
func bytesOf(n int) table.Value { return table.B(make([]byte, n)) }

// sizedRecord makes a record of exactly so many bytes.
func sizedRecord(partition, sort string, size int, more table.Item) table.Item {
	item := recordItem(partition, sort, more)
	item["b"] = bytesOf(size - item.Size() - len("b"))
	return item
}

func (s *suite) unitsOfWrites(t *testing.T) {
	pk := s.partition(t)
	ref := record(pk, "a")
	keys := table.Item{"p": table.B([]byte("1")), "kt": table.S(pk), "kc": table.S(pk)}
	with := func(more table.Item) table.Item {
		item := table.Item{}
		for _, part := range []table.Item{keys, more} {
			for name, v := range part {
				item[name] = v
			}
		}
		return item
	}
	update := func(actions ...table.Action) table.Write { return table.Update(ref, actions) }
	tests := []struct {
		name   string
		before table.Item // nil: absent
		write  table.Write
		want   float64
	}{
		{"put", nil, table.Put(records, recordItem(pk, "a", nil)), 1},
		{"put of one unit", nil, table.Put(records, sizedRecord(pk, "a", 1024, nil)), 1},
		{"put of a byte more", nil, table.Put(records, sizedRecord(pk, "a", 1025, nil)), 2},
		{"put over a larger item", sizedRecord(pk, "a", 3000, nil), table.Put(records, recordItem(pk, "a", nil)), 3},
		{"put over a smaller item", recordItem(pk, "a", nil), table.Put(records, sizedRecord(pk, "a", 3000, nil)), 3},
		{"put over an equal item", recordItem(pk, "a", nil), table.Put(records, recordItem(pk, "a", nil)), 1},
		{"put with two index entries", nil, table.Put(records, recordItem(pk, "a", keys)), 3},
		{"put of a large item with small entries", nil, table.Put(records, sizedRecord(pk, "a", 5000, keys)), 7},
		{"put with large entries", nil, table.Put(records, recordItem(pk, "a", with(table.Item{"t": bytesOf(1000)}))), 6},
		{"put of an equal item with entries", recordItem(pk, "a", keys), table.Put(records, recordItem(pk, "a", keys)), 1},
		{"put takes the entries away", recordItem(pk, "a", keys), table.Put(records, recordItem(pk, "a", nil)), 3},
		{"put that changes what is not projected", recordItem(pk, "a", keys),
			table.Put(records, recordItem(pk, "a", with(table.Item{"x": table.N(1)}))), 1},

		{"update makes an item", nil, update(table.Add("n", table.N(1))), 1},
		{"update of a large item", sizedRecord(pk, "a", 3000, nil), update(table.Add("n", table.N(1))), 3},
		{"update shrinks an item", sizedRecord(pk, "a", 3000, nil), update(table.Remove("b")), 3},
		{"update of what is not projected", recordItem(pk, "a", keys), update(table.SetTo("x", table.N(1))), 1},
		{"update of what one index projects", recordItem(pk, "a", keys), update(table.SetTo("n", table.N(1))), 2},
		{"update of what two project", recordItem(pk, "a", keys), update(table.SetTo("t", table.N(1))), 3},
		{"update of a projected attribute to the same", recordItem(pk, "a", with(table.Item{"n": table.N(1)})),
			update(table.Add("n", table.N(0))), 1},
		{"update shrinks an entry", recordItem(pk, "a", with(table.Item{"n": bytesOf(2500)})), update(table.Remove("n")), 6},
		{"update moves two entries", recordItem(pk, "a", keys), update(table.SetTo("p", table.B([]byte("2")))), 5},
		{"update moves one entry", recordItem(pk, "a", keys), update(table.SetTo("kt", table.S(pk+"x"))), 3},
		{"update removes an entry", recordItem(pk, "a", keys), update(table.Remove("kc")), 2},
		{"update removes both entries", recordItem(pk, "a", keys), update(table.Remove("kc"), table.Remove("kt")), 3},
		{"update adds an entry", recordItem(pk, "a", table.Item{"p": table.B([]byte("1"))}), update(table.SetTo("kt", table.S(pk))), 2},

		{"delete", recordItem(pk, "a", nil), table.Delete(ref), 1},
		{"delete of a large item", sizedRecord(pk, "a", 3000, nil), table.Delete(ref), 3},
		{"delete with entries", sizedRecord(pk, "a", 3000, keys), table.Delete(ref), 5},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx := within(t)
			s.reset(t, ctx, ref, test.before)
			_, cost, err := s.db.Apply(ctx, test.write)
			if err != nil {
				t.Fatal(err)
			}
			wantCost(t, cost, 0, test.want)
		})
	}
}

// reset brings an item to a state.
func (s *suite) reset(t *testing.T, ctx context.Context, ref table.Ref, item table.Item) {
	t.Helper()
	if item != nil {
		s.put(t, ctx, ref.Table, item)
		return
	}
	if _, _, err := s.db.Apply(ctx, table.Delete(ref)); err != nil {
		t.Fatal(err)
	}
}

func wantCost(t *testing.T, got table.Cost, read, write float64) {
	t.Helper()
	if got.Read != read || got.Write != write {
		t.Errorf("cost %v reads and %v writes, want %v and %v", got.Read, got.Write, read, write)
	}
}

func (s *suite) unitsOfBatches(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	keys := table.Item{"p": table.B([]byte("1")), "kt": table.S(pk)}
	puts := []table.Write{
		table.Put(records, recordItem(pk, "a", nil)),          // 1
		table.Put(records, recordItem(pk, "b", keys)),         // 1 and an entry
		table.Put(records, sizedRecord(pk, "c", 2500, keys)),  // 3 and an entry
		table.Put(plain, table.Item{"pk": table.S(pk)}),       // 1
		table.Put(records, sizedRecord(pk, "d", 10_000, nil)), // 10
	}
	cost, err := s.db.Batch(ctx, puts)
	if err != nil {
		t.Fatal(err)
	}
	wantCost(t, cost, 0, 18)
	cost, err = s.db.Batch(ctx, []table.Write{
		table.Delete(record(pk, "b")),                // 1 and an entry
		table.Delete(record(pk, "d")),                // 10
		table.Put(records, recordItem(pk, "c", nil)), // 3, as before, and an entry that goes
		table.Put(records, recordItem(pk, "a", nil)), // 1
	})
	if err != nil {
		t.Fatal(err)
	}
	wantCost(t, cost, 0, 17)
}

func (s *suite) unitsOfReads(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	sizes := []struct {
		sort   string
		size   int
		strong float64
	}{
		{"small", 100, 1},
		{"one", 4096, 1},
		{"one more", 4097, 2},
		{"large", 100_000, 25},
	}
	var refs []table.Ref
	for _, test := range sizes {
		s.put(t, ctx, records, sizedRecord(pk, test.sort, test.size, nil))
		refs = append(refs, record(pk, test.sort))
		for _, c := range []table.Consistency{table.Strong, table.Eventual} {
			_, cost, err := s.db.Get(ctx, record(pk, test.sort), c)
			if err != nil {
				t.Fatal(err)
			}
			wantCost(t, cost, test.strong*factor(c), 0)
			_, cost, err = s.db.Select(ctx, []table.Ref{record(pk, test.sort)}, c, "absent")
			if err != nil {
				t.Fatal(err)
			}
			wantCost(t, cost, test.strong*factor(c), 0)
		}
	}
	for _, c := range []table.Consistency{table.Strong, table.Eventual} {
		_, cost, err := s.db.BatchGet(ctx, refs, c)
		if err != nil {
			t.Fatal(err)
		}
		wantCost(t, cost, 29*factor(c), 0)
	}
}

// factor is what a read costs in relation to a strong one.
func factor(c table.Consistency) float64 {
	if c == table.Strong {
		return 1
	}
	return 0.5
}

func (s *suite) unitsOfQueries(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	for _, sort := range []string{"1", "2", "3", "4", "5"} {
		keys := table.Item{"p": table.B([]byte(sort)), "kt": table.S(pk), "t": table.SetOf(make([]byte, 1100))}
		s.put(t, ctx, records, sizedRecord(pk, sort, 3000, keys))
	}
	strong := table.Query{Table: records, Partition: pk, Consistency: table.Strong}
	eventual := table.Query{Table: records, Partition: pk}
	index := table.Query{Table: records, Index: byTime, Partition: pk}
	eventually(t, func() string {
		if len(s.all(t, ctx, index)) < 5 || len(s.all(t, ctx, eventual)) < 5 {
			return "the items do not show"
		}
		return ""
	})
	rows := index
	rows.Only = []string{"p"}
	limited := strong
	limited.Limit = 2
	bounded := index
	bounded.From, bounded.To = []byte("2"), []byte("3")
	tests := []struct {
		name string
		q    table.Query
		want float64
	}{
		{"strong", strong, 4},                      // 15,000 bytes
		{"eventual", eventual, 2},                  // the same
		{"limited", limited, 2},                    // 6,000 bytes
		{"index", index, 1},                        // about 6,300 bytes: entries, not items
		{"rows of an index", rows, 1},              // the same, although they have less
		{"bounded part of an index", bounded, 0.5}, // about 2,500 bytes
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, cost, err := s.db.Query(ctx, test.q)
			if err != nil {
				t.Fatal(err)
			}
			wantCost(t, cost, test.want, 0)
		})
	}
}

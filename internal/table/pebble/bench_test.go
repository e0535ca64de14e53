package pebble_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// The benchmarks store items like Cairn's statements: about 900 bytes with five index entries that project ten terms,
// four entries in another table by Batch, and a change in the feed. They run on a real disk.

var benchSchemas = []table.Schema{
	{
		Name: "Statements", Partition: "pk", Stream: true,
		Indexes: []table.Index{
			{Name: "byTime", Partition: "kt", Sort: "p", Projects: []string{"t"}},
			{Name: "byAgent", Partition: "ka", Sort: "p", Projects: []string{"t"}},
			{Name: "byVerb", Partition: "kv", Sort: "p", Projects: []string{"t"}},
			{Name: "byActivity", Partition: "kc", Sort: "p", Projects: []string{"t"}},
			{Name: "byRegistration", Partition: "kr", Sort: "p", Projects: []string{"t"}},
		},
	},
	{Name: "Terms", Partition: "pk", Sort: "sk"},
}

// bench makes statements with rising positions.
type bench struct {
	db   *pebble.DB
	last atomic.Uint64
}

func openBench(b *testing.B) *bench {
	db, err := pebble.Open(b.TempDir(), benchSchemas, pebble.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	return &bench{db: db}
}

func statementKey(n uint64) string { return fmt.Sprintf("default#%08x-1111-4222-8333-444444444444", n) }

// statement makes the n-th statement and its entries.
func statement(n uint64) (table.Item, []table.Write) {
	random := rand.New(rand.NewPCG(n, 1))
	random16 := func(size int) []byte {
		value := make([]byte, size)
		for i := range value {
			value[i] = byte(random.Uint32())
		}
		return value
	}
	position := binary.BigEndian.AppendUint64(make([]byte, 8, 16), n)
	terms := make([][]byte, 10)
	for i := range terms {
		terms[i] = random16(12)
	}
	item := table.Item{
		"pk": table.S(statementKey(n)), "p": table.B(position), "b": table.B(random16(500)), "t": table.SetOf(terms...),
		"n": table.N(1), "kt": table.S("default#0"),
	}
	for i, name := range []string{"ka", "kv", "kc", "kr"} {
		item[name] = table.S(fmt.Sprintf("default#%016x", random.Uint64()%uint64(10*i+10)))
	}
	var entries []table.Write
	for kind := range 4 {
		entries = append(entries, table.Put("Terms", table.Item{
			"pk": table.S(fmt.Sprintf("default#%d#%014x", kind, random.Uint64()%1000)), "sk": table.B(position), "i": table.B(random16(16)),
		}))
	}
	return item, entries
}

// store puts size statements from n on: their entries by Batch, themselves by a Group, or by Apply when it is one.
func (b *bench) store(ctx context.Context, size int) error {
	var entries, puts []table.Write
	for range size {
		item, more := statement(b.last.Add(1))
		puts = append(puts, table.Put("Statements", item, table.Absent("pk")))
		entries = append(entries, more...)
	}
	if _, err := b.db.Batch(ctx, entries); err != nil {
		return err
	}
	if size == 1 {
		_, _, err := b.db.Apply(ctx, puts[0])
		return err
	}
	_, err := b.db.Group(ctx, "", puts)
	return err
}

func BenchmarkApply(b *testing.B) {
	s := openBench(b)
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := s.store(b.Context(), 1); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "statements/s")
}

func BenchmarkGroup(b *testing.B) {
	for _, size := range []int{10, 50, 100} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := openBench(b)
			b.ReportAllocs()
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := s.store(b.Context(), size); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "statements/s")
		})
	}
}

// filled opens a database with so many statements.
func filled(b *testing.B, size int) *bench {
	s := openBench(b)
	for range size / 100 {
		if err := s.store(b.Context(), 100); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

const filledSize = 30_000

func BenchmarkQuery(b *testing.B) {
	s := filled(b, filledSize)
	for name, only := range map[string][]string{"items": nil, "rows": {"pk", "p", "t"}} {
		b.Run(name, func(b *testing.B) {
			q := table.Query{Table: "Statements", Index: "byTime", Partition: "default#0", Descending: true, Limit: 100, Only: only}
			b.ReportAllocs()
			for b.Loop() {
				page, _, err := s.db.Query(b.Context(), q)
				if err != nil || len(page.Items)+len(page.Rows) != 100 {
					b.Fatal(len(page.Items), len(page.Rows), err)
				}
			}
		})
	}
}

// BenchmarkSelect is BenchmarkBatchGet of what a list of statements needs.
func BenchmarkSelect(b *testing.B) {
	s := filled(b, filledSize)
	refs := make([]table.Ref, 100)
	b.ReportAllocs()
	for b.Loop() {
		from := rand.Uint64N(filledSize-100) + 1
		for i := range refs {
			refs[i] = table.Ref{Table: "Statements", Key: table.Key{Partition: statementKey(from + uint64(i))}}
		}
		rows, _, err := s.db.Select(b.Context(), refs, table.Eventual, "p", "t", "b", "n")
		if err != nil || rows[99] == nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBatchGet(b *testing.B) {
	s := filled(b, filledSize)
	for _, c := range []table.Consistency{table.Eventual, table.Strong} {
		b.Run(map[table.Consistency]string{table.Eventual: "eventual", table.Strong: "strong"}[c], func(b *testing.B) {
			refs := make([]table.Ref, 100)
			b.ReportAllocs()
			for b.Loop() {
				from := rand.Uint64N(filledSize-100) + 1
				for i := range refs {
					refs[i] = table.Ref{Table: "Statements", Key: table.Key{Partition: statementKey(from + uint64(i))}}
				}
				items, _, err := s.db.BatchGet(b.Context(), refs, c)
				if err != nil || items[99] == nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package pebble

import (
	"fmt"
	"slices"
	"testing"

	engine "github.com/cockroachdb/pebble/v2"

	"github.com/cairn-lrs/cairn/internal/table"
)

// What was overwritten a thousand times, and lies in memory still, is read in few steps. Nothing is left out: not even what was
// written once, and what was deleted is not there.
func TestOverwrittenItemsAreNotSteppedOver(t *testing.T) {
	db := openTest(t, testSchemas(), Options{})
	const items, times = 40, 1000
	for n := range times {
		var writes []table.Write
		for i := range items {
			key := table.Key{Partition: "hot", Sort: fmt.Appendf(nil, "%02d", i)}
			switch {
			case i%4 == 3 && n > 0: // written once
			case i%4 == 1 && n == times-1:
				writes = append(writes, table.Delete(table.Ref{Table: things, Key: key}))
			default:
				writes = append(writes, table.Put(things, table.Item{"pk": table.S(key.Partition), "sk": table.B(key.Sort), "n": table.N(int64(n))}))
			}
		}
		if _, err := db.Batch(t.Context(), writes); err != nil {
			t.Fatal(err)
		}
	}
	var want []string
	for i := range items {
		switch i % 4 {
		case 0, 2:
			want = append(want, fmt.Sprintf("%02d %d", i, times-1))
		case 3:
			want = append(want, fmt.Sprintf("%02d 0", i))
		}
	}
	for _, descending := range []bool{false, true} {
		q := table.Query{Table: things, Partition: "hot", Descending: descending}
		page, _, err := db.Query(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, item := range page.Items {
			got = append(got, fmt.Sprintf("%s %d", item["sk"].B, item["n"].N))
		}
		if descending {
			slices.Reverse(got)
		}
		if !slices.Equal(got, want) {
			t.Errorf("descending %t: got %q, want %q", descending, got, want)
		}
	}

	r := db.rangeOf(&table.Query{Table: things, Partition: "hot"})
	iter, err := db.engine.NewIter(&engine.IterOptions{LowerBound: r.low, UpperBound: r.high})
	if err != nil {
		t.Fatal(err)
	}
	s := stepper{Iterator: iter}
	for ok := iter.First(); ok; {
		ok = s.forward()
	}
	stats := iter.Stats()
	const most = (items/4 + 2) * times // the versions of what was deleted, over which the engine steps by itself, and of the first
	if steps := stats.ForwardStepCount[engine.InternalIterCall]; steps > most {
		t.Errorf("%d steps over %d items with %d versions each, want %d at most", steps, items, times, most)
	}
	if err := iter.Close(); err != nil {
		t.Error(err)
	}
}

package tabletest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/table"
)

// testScan checks that the segments of a scan have every item once between them, however many segments there are.
func (s *suite) testScan(t *testing.T) {
	scanner, ok := s.db.(table.Scanner)
	if !ok {
		t.Fatal("the database cannot scan")
	}
	ctx, pk := within(t), s.partition(t)
	want := map[string]table.Item{}
	var puts []table.Write
	for i := range 60 {
		item := table.Item{"pk": table.S(fmt.Sprintf("%s/%d", pk, i)), "b": table.B(make([]byte, 50<<10))} // pages of 1 MB
		want[item["pk"].S] = item
		puts = append(puts, table.Put(plain, item))
	}
	if _, err := s.db.Batch(ctx, puts); err != nil {
		t.Fatal(err)
	}
	for _, of := range []int{1, 2, 5} {
		t.Run(fmt.Sprintf("%d segments", of), func(t *testing.T) {
			got := map[string]table.Item{}
			for segment := range of {
				var after table.Cursor
				for {
					page, _, err := scanner.Scan(ctx, plain, segment, of, after)
					if err != nil {
						t.Fatal(err)
					}
					for _, item := range page.Items {
						key := item["pk"].S
						if _, ours := want[key]; !ours {
							continue
						}
						if _, twice := got[key]; twice {
							t.Errorf("%s came twice", key)
						}
						got[key] = item
					}
					if after = page.Next; after == nil {
						break
					}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
		})
	}
	for _, segment := range []int{-1, 2, 3} {
		_, _, err := scanner.Scan(ctx, plain, segment, 2, nil)
		wantError(t, err, table.ErrInvalid)
	}
}

package table_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/cairn-lrs/cairn/internal/table"
)

// pagedDB answers a query and a scan with the same pages, the second of which is empty, and then, if it is set, with an error.
type pagedDB struct {
	table.DB
	err   error
	calls int
}

var pagesOfItems = [][]string{{"a", "b"}, nil, {"c"}}

func (p *pagedDB) page(after table.Cursor) (table.Page, table.Cost, error) {
	n := p.calls
	p.calls++
	if n == len(pagesOfItems) {
		return table.Page{}, table.Cost{}, p.err
	}
	if n > 0 && !slices.Equal(after, table.Cursor{byte(n)}) {
		return table.Page{}, table.Cost{}, errors.New("another page was asked for")
	}
	var page table.Page
	for _, text := range pagesOfItems[n] {
		page.Items = append(page.Items, table.Item{"pk": table.S(text)})
	}
	if n+1 < len(pagesOfItems) || p.err != nil {
		page.Next = table.Cursor{byte(n + 1)}
	}
	return page, table.Cost{}, nil
}

func (p *pagedDB) Query(_ context.Context, q table.Query) (table.Page, table.Cost, error) {
	return p.page(q.After)
}

func (p *pagedDB) Scan(_ context.Context, _ string, _, _ int, after table.Cursor) (table.Page, table.Cost, error) {
	return p.page(after)
}

func TestItems(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name  string
		err   error
		most  int // items that the caller takes
		want  []string
		calls int
	}{
		{"to the end", nil, 10, []string{"a", "b", "c"}, 3},
		{"to an error", broken, 10, []string{"a", "b", "c"}, 4},
		{"no further than is asked for", broken, 2, []string{"a", "b"}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			queried, scanned := &pagedDB{err: tt.err}, &pagedDB{err: tt.err}
			query := table.Items(table.QueryPages(t.Context(), queried, table.Query{}))
			scan := table.Items(table.ScanPages(t.Context(), scanned, "T", 0, 1))
			for way, items := range map[string]func(func(table.Item, error) bool){"query": query, "scan": scan} {
				var got []string
				var failed error
				for item, err := range items {
					if err != nil {
						failed = err
						continue
					}
					if got = append(got, item["pk"].S); len(got) == tt.most {
						break
					}
				}
				wantErr := tt.err
				if tt.most <= len(tt.want) {
					wantErr = nil
				}
				if !slices.Equal(got, tt.want) || !errors.Is(failed, wantErr) {
					t.Errorf("%s: %v, error %v, want %v, %v", way, got, failed, tt.want, wantErr)
				}
			}
			if queried.calls != tt.calls || scanned.calls != tt.calls {
				t.Errorf("%d queries and %d scans, want %d", queried.calls, scanned.calls, tt.calls)
			}
		})
	}
}

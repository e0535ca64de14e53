package table

import (
	"context"
	"fmt"
	"iter"
	"strings"
)

// QueryPages yields the pages of a query to its end. An error is the last that is yielded.
func QueryPages(ctx context.Context, db DB, q Query) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		for {
			page, _, err := db.Query(ctx, q)
			if err != nil {
				yield(Page{}, fmt.Errorf("query %s: %w", strings.TrimSuffix(q.Table+"."+q.Index, "."), err))
				return
			}
			if !yield(page, nil) || page.Next == nil {
				return
			}
			q.After = page.Next
		}
	}
}

// ScanPages yields the pages of one segment of a table to its end. An error is the last that is yielded.
func ScanPages(ctx context.Context, scanner Scanner, table string, segment, of int) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		var after Cursor
		for {
			page, _, err := scanner.Scan(ctx, table, segment, of, after)
			if err != nil {
				yield(Page{}, fmt.Errorf("scan %s: %w", table, err))
				return
			}
			if !yield(page, nil) || page.Next == nil {
				return
			}
			after = page.Next
		}
	}
}

// Items yields the items of pages one by one. An error is the last that is yielded.
func Items(pages iter.Seq2[Page, error]) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		for page, err := range pages {
			if err != nil {
				yield(nil, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}

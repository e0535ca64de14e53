package rollup

import (
	"context"
	"encoding/json/v2"
	"fmt"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// The differences that a rebuild finds lie in Checkpoints, in pages that count from 0, until the next rebuild begins: so each is
// told whoever asks, and whichever process found it.

// differencesPage is how many differences a page has at most, some 20 KB.
const differencesPage = 100

func differencesRef(page int) table.Ref {
	return table.Ref{Table: schema.Checkpoints, Key: table.Key{Partition: fmt.Sprintf("rebuild#differences#%d", page)}}
}

// foundDifferences puts the differences of one store down as they are found.
type foundDifferences struct {
	tables table.DB
	page   int // the next one
	open   []Difference
}

func (f *foundDifferences) add(ctx context.Context, d Difference) error {
	if f.open = append(f.open, d); len(f.open) < differencesPage {
		return nil
	}
	return f.flush(ctx)
}

// flush ends the page.
func (f *foundDifferences) flush(ctx context.Context) error {
	if len(f.open) == 0 {
		return nil
	}
	text, err := json.Marshal(f.open)
	if err != nil {
		return fmt.Errorf("encode differences: %w", err)
	}
	ref := differencesRef(f.page)
	item := table.Item{schema.PK: table.S(ref.Key.Partition), schema.Sequence: table.S(string(text))}
	if _, _, err := f.tables.Apply(ctx, table.Put(ref.Table, item)); err != nil {
		return fmt.Errorf("write differences: %w", err)
	}
	f.page, f.open = f.page+1, f.open[:0]
	return nil
}

// Differences returns a page of what the newest rebuild found. Progress tells how many pages there are.
func Differences(ctx context.Context, tables table.DB, page int) ([]Difference, error) {
	item, _, err := tables.Get(ctx, differencesRef(page), table.Strong)
	if err != nil || item == nil {
		return nil, err
	}
	var found []Difference
	if err := json.Unmarshal([]byte(item[schema.Sequence].S), &found); err != nil {
		return nil, fmt.Errorf("read differences: %w", err)
	}
	return found, nil
}

// forgetDifferences deletes what the rebuild before found, the last page first: a kill leaves no hole behind which pages stay for
// ever.
func forgetDifferences(ctx context.Context, tables table.DB) error {
	pages := 0
	for {
		item, _, err := tables.Get(ctx, differencesRef(pages), table.Strong)
		if err != nil {
			return fmt.Errorf("read differences: %w", err)
		}
		if item == nil {
			break
		}
		pages++
	}
	for page := pages - 1; page >= 0; page-- {
		if _, _, err := tables.Apply(ctx, table.Delete(differencesRef(page))); err != nil {
			return fmt.Errorf("forget differences: %w", err)
		}
	}
	return nil
}

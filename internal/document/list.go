package document

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// List is the ids of an owner's documents.
type List struct {
	IDs     []string  // each once, sorted by their bytes
	Updated time.Time // of the document that was updated last; zero for none
}

// List returns the ids of the owner's documents that were updated after since (the zero time: of all). Without a
// registration it covers the documents of every registration and those of none. It sees every write before it, and is
// refused with ErrList when there are too many. Source: xAPI 1.0.3 Communication 2.3, 2.6, 2.7, "Multiple Document GET".
func (s *Service) List(ctx context.Context, o Owner, registration string, since time.Time) (List, error) {
	seen, size := map[string]bool{}, 0
	var list List
	err := s.eachPage(ctx, o, registration, func(items []table.Item) error {
		for _, item := range items {
			updated := time.Unix(0, item[schema.Updated].N).UTC()
			if !since.IsZero() && !updated.After(since) {
				continue
			}
			id, err := idOf(item[schema.SK].B)
			if err != nil {
				return err
			}
			if updated.After(list.Updated) {
				list.Updated = updated
			}
			if seen[id] {
				continue
			}
			seen[id] = true
			list.IDs = append(list.IDs, id)
			if size += len(id); len(list.IDs) > MaxList || size > MaxListSize {
				return ErrList
			}
		}
		return nil
	})
	if err != nil {
		return List{}, err
	}
	slices.Sort(list.IDs)
	return list, nil
}

// eachPage reads the owner's documents, strongly consistent, one page of at most 1 MB after the other. Inline contents
// are read with them: an id without its document would be a second item, and every write would pay for it.
func (s *Service) eachPage(ctx context.Context, o Owner, registration string, f func([]table.Item) error) error {
	q := table.Query{Table: schema.Documents, Partition: o.partition(), Consistency: table.Strong}
	if registration != "" {
		prefix, err := sortPrefix(registration)
		if err != nil {
			return err
		}
		const aboveUTF8 = 0xff // no id begins with this byte
		q.From, q.To = prefix, append(slices.Clone(prefix), aboveUTF8)
	}
	for page, err := range table.QueryPages(ctx, s.Tables, q) {
		if err != nil {
			return fmt.Errorf("list documents: %w", err)
		}
		if err := f(page.Items); err != nil {
			return err
		}
	}
	return nil
}

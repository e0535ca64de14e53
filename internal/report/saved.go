package report

import (
	"context"
	"encoding/json/jsontext"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Saved is a question of one's own under a name.
type Saved struct {
	Name    string         `json:"name"`
	Query   jsontext.Value `json:"query"`
	SavedAt time.Time      `json:"savedAt"`
}

// maxSaved bounds what a store may save.
const maxSaved = 500

var savedName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// checkName holds the names of saved queries and KPIs to what can stand in a path as it is.
func checkName(name string) error {
	if !savedName.MatchString(name) {
		return invalid("name", "a name has 1 to 64 lower-case letters, digits, - and _, and begins with a letter or digit")
	}
	return nil
}

func savedRef(store auth.Store, name string) table.Ref {
	return table.Ref{Table: schema.Rollups, Key: table.Key{Partition: store.ID + schema.SavedQueries, Sort: []byte(name)}}
}

// Saved lists the saved queries by name.
func (s *Service) Saved(ctx context.Context, store auth.Store) ([]Saved, error) {
	var all []Saved
	for item, err := range s.items(ctx, store.ID+schema.SavedQueries) {
		if err != nil {
			return nil, err
		}
		all = append(all, savedOf(item))
	}
	return all, nil
}

func savedOf(item table.Item) Saved {
	return Saved{Name: string(item[schema.SK].B), Query: jsontext.Value(item[schema.Body].B), SavedAt: time.UnixMilli(item[schema.When].N).UTC()}
}

// SavedQuery returns one of them.
func (s *Service) SavedQuery(ctx context.Context, store auth.Store, name string) (Saved, error) {
	if err := checkName(name); err != nil {
		return Saved{}, err
	}
	item, _, err := s.Tables.Get(ctx, savedRef(store, name), table.Strong)
	if err != nil {
		return Saved{}, fmt.Errorf("read saved query: %w", err)
	}
	if item == nil {
		return Saved{}, notFound("there is no saved query %q", name)
	}
	return savedOf(item), nil
}

// Save keeps a query under a name, in place of the one that had it.
func (s *Service) Save(ctx context.Context, store auth.Store, name string, query []byte) error {
	if err := checkName(name); err != nil {
		return err
	}
	q, err := ParseCustom(query)
	if err != nil {
		return err
	}
	if err := q.checkStore(store); err != nil {
		return err
	}
	have, err := s.Saved(ctx, store)
	if err != nil {
		return err
	}
	if len(have) >= maxSaved && !slices.ContainsFunc(have, func(q Saved) bool { return q.Name == name }) {
		return invalid("", "a store has at most %d saved queries: delete one", maxSaved)
	}
	item := s.row(savedRef(store, name), query)
	if _, _, err := s.Tables.Apply(ctx, table.Put(schema.Rollups, item)); err != nil {
		return fmt.Errorf("save query: %w", err)
	}
	return nil
}

// DeleteSaved forgets a saved query.
func (s *Service) DeleteSaved(ctx context.Context, store auth.Store, name string) error {
	if _, err := s.SavedQuery(ctx, store, name); err != nil {
		return err
	}
	if _, _, err := s.Tables.Apply(ctx, table.Delete(savedRef(store, name))); err != nil {
		return fmt.Errorf("delete saved query: %w", err)
	}
	return nil
}

// row is an item with a body.
func (s *Service) row(ref table.Ref, body []byte) table.Item {
	return table.Item{
		schema.PK: table.S(ref.Key.Partition), schema.SK: table.B(ref.Key.Sort),
		schema.Body: table.B(body), schema.When: table.N(s.Now().UnixMilli()),
	}
}

// items yields the items of a partition of the rollups.
func (s *Service) items(ctx context.Context, partition string) iter.Seq2[table.Item, error] {
	return table.Items(table.QueryPages(ctx, s.Tables, table.Query{Table: schema.Rollups, Partition: partition, Consistency: table.Strong}))
}

package lrs

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// The canonical definition of an activity is merged from all statements that brought one: see xapi.Canonical for the
// merge, merge.go for how it is kept.

func activityRef(store auth.Store, id string) table.Ref {
	return table.Ref{Table: schema.Activities, Key: table.Key{Partition: newTerm(store, activityNameKind, id).partition(store.ID, 0)}}
}

// definitions are what statements bring for one activity.
type definitions struct {
	activity table.Ref
	packing  packing
	brought  []definition
}

// definition is one activity definition that a statement brought.
type definition struct {
	json     []byte
	position position.Position // of the statement
}

func (c contributions) addDefinition(a *xapi.Activity, at position.Position) {
	if a.Definition == nil {
		return
	}
	d := c.activities[a.ID]
	if d == nil {
		d = &definitions{activity: activityRef(c.store, a.ID), packing: c.packing}
		c.activities[a.ID] = d
	}
	d.brought = append(d.brought, definition{a.Definition, at})
}

func (d *definitions) ref() table.Ref { return d.activity }

func (d *definitions) own() contribution {
	all := &definitions{activity: d.activity, packing: d.packing, brought: slices.Clone(d.brought)}
	for i := range all.brought {
		all.brought[i].json = bytes.Clone(all.brought[i].json)
	}
	return all
}

// join keeps of each definition the first and the last statement that brought it: those between them change nothing more.
func (d *definitions) join(other contribution) contribution {
	all := slices.Concat(d.brought, other.(*definitions).brought)
	slices.SortStableFunc(all, func(a, b definition) int { return a.position.Compare(b.position) })
	kept := make([]definition, 0, len(all))
	for i, b := range all {
		same := func(o definition) bool { return bytes.Equal(o.json, b.json) }
		if !slices.ContainsFunc(all[:i], same) || !slices.ContainsFunc(all[i+1:], same) {
			kept = append(kept, b)
		}
	}
	return &definitions{activity: d.activity, packing: d.packing, brought: kept}
}

func (d *definitions) size() (pieces, bytes int) {
	for _, b := range d.brought {
		bytes += len(b.json)
	}
	return len(d.brought), bytes
}

func (d *definitions) marks(hash func(piece ...[]byte) uint64) []uint64 {
	marks := make([]uint64, len(d.brought))
	for i, b := range d.brought {
		marks[i] = hash(b.json)
	}
	return marks
}

func (d *definitions) merge(stored table.Item) (next table.Item, settled bool, err error) {
	var canonical xapi.Canonical
	if stored != nil {
		if err := decodeDefinition(stored, &canonical); err != nil {
			return nil, false, err
		}
	}
	changed := false
	for _, b := range d.brought {
		c, err := canonical.Merge(b.json, b.position)
		if err != nil {
			return nil, false, err
		}
		changed = changed || c
	}
	var encoded []byte
	if changed {
		var err error
		if encoded, err = canonical.MarshalBinary(); err != nil {
			return nil, false, fmt.Errorf("encode definition: %w", err)
		}
	}
	settled = true
	for _, b := range d.brought { // where another one counts, bringing this one once more would change it
		again, err := canonical.Merge(b.json, xapi.Latest)
		settled = settled && err == nil && !again
	}
	if !changed {
		return nil, settled, nil
	}
	packed, err := pack(d.packing, encoded)
	if err != nil {
		return nil, false, err
	}
	if len(packed) > maxDefinition {
		return nil, false, nil // the definition stays as it was: it has grown past what a reader can use
	}
	return table.Item{schema.Definition: table.B(packed)}, settled, nil
}

// maxDefinition bounds a packed canonical definition, in bytes.
const maxDefinition = 380_000

func decodeDefinition(item table.Item, into *xapi.Canonical) error {
	encoded, err := unpack(item[schema.Definition].B)
	if err != nil {
		return fmt.Errorf("read definition: %w", err)
	}
	if err := into.UnmarshalBinary(encoded); err != nil {
		return fmt.Errorf("read definition: %w", err)
	}
	return nil
}

// Definitions returns the canonical definitions (JSON) of those activities that have one. It sees every write before it.
func (s *Service) Definitions(ctx context.Context, p auth.Principal, activityIDs []string) (map[string][]byte, error) {
	refs := make([]table.Ref, len(activityIDs))
	for i, id := range activityIDs {
		refs[i] = activityRef(p.Store, id)
	}
	items, err := s.mergedItems(ctx, refs)
	if err != nil {
		return nil, unavailable("the activities could not be read", err)
	}
	definitions := make(map[string][]byte, len(items))
	for i, item := range items {
		if item == nil {
			continue
		}
		var canonical xapi.Canonical
		if err := decodeDefinition(item, &canonical); err != nil {
			return nil, err
		}
		definitions[activityIDs[i]] = canonical.JSON()
	}
	return definitions, nil
}

package lrs

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// A person is one identifier with the names that statements brought for it. An mbox and its mbox_sha1sum are the same
// person; that two other identifiers are one can only be told by somebody, never seen in statements. Of several names
// each has the position of the first statement that brought it, which orders them; see merge.go for how they are kept.

// Bounds of what is recorded for one person.
const (
	maxNames     = 100   // names; those that came first stay
	maxNameBytes = 1_000 // bytes of a name; longer ones are not recorded
)

func personRef(store auth.Store, ifi xapi.IFI) table.Ref {
	return table.Ref{Table: schema.Persons, Key: table.Key{Partition: newTerm(store, personKind, ifi.Hashed().Key()).partition(store.ID, 0)}}
}

// names are what statements bring for one person.
type names struct {
	person  table.Ref
	brought []named
}

// named is a name with the position of a statement that brought it. Sorted, names stand in the order in which they came.
type named struct {
	position position.Position
	name     string
}

func (c contributions) addName(a *xapi.Actor, at position.Position) {
	if a.Name == "" || len(a.Name) > maxNameBytes || a.IFI == (xapi.IFI{}) {
		return
	}
	identifier := a.IFI.Hashed()
	n := c.persons[identifier]
	if n == nil {
		n = &names{person: personRef(c.store, identifier)}
		c.persons[identifier] = n
	}
	n.brought = append(n.brought, named{at, a.Name})
}

func (n *names) ref() table.Ref { return n.person }

func (n *names) own() contribution {
	all := &names{person: n.person, brought: slices.Clone(n.brought)}
	for i := range all.brought {
		all.brought[i].name = strings.Clone(all.brought[i].name)
	}
	return all
}

// join keeps of each name the first statement that brought it.
func (n *names) join(other contribution) contribution {
	all := &names{person: n.person}
	for name, at := range firstOf(slices.Concat(n.brought, other.(*names).brought)) {
		all.brought = append(all.brought, named{at, name})
	}
	return all
}

func (n *names) size() (pieces, bytes int) {
	for _, b := range n.brought {
		bytes += len(b.name)
	}
	return len(n.brought), bytes
}

// firstOf gives the first position of each name.
func firstOf(all []named) map[string]position.Position {
	first := make(map[string]position.Position, len(all))
	for _, b := range all {
		if at, known := first[b.name]; !known || b.position.Compare(at) < 0 {
			first[b.name] = b.position
		}
	}
	return first
}

func (n *names) marks(hash func(piece ...[]byte) uint64) []uint64 {
	marks := make([]uint64, len(n.brought))
	for i, b := range n.brought {
		marks[i] = hash([]byte(b.name))
	}
	return marks
}

func (n *names) merge(stored table.Item) (next table.Item, settled bool, err error) {
	first := firstOf(slices.Concat(namesOf(stored), n.brought))
	members := make([][]byte, 0, len(first))
	for name, at := range first {
		members = append(members, append(at[:], name...))
	}
	slices.SortFunc(members, bytes.Compare)
	value := table.SetOf(members[:min(len(members), maxNames)]...)
	if value.Equal(stored[schema.Names]) {
		return nil, true, nil
	}
	return table.Item{schema.Names: value}, true, nil
}

// namesOf reads the names of an item of Persons, in the order in which they came.
func namesOf(item table.Item) []named {
	var all []named
	for _, member := range table.SortedSet(item[schema.Names].Set) {
		at := position.Position{}
		all = append(all, named{at, string(member[copy(at[:], member):])})
	}
	return all
}

// Names returns the names that statements brought for the identifier, the one that was new last first, at most 100. It
// sees every write before it. Source: xAPI 1.0.3 Communication 2.4.
func (s *Service) Names(ctx context.Context, p auth.Principal, identifier xapi.IFI) ([]string, error) {
	items, err := s.mergedItems(ctx, []table.Ref{personRef(p.Store, identifier)})
	if err != nil {
		return nil, unavailable("the agent's names could not be read", err)
	}
	var names []string
	for _, n := range slices.Backward(namesOf(items[0])) {
		names = append(names, n.name)
	}
	return names, nil
}

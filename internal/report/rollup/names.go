package rollup

import (
	"context"
	"encoding/json/jsontext"
	"fmt"
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// nameSeen is what events say of a hash.
type nameSeen struct {
	verb    bool
	iri     string
	display string // JSON language map
	typ     string
	kinds   uint32 // bit set of fact.Kind
}

// with adds what another event says; what was said first stays.
func (n nameSeen) with(m nameSeen) nameSeen {
	if n.iri == "" {
		n.iri, n.verb = m.iri, m.verb
	}
	if n.display == "" {
		n.display = m.display
	}
	if n.typ == "" {
		n.typ = m.typ
	}
	n.kinds |= m.kinds
	return n
}

// adds reports whether m says anything that n does not.
func (n nameSeen) adds(m nameSeen) bool { return n.with(m) != n }

// namesKnown remembers which names are stored, so that a warm process writes each once.
type namesKnown struct {
	known map[namedHash]nameSeen
}

type namedHash struct {
	space
	hash fact.Hash
}

// maxNamesKnown bounds the memory; when it is reached all are forgotten, which costs reads.
const maxNamesKnown = 50_000

func newNamesKnown() *namesKnown { return &namesKnown{known: map[namedHash]nameSeen{}} }

func nameRef(s space, hash fact.Hash) table.Ref {
	return table.Ref{Table: schema.Rollups, Key: table.Key{Partition: s.partition(nameRows), Sort: slices.Clone(hash[:])}}
}

// putNames writes the names that are not stored yet, before anything that needs them. Every activity that a bucket or an
// index row is of has one, so they list what there is.
func (r *foldRun) putNames(ctx context.Context, s space, seen map[fact.Hash]nameSeen) error {
	var unknown []fact.Hash
	for hash, n := range seen {
		if known, ok := r.names.known[namedHash{s, hash}]; !ok || known.adds(n) {
			unknown = append(unknown, hash)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.SortFunc(unknown, func(a, b fact.Hash) int { return slices.Compare(a[:], b[:]) })
	refs := make([]table.Ref, len(unknown))
	for i, hash := range unknown {
		refs[i] = nameRef(s, hash)
	}
	items, _, err := r.Tables.BatchGet(ctx, refs, table.Eventual)
	if err != nil {
		return fmt.Errorf("read names: %w", err)
	}
	if len(r.names.known)+len(unknown) > maxNamesKnown {
		clear(r.names.known)
	}
	for i, hash := range unknown {
		stored := nameOf(items[i])
		if items[i] == nil || stored.adds(seen[hash]) {
			if err := r.putName(ctx, refs[i], stored, seen[hash]); err != nil {
				return err
			}
		}
		r.names.known[namedHash{s, hash}] = stored.with(seen[hash])
	}
	return nil
}

// putName adds to a name what it lacks. Two who do so at once leave the words of either, and the kinds of both.
func (r *foldRun) putName(ctx context.Context, ref table.Ref, stored, seen nameSeen) error {
	all := stored.with(seen)
	actions := []table.Action{table.SetTo(schema.IRI, table.S(all.iri))}
	if all.verb {
		actions = append(actions, table.SetTo(schema.IsVerb, table.N(1)))
	}
	if all.display != "" {
		actions = append(actions, table.SetTo(schema.Display, table.S(all.display)))
	}
	if all.typ != "" {
		actions = append(actions, table.SetTo(schema.Type, table.S(all.typ)))
	}
	if kinds := kindSet(all.kinds); kinds != nil {
		actions = append(actions, table.Add(schema.Kinds, table.SetOf(kinds...)))
	}
	for try := 1; ; try++ {
		_, _, err := r.Tables.Apply(ctx, table.Update(ref, actions))
		if err == nil {
			r.wrote = true
			return nil
		}
		if !table.Retryable(err) {
			return fmt.Errorf("write name: %w", err)
		}
		if err := table.Pause(ctx, try); err != nil {
			return err
		}
	}
}

// kindSet has one byte for each kind but KindOther, which says nothing.
func kindSet(kinds uint32) (set [][]byte) {
	for k := fact.KindOther + 1; k < 32; k++ {
		if kinds&(1<<k) != 0 {
			set = append(set, []byte{byte(k)})
		}
	}
	return set
}

// nameOf reads a row of names; the zero nameSeen when there is none.
func nameOf(item table.Item) nameSeen {
	n := nameSeen{verb: item[schema.IsVerb].N == 1, iri: item[schema.IRI].S, display: item[schema.Display].S, typ: item[schema.Type].S}
	for _, k := range item[schema.Kinds].Set {
		if len(k) == 1 && k[0] < 32 {
			n.kinds |= 1 << k[0]
		}
	}
	return n
}

func (n nameSeen) export(hash fact.Hash) Name {
	name := Name{Hash: hash, Verb: n.verb, IRI: n.iri, Display: jsontext.Value(n.display), Type: n.typ}
	for _, k := range kindSet(n.kinds) {
		name.Kinds = append(name.Kinds, fact.Kind(k[0]))
	}
	return name
}

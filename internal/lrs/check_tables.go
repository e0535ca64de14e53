package lrs

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// place is a primary key as text.
type place struct{ partition, sort string }

func placeOf(item table.Item) place { return place{item[schema.PK].S, string(item[schema.SK].B)} }

// entries compares Terms with what the statements say.
func (c *Check) entries(ctx context.Context) error {
	want := map[place]*node{}
	for _, n := range c.nodes {
		if n.voided {
			continue // its entries are dropped on read, so they need not be there
		}
		for _, e := range termEntries(n.record, slices.Concat(n.derived.entries(), inherited(n.effective(), n.derived.all))) {
			want[placeOf(e.Item)] = n
		}
	}
	for item, err := range scanned(ctx, c.Scanner, schema.Terms) {
		if err != nil {
			return err
		}
		c.Summary.Entries++
		at := placeOf(item)
		if n := want[at]; n != nil && bytes.Equal(item[schema.StatementID].B, n.id[:]) {
			delete(want, at)
			continue
		}
		store, _, _ := strings.Cut(at.partition, "#")
		id := item[schema.StatementID].B
		if len(id) != len(statementID{}) {
			c.differs(store, "", ExtraEntry, "an entry of Terms names no statement")
			continue
		}
		n := c.nodes[store+"#"+statementID(id).String()]
		if n == nil || string(n.position[:]) != at.sort || n.voided {
			c.Summary.Garbage++
			continue
		}
		c.differs(store, n.id.String(), ExtraEntry, "Terms lists it under a term that it does not have")
	}
	for at, n := range want {
		c.differs(n.store, n.id.String(), MissingEntry, "Terms does not list it in partition %s", at.partition)
	}
	return nil
}

// references compares References with what the statements refer to.
func (c *Check) references(ctx context.Context) error {
	want := map[place]*node{}
	for _, n := range c.nodes {
		if n.refers == (statementID{}) {
			continue
		}
		for _, e := range referenceEntries(n.record) {
			want[placeOf(e.Item)] = n
		}
	}
	for item, err := range scanned(ctx, c.Scanner, schema.References) {
		if err != nil {
			return err
		}
		c.Summary.References++
		at := placeOf(item)
		if want[at] == nil {
			c.Summary.Garbage++
		}
		delete(want, at)
	}
	for _, n := range want {
		c.differs(n.store, n.id.String(), MissingReference, "its reference to %s is not recorded", n.refers)
	}
	return nil
}

// indexes reads every partition of every index that should have entries, and compares them.
func (c *Check) indexes(ctx context.Context) error {
	type partition struct{ index, key string }
	want := map[partition]map[string]*node{}
	for _, n := range c.nodes {
		if n.voided {
			continue
		}
		for attr, key := range n.indexKeys() {
			p := partition{indexByAttribute[attr], key}
			if want[p] == nil {
				want[p] = map[string]*node{}
			}
			want[p][string(n.position[:])] = n
		}
	}
	for p, nodes := range want {
		q := table.Query{Table: schema.Statements, Index: p.index, Partition: p.key}
		for item, err := range table.Items(table.QueryPages(ctx, c.Tables, q)) {
			if err != nil {
				return err
			}
			c.Summary.IndexEntries++
			c.indexEntry(p.index, item, nodes)
		}
		for _, n := range nodes {
			c.differs(n.store, n.id.String(), MissingEntry, "%s does not list it", p.index)
		}
	}
	return nil
}

// indexEntry compares one index entry and takes it out of those that are still wanted.
func (c *Check) indexEntry(index string, item table.Item, nodes map[string]*node) {
	at := string(item[schema.Position].B)
	n := nodes[at]
	delete(nodes, at)
	store, id, err := splitStatementKey(item[schema.PK].S)
	switch {
	case err != nil:
		c.differs("", "", ExtraEntry, "%s: %v", index, err)
	case n == nil || n.id != id:
		c.differs(store, id.String(), ExtraEntry, "%s lists a statement that is not there", index)
	case len(item[schema.EffectiveTerms].Set) != len(n.termList):
		c.differs(store, id.String(), WrongTerms, "%s carries %d of its %d terms", index, len(item[schema.EffectiveTerms].Set), len(n.termList))
	}
}

// indexByAttribute names the index by its key attribute.
var indexByAttribute = map[string]string{
	schema.TimeKey: schema.ByTime, schema.AgentKey: schema.ByAgent, schema.VerbKey: schema.ByVerb,
	schema.ActivityKey: schema.ByActivity, schema.RegistrationKey: schema.ByRegistration,
}

package rollup

import (
	"context"
	"slices"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// plantedFaults are mistakes of the protocol, each made between the Folders and their tables.
var plantedFaults = map[string]func(table.DB) table.DB{
	"the ledger is written outside the group":  func(db table.DB) table.DB { return ledgerApart{db} },
	"the condition on the version is dropped":  func(db table.DB) table.DB { return unconditional{db} },
	"a fact that is there is folded once more": func(db table.DB) table.DB { return forgetful{db} },
	"what was counted is not taken back":       func(db table.DB) table.DB { return neverLess{db} },
	"a tombstone is not kept":                  func(db table.DB) table.DB { return noTombs{db} },
	"a lost reply is taken for done":           func(db table.DB) table.DB { return hopeful{db} },
}

type ledgerApart struct{ table.DB }

func (d ledgerApart) Group(ctx context.Context, token string, ws []table.Write) (table.Cost, error) {
	rest := slices.DeleteFunc(slices.Clone(ws), func(w table.Write) bool { return w.Op == table.OpPut })
	for _, w := range ws {
		if w.Op == table.OpPut {
			if _, cost, err := d.Apply(ctx, w); err != nil {
				return cost, err
			}
		}
	}
	if len(rest) == 0 {
		return table.Cost{}, nil
	}
	return d.DB.Group(ctx, token, rest)
}

type unconditional struct{ table.DB }

func (d unconditional) Group(ctx context.Context, token string, ws []table.Write) (table.Cost, error) {
	ws = slices.Clone(ws)
	for i := range ws {
		ws[i].If = nil
	}
	return d.DB.Group(ctx, token, ws)
}

// forgetful reads ledgers without their facts.
type forgetful struct{ table.DB }

func (d forgetful) BatchGet(ctx context.Context, refs []table.Ref, c table.Consistency) ([]table.Item, table.Cost, error) {
	items, cost, err := d.DB.BatchGet(ctx, refs, c)
	return d.each(items, func(p *page) { p.facts = nil }), cost, err
}

// each changes the heads of ledgers that were read.
func (forgetful) each(items []table.Item, change func(*page)) []table.Item {
	items = slices.Clone(items)
	for i, item := range items {
		learner, n, ok := splitPageSort(item[schema.SK].B)
		if !ok || n > 0 {
			continue
		}
		l, err := readHead(learner, item)
		if err != nil {
			continue
		}
		change(&l.head)
		changed := l.headItem(space{}, encodePage(l.head))
		changed[schema.PK] = item[schema.PK]
		items[i] = changed
	}
	return items
}

type noTombs struct{ table.DB }

func (d noTombs) BatchGet(ctx context.Context, refs []table.Ref, c table.Consistency) ([]table.Item, table.Cost, error) {
	items, cost, err := d.DB.BatchGet(ctx, refs, c)
	return forgetful{}.each(items, func(p *page) { p.tombs = nil }), cost, err
}

type neverLess struct{ table.DB }

func (d neverLess) Group(ctx context.Context, token string, ws []table.Write) (table.Cost, error) {
	ws = slices.Clone(ws)
	for i, w := range ws {
		ws[i].Actions = slices.DeleteFunc(slices.Clone(w.Actions), func(a table.Action) bool { return a.Value.N < 0 })
	}
	ws = slices.DeleteFunc(ws, func(w table.Write) bool { return w.Op == table.OpUpdate && len(w.Actions) == 0 })
	return d.DB.Group(ctx, token, ws)
}

type hopeful struct{ table.DB }

func (d hopeful) Group(ctx context.Context, token string, ws []table.Write) (table.Cost, error) {
	cost, err := d.DB.Group(ctx, token, ws)
	if table.Retryable(err) {
		err = nil
	}
	return cost, err
}

package table

import (
	"context"
	"sync"
)

// Meter adds up the cost of all calls made under one context, for a request's log line and for tests that count.
type Meter struct {
	mu    sync.Mutex
	total Cost
	calls int
}

// Total returns the cost so far and the number of calls.
func (m *Meter) Total() (Cost, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.total, m.calls
}

func (m *Meter) add(c Cost) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.total = m.total.Plus(c)
	m.calls++
}

type meterKey struct{}

// WithMeter returns a context under which a Metered database adds its costs to m.
func WithMeter(ctx context.Context, m *Meter) context.Context {
	return context.WithValue(ctx, meterKey{}, m)
}

// Metered returns db with every call's cost added to the context's Meter, if it has one, and at the context's Pace.
func Metered(db DB) DB { return metered{db} }

type metered struct{ DB }

func charge(ctx context.Context, c Cost) {
	if m, ok := ctx.Value(meterKey{}).(*Meter); ok {
		m.add(c)
	}
}

func (d metered) Get(ctx context.Context, ref Ref, c Consistency) (Item, Cost, error) {
	if err := Rest(ctx); err != nil {
		return nil, Cost{}, err
	}
	item, cost, err := d.DB.Get(ctx, ref, c)
	charge(ctx, cost)
	return item, cost, err
}

func (d metered) BatchGet(ctx context.Context, refs []Ref, c Consistency) ([]Item, Cost, error) {
	if err := Rest(ctx); err != nil {
		return nil, Cost{}, err
	}
	items, cost, err := d.DB.BatchGet(ctx, refs, c)
	charge(ctx, cost)
	return items, cost, err
}

func (d metered) Select(ctx context.Context, refs []Ref, c Consistency, attributes ...string) ([]Row, Cost, error) {
	if err := Rest(ctx); err != nil {
		return nil, Cost{}, err
	}
	rows, cost, err := d.DB.Select(ctx, refs, c, attributes...)
	charge(ctx, cost)
	return rows, cost, err
}

func (d metered) Query(ctx context.Context, q Query) (Page, Cost, error) {
	if err := Rest(ctx); err != nil {
		return Page{}, Cost{}, err
	}
	page, cost, err := d.DB.Query(ctx, q)
	charge(ctx, cost)
	return page, cost, err
}

func (d metered) Apply(ctx context.Context, w Write) (Item, Cost, error) {
	if err := Rest(ctx); err != nil {
		return nil, Cost{}, err
	}
	item, cost, err := d.DB.Apply(ctx, w)
	charge(ctx, cost)
	return item, cost, err
}

func (d metered) Group(ctx context.Context, token string, ws []Write) (Cost, error) {
	if err := Rest(ctx); err != nil {
		return Cost{}, err
	}
	cost, err := d.DB.Group(ctx, token, ws)
	charge(ctx, cost)
	return cost, err
}

func (d metered) Batch(ctx context.Context, ws []Write) (Cost, error) {
	if err := Rest(ctx); err != nil {
		return Cost{}, err
	}
	cost, err := d.DB.Batch(ctx, ws)
	charge(ctx, cost)
	return cost, err
}

func (d metered) Changes(ctx context.Context, table, shard, after string, limit int) ([]Change, bool, error) {
	if err := Rest(ctx); err != nil {
		return nil, false, err
	}
	return d.DB.Changes(ctx, table, shard, after, limit)
}

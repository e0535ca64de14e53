package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// The rollups of a store are of one generation. A setting that changes them takes effect with the next generation, which is
// begun, built and then switched to. Beginning and switching are conditional writes of the store's item.

// SetTimeZone says by which time zone (an IANA name) the days of a store's reports are counted, from the next generation on.
func (d *Directory) SetTimeZone(ctx context.Context, store, zone string) error {
	if _, err := time.LoadLocation(zone); err != nil || zone == "" || zone == "Local" {
		return fmt.Errorf("%w: %q is no time zone: use a name as Europe/Paris or UTC", ErrRefused, zone)
	}
	err := d.changeStore(ctx, store, []table.Action{table.SetTo(schema.NextTimeZone, table.S(zone))}, table.Absent(schema.Building))
	if errors.Is(err, errStoreChanged) {
		return fmt.Errorf("%w: the rollups of store %s are being rebuilt: finish that with `cairn rebuild`", ErrRefused, store)
	}
	return err
}

// BeginGeneration lets changes be folded into the next generation too, unless they are already, and returns the store as it is
// then. Other processes may not know for CacheLife.
func (d *Directory) BeginGeneration(ctx context.Context, store string) (Store, error) {
	s, err := d.Store(ctx, store)
	if err != nil || s.Building != 0 {
		return s, err
	}
	conditions := []table.Condition{table.Absent(schema.Building), generationIs(s.Generation)}
	err = d.changeStore(ctx, store, []table.Action{table.SetTo(schema.Building, table.N(int64(s.Generation+1)))}, conditions...)
	if err != nil && !errors.Is(err, errStoreChanged) { // somebody else began
		return Store{}, err
	}
	return d.Store(ctx, store)
}

// SwitchGeneration lets reports read the generation that was built. It does nothing when they do already.
func (d *Directory) SwitchGeneration(ctx context.Context, store string, to int) error {
	s, err := d.Store(ctx, store)
	if err != nil || s.Generation == to {
		return err
	}
	actions := []table.Action{table.SetTo(schema.Generation, table.N(int64(to))), table.Remove(schema.Building)}
	if s.NextTimeZone != "" {
		actions = append(actions, table.SetTo(schema.TimeZone, table.S(s.NextTimeZone)), table.Remove(schema.NextTimeZone))
	}
	return d.changeStore(ctx, store, actions, table.Equals(schema.Building, table.N(int64(to))), generationIs(s.Generation))
}

// generationIs holds when the item is of the generation; the first is not written down.
func generationIs(n int) table.Condition {
	if n == 0 {
		return table.Absent(schema.Generation)
	}
	return table.Equals(schema.Generation, table.N(int64(n)))
}

// errStoreChanged says that the store is not as the change needs it.
var errStoreChanged = errors.New("the store is not as it was")

func (d *Directory) changeStore(ctx context.Context, store string, actions []table.Action, conditions ...table.Condition) error {
	_, _, err := d.Tables.Apply(ctx, table.Update(storeRef(store), actions, append(conditions, table.Present(schema.PK))...))
	if refused, ok := errors.AsType[*table.ConditionError](err); ok {
		if refused.Old == nil {
			return fmt.Errorf("%w store: %q", ErrNotFound, store)
		}
		return fmt.Errorf("change store %s: %w", store, errStoreChanged)
	}
	if err != nil {
		return fmt.Errorf("change store %s: %w", store, err)
	}
	d.cache.clear()
	return nil
}

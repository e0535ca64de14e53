package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Privacy is what reports of a store may tell.
type Privacy struct {
	SmallNumber int  // the fewest learners that are told as a number; 0: the default
	HideNames   bool // reports name nobody
	TestData    bool // the store holds made-up data only: SmallNumber may be 1, which protects nobody
}

// The bounds of SmallNumber. Source: definitions of reports, section 8.
const leastSmallNumber, mostSmallNumber = 5, 20

// SetPrivacy changes what reports of a store tell: at once in this process, within CacheLife in others.
func (d *Directory) SetPrivacy(ctx context.Context, store string, p Privacy) error {
	least := leastSmallNumber
	if p.TestData {
		least = 1
	}
	if p.SmallNumber != 0 && (p.SmallNumber < least || p.SmallNumber > mostSmallNumber) {
		return fmt.Errorf("%w: the smallest number is %d to %d, and 1 only where the store is said to hold test data", ErrRefused, leastSmallNumber, mostSmallNumber)
	}
	actions := []table.Action{flagged(schema.HideNames, p.HideNames), flagged(schema.TestData, p.TestData), table.Remove(schema.SmallNumber)}
	if p.SmallNumber != 0 {
		actions[2] = table.SetTo(schema.SmallNumber, table.N(int64(p.SmallNumber)))
	}
	_, _, err := d.Tables.Apply(ctx, table.Update(storeRef(store), actions, table.Present(schema.PK)))
	if errors.Is(err, table.ErrCondition) {
		return fmt.Errorf("%w store: %q", ErrNotFound, store)
	}
	if err != nil {
		return fmt.Errorf("set privacy: %w", err)
	}
	d.cache.clear()
	return nil
}

func flagged(attr string, on bool) table.Action {
	if on {
		return table.SetTo(attr, table.N(1))
	}
	return table.Remove(attr)
}

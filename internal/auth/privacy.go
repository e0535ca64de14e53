package auth

import (
	"context"
	"fmt"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Privacy changes what reports of a store may tell; what is nil stays as it is.
type Privacy struct {
	SmallNumber *int  `json:"smallNumber,omitzero"` // the fewest learners that are told as a number
	HideNames   *bool `json:"hideNames,omitzero"`   // reports name nobody
	TestData    *bool `json:"testData,omitzero"`    // all data is made up: SmallNumber may be 1, which protects nobody
}

// The bounds of SmallNumber. Source: definitions of reports, section 8.
const leastSmallNumber, mostSmallNumber = 5, 20

// SetPrivacy changes what reports of a store tell: at once in this process, within CacheLife in others.
func (d *Directory) SetPrivacy(ctx context.Context, store string, p Privacy) error {
	s, err := d.Store(ctx, store)
	if err != nil {
		return err
	}
	if p.SmallNumber != nil {
		s.SmallNumber = *p.SmallNumber
	}
	if p.HideNames != nil {
		s.HideNames = *p.HideNames
	}
	if p.TestData != nil {
		s.TestData = *p.TestData
	}
	least := leastSmallNumber
	if s.TestData {
		least = 1
	}
	if s.SmallNumber != 0 && s.SmallNumber < least || s.SmallNumber < 0 || s.SmallNumber > mostSmallNumber {
		return fmt.Errorf("%w: the smallest number is %d to %d, and less only where the store holds test data", ErrRefused, leastSmallNumber, mostSmallNumber)
	}
	actions := []table.Action{flagged(schema.HideNames, s.HideNames), flagged(schema.TestData, s.TestData), table.Remove(schema.SmallNumber)}
	if s.SmallNumber != 0 {
		actions[2] = table.SetTo(schema.SmallNumber, table.N(int64(s.SmallNumber)))
	}
	return d.changeStore(ctx, store, actions)
}

func flagged(attr string, on bool) table.Action {
	if on {
		return table.SetTo(attr, table.N(1))
	}
	return table.Remove(attr)
}

package lrs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Changed is a statement as reports count it.
type Changed struct {
	Store, ID string
	Stored    time.Time // zero when Damage is set or the statement is not there
	Body      []byte    // its JSON as it is given out, live or not; nil when Damage is set or it is not there
	Live      bool      // it is there, not voided, and voids nothing
	Damage    string    // why it cannot be read; "" when it can
}

// Changed returns the statement that a change of the Statements table added, voided or removed. ok is false for other changes,
// which reports need not know. An error means that the blob store could not be read just now.
func (s *Service) Changed(ctx context.Context, change table.Change) (c Changed, ok bool, err error) {
	if change.Table != schema.Statements || !counts(change) {
		return Changed{}, false, nil
	}
	item := change.New
	if item == nil {
		item = change.Old
	}
	c, err = s.StoredStatement(ctx, item)
	c.Live = c.Live && change.New != nil
	return c, true, err
}

// counts reports whether a change added, voided or removed a statement. Inherited terms change no count.
func counts(change table.Change) bool {
	return change.Old == nil || change.New == nil ||
		!change.Old[schema.Voided].Equal(change.New[schema.Voided]) || !change.Old[schema.Position].Equal(change.New[schema.Position])
}

// StoredStatement reads an item of Statements, as a scan returns it. The error is that of Changed.
func (s *Service) StoredStatement(ctx context.Context, item table.Item) (Changed, error) {
	store, id, err := splitStatementKey(item[schema.PK].S)
	if err != nil {
		return Changed{Damage: err.Error()}, nil
	}
	c := Changed{Store: store, ID: id.String(), Live: item[schema.Voided].N != 1 && item[schema.Voiding].N != 1}
	r, err := recordOf(item)
	if err != nil {
		c.Damage = err.Error()
		return c, nil
	}
	body, err := s.body(ctx, r)
	switch {
	case errors.Is(err, blob.ErrUnavailable) || ctx.Err() != nil:
		return c, fmt.Errorf("read changed statement: %w", err)
	case err != nil:
		c.Damage = err.Error()
	default:
		c.Stored, c.Body = r.position.Time(), body
	}
	return c, nil
}

// CurrentStatement reads a statement as it is now. One that is not there is not live.
func (s *Service) CurrentStatement(ctx context.Context, store, id string) (Changed, error) {
	key, err := parseID(id)
	if err != nil {
		return Changed{}, fmt.Errorf("read statement: %w", err)
	}
	item, _, err := s.Tables.Get(ctx, statementRef(store, key), table.Strong)
	if err != nil {
		return Changed{}, fmt.Errorf("read statement %s: %w", id, err)
	}
	if item == nil {
		return Changed{Store: store, ID: id}, nil
	}
	return s.StoredStatement(ctx, item)
}

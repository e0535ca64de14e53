package document

import (
	"context"
	"fmt"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Delete removes a document; removing one that is not there succeeds, unless If-Match asks for it.
// Source: xAPI 1.0.3 Communication 2.3, 2.6, 2.7.
func (s *Service) Delete(ctx context.Context, k Key, p Preconditions) error {
	c, err := s.begin(ctx, k, p)
	if err != nil {
		return err
	}
	r := &removal{change: c}
	if err := c.run(ctx, r); err != nil {
		return err
	}
	s.forget(ctx, c.store, c.base)
	return nil
}

// removal is the attempt to remove what is there.
type removal struct{ *change }

// write implements attempt.
func (r *removal) write(_ context.Context, base *record) (table.Write, bool, error) {
	if base == nil {
		return table.Write{}, false, nil
	}
	return table.Delete(r.ref, table.Equals(schema.Attempts, table.B(base.attempts))), true, nil
}

// trace implements attempt. A removal leaves no token. That somebody has removed the document is enough for a request
// without preconditions; with them, exactly one may have done it, and nothing tells who.
func (r *removal) trace(base, found *record) outcome {
	switch {
	case found != nil && found.attempts.has(base.attempts.newest()):
		return notDone
	case r.preconditions.conditional(), found != nil && !found.attempts.whole():
		return unclear
	}
	return done
}

// DeleteAll removes every document of the owner, or those with the registration. It removes page by page, so a request
// that fails, or runs out of time, has removed some; repeated, it removes the rest. A document that is written meanwhile
// may stay or go. Source: xAPI 1.0.3 Communication 2.3, "Multiple Document DELETE".
func (s *Service) DeleteAll(ctx context.Context, o Owner, registration string) error {
	var last table.Item // removed at the end, by the one write that makes all before it durable
	var blobs []*record // whose contents are then garbage
	err := s.eachPage(ctx, o, registration, func(items []table.Item) error {
		writes := make([]table.Write, 0, len(items))
		for _, item := range items {
			r, err := recordOf(item)
			if err != nil {
				return err
			}
			if !r.inline {
				blobs = append(blobs, r)
			}
			if last != nil {
				writes = append(writes, table.Delete(refOf(last)))
			}
			last = item
		}
		if len(writes) == 0 {
			return nil
		}
		if _, err := s.Tables.Batch(ctx, writes); err != nil {
			return fmt.Errorf("delete documents: %w", err)
		}
		return nil
	})
	if err != nil || last == nil {
		return err
	}
	if _, _, err := s.Tables.Apply(ctx, table.Delete(refOf(last))); err != nil {
		return fmt.Errorf("delete documents: %w", err)
	}
	for _, r := range blobs {
		s.forget(ctx, o.Store.ID, r)
	}
	return nil
}

func refOf(item table.Item) table.Ref {
	return table.Ref{Table: schema.Documents, Key: table.Key{Partition: item[schema.PK].S, Sort: item[schema.SK].B}}
}

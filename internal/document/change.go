package document

import (
	"context"
	"errors"
	"fmt"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/table"
)

// change is one request that changes one document. It reads the document, decides, and writes under the condition that
// the document is still as it was read; when it is not, the answer tells how it is now, and the change decides again.
type change struct {
	*Service
	ref           table.Ref
	store         string
	preconditions Preconditions

	base    *record // the document as it was last seen; nil: there is none
	doubt   bool    // a try on this base may have been done: its reply was lost
	doubted bool    // there was such a try, on whatever base
}

// attempt is what a change wants to do.
type attempt interface {
	// write gives the write that does it to base; ok is false when there is nothing to do.
	write(ctx context.Context, base *record) (w table.Write, ok bool, err error)

	// trace tells, from the document as it is found now, what became of a try on base whose reply was lost.
	trace(base, found *record) outcome
}

// outcome is what became of a try.
type outcome uint8

const (
	unclear outcome = iota
	done
	notDone // and it cannot be done any more, since its condition cannot hold again
)

// maxFailures bounds the tries that failed for a reason other than that another writer was first: that one is progress
// for somebody, and tried again for as long as the context allows.
const maxFailures = 6

// begin starts a change of the document.
func (s *Service) begin(ctx context.Context, k Key, p Preconditions) (*change, error) {
	ref, err := k.ref()
	if err != nil {
		return nil, err
	}
	base, err := s.read(ctx, ref)
	if err != nil {
		return nil, err
	}
	return &change{Service: s, ref: ref, store: k.Store.ID, preconditions: p, base: base}, nil
}

// run tries until the outcome is known. nil: it is done. When a reply was lost and the document has been deleted since,
// nothing tells what became of the try; the error is table.ErrUnknown then, as it is when replies go on being lost.
func (c *change) run(ctx context.Context, a attempt) error {
	failures := 0
	for try := 1; ; try++ {
		if err := c.preconditions.check(c.base); err != nil {
			return err
		}
		w, ok, err := a.write(ctx, c.base)
		if errors.Is(err, blob.ErrNotFound) {
			if err := c.refresh(ctx, err); err != nil {
				return err
			}
			continue
		}
		if err != nil || !ok {
			return err
		}
		_, _, err = c.Tables.Apply(ctx, w)
		if err == nil {
			return nil
		}
		if condition, failed := errors.AsType[*table.ConditionError](err); failed {
			finished, err := c.meet(condition.Old, a)
			if err != nil || finished {
				return err
			}
		} else if failures++; failures == maxFailures || !c.mayRepeat(err) {
			return fmt.Errorf("write document: %w", err)
		}
		if err := table.Pause(ctx, try); err != nil {
			return err
		}
	}
}

// refresh reads the document again, because the content of the base is gone: another writer has replaced it.
func (c *change) refresh(ctx context.Context, cause error) error {
	found, err := c.read(ctx, c.ref)
	if err != nil {
		return err
	}
	if found.same(c.base) {
		return cause // lost
	}
	c.base = found
	return nil
}

// mayRepeat reports whether the same write may be tried again after this failure. After a lost reply trying again is
// how to ask: either it is done now, or its condition fails and shows what is there.
func (c *change) mayRepeat(failure error) bool {
	if errors.Is(failure, table.ErrUnknown) {
		c.doubt, c.doubted = true, true
		return true
	}
	return errors.Is(failure, table.ErrConflict) || errors.Is(failure, table.ErrThrottled)
}

// meet takes in the document that was found in place of the base.
func (c *change) meet(item table.Item, a attempt) (finished bool, err error) {
	found, err := recordOf(item)
	if err != nil {
		return false, err
	}
	if c.doubt {
		switch a.trace(c.base, found) {
		case done:
			return true, nil
		case unclear:
			return false, fmt.Errorf("write document: another writer has deleted it since: %w", table.ErrUnknown)
		}
	}
	c.base, c.doubt = found, false
	return false, nil
}

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

	base     *record // the document as it was last seen; nil: there is none
	doubt    bool    // a try on this base may have been done: its reply was lost
	doubted  bool    // there was such a try, on whatever base
	failures int     // tries that failed for another reason than that another writer was first
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

// maxFailures bounds failures. That another writer was first is none: it is progress for somebody, and the change tries
// again for as long as its context allows.
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
	for try := 1; ; try++ {
		if err := c.preconditions.check(c.base); err != nil {
			return err
		}
		finished := false
		w, ok, err := a.write(ctx, c.base)
		switch {
		case blob.MayBeAbsent(err):
			err = c.refresh(ctx, err)
		case err != nil || !ok:
			return err
		default:
			finished, err = c.send(ctx, w, a)
		}
		if err != nil || finished {
			return err
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

// send does one write and takes in what came of it. Not finished and no error: decide again.
func (c *change) send(ctx context.Context, w table.Write, a attempt) (finished bool, err error) {
	_, _, err = c.Tables.Apply(ctx, w)
	if err == nil {
		return true, nil
	}
	if condition, failed := errors.AsType[*table.ConditionError](err); failed {
		found, err := recordOf(condition.Old)
		if err != nil {
			return false, err
		}
		return c.meet(found, a)
	}
	c.failures++
	unknown := errors.Is(err, table.ErrUnknown)
	if mayRepeat := unknown || errors.Is(err, table.ErrConflict) || errors.Is(err, table.ErrThrottled); !mayRepeat || c.failures == maxFailures {
		c.doubted = c.doubted || unknown
		return false, fmt.Errorf("write document: %w", err)
	}
	if unknown {
		return c.ask(ctx, a)
	}
	return false, nil
}

// ask finds out, after a lost reply, whether the write was done. Where there was a document, the next try tells: its
// condition can hold only if nothing was written. Where there was none, it could hold a second time, after another
// writer's DELETE, and the write be done twice; so the document is looked at instead.
func (c *change) ask(ctx context.Context, a attempt) (finished bool, err error) {
	c.doubt, c.doubted = true, true
	if c.base != nil {
		return false, nil
	}
	found, err := c.read(ctx, c.ref)
	if err != nil {
		return false, fmt.Errorf("write document: %w; look at it: %w", table.ErrUnknown, err)
	}
	return c.meet(found, a)
}

// meet takes in the document that was found in place of the base.
func (c *change) meet(found *record, a attempt) (finished bool, err error) {
	if c.doubt {
		switch a.trace(c.base, found) {
		case done:
			return true, nil
		case unclear:
			return false, fmt.Errorf("write document: nothing there tells whether it was done: %w", table.ErrUnknown)
		}
	}
	c.base, c.doubt = found, false
	return false, nil
}

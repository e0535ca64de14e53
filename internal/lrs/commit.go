package lrs

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// The times that make a closed millisecond closed (README, "Consistent-Through"): a commit is sent only while its
// positions are young, and has a short time to live.
const (
	maxAge     = time.Second     // of a position when its commit is sent
	commitLife = 2 * time.Second // of a commit
	maxCommits = 6               // tries, each at new positions
)

// commit puts the fresh statements, all or none. The caller must call end when the request is over: until then the horizon
// stays before the statements' positions.
func (w *write) commit(ctx context.Context) (end func(), err error) {
	end = func() {}
	for try := range maxCommits {
		if try > 0 {
			end()
			end = func() {}
			if err := table.Pause(ctx, try); err != nil {
				return end, unavailable("the statements could not be stored in time", err)
			}
		}
		fresh := w.fresh()
		if len(fresh) == 0 {
			return end, nil
		}
		var lease *position.Lease
		if lease, err = w.Positions.Open(len(fresh)); err != nil {
			return end, err
		}
		end = lease.Close
		if err = w.place(ctx, fresh, lease.Positions); err != nil {
			return end, err
		}
		if err = w.batch(ctx, entriesOf(fresh)); err != nil {
			err = fmt.Errorf("put term entries: %w", err)
			continue // nothing points to what was put
		}
		if err = w.ClockRight(); err != nil { // positions of the past would be behind what was announced
			w.dropEntries(ctx, fresh)
			return end, unavailable("the statements could not be stored now", err)
		}
		if w.Positions.Now().Sub(lease.Positions[0].Time()) > maxAge {
			err = errors.New("positions grew too old before the commit")
			w.dropEntries(ctx, fresh)
			continue
		}
		if err = w.put(ctx, fresh); err == nil {
			return end, nil
		}
		if err = w.afterFailure(ctx, fresh, err); err == nil {
			return end, nil
		}
		if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
			return end, err
		}
	}
	return end, unavailable("the statements could not be stored now", err)
}

func entriesOf(statements []*incoming) []table.Write {
	var all []table.Write
	for _, st := range statements {
		all = append(all, st.entries...)
	}
	return dedupe(all)
}

// dedupe leaves one write of each item: several statements that refer to one target share its marker.
func dedupe(ws []table.Write) []table.Write {
	seen := make(map[string]bool, len(ws))
	kept := ws[:0]
	for _, w := range ws {
		key := w.Table + "\x00" + w.Item[schema.PK].S + "\x00" + string(w.Item[schema.SK].B)
		if !seen[key] {
			seen[key] = true
			kept = append(kept, w)
		}
	}
	return kept
}

func (s *Service) batch(ctx context.Context, ws []table.Write) error {
	if len(ws) == 0 {
		return nil
	}
	_, err := s.Tables.Batch(ctx, ws)
	return err
}

// put sends the one write or group that makes the statements exist.
func (w *write) put(ctx context.Context, fresh []*incoming) error {
	ctx, cancel := context.WithTimeout(ctx, commitLife)
	defer cancel()
	writes := make([]table.Write, 0, len(fresh)+1)
	for _, st := range fresh {
		writes = append(writes, table.Put(schema.Statements, st.record.item(), table.Absent(schema.PK)))
	}
	writes = append(writes, w.targetVoids(fresh, table.MaxGroup-len(writes))...)
	if len(writes) == 1 {
		_, _, err := w.Tables.Apply(ctx, writes[0])
		if condition := (*table.ConditionError)(nil); errors.As(err, &condition) {
			return &table.GroupError{Failed: map[int]table.Item{0: condition.Old}}
		}
		return err
	}
	_, err := w.Tables.Group(ctx, rand.Text(), writes) // each try has a token of its own
	return err
}

// targetVoids are the updates that void stored statements together with the statements that void them, as many as fit;
// the others are voided by complete, like targets that come later.
func (w *write) targetVoids(fresh []*incoming, room int) []table.Write {
	var writes []table.Write
	done := map[statementID]bool{}
	for _, st := range fresh {
		target := w.targets[st.target]
		if !st.voids || target == nil || target.voided || target.voiding || done[st.target] || len(writes) == room {
			continue
		}
		done[st.target] = true
		writes = append(writes, voidWrite(statementRef(target.store, target.id)))
	}
	return writes
}

// voidWrite takes a statement out of every index and marks it; its terms, position and body stay.
func voidWrite(ref table.Ref) table.Write {
	actions := []table.Action{table.SetTo(schema.Voided, table.N(1))}
	for _, attr := range indexAttributes {
		actions = append(actions, table.Remove(attr))
	}
	return table.Update(ref, actions, table.Present(schema.PK), table.Absent(schema.Voiding))
}

// afterFailure finds out what a failed commit did. nil: everything is stored. A *Refusal: it is refused, and its
// entries are removed. Any other error: try again.
func (w *write) afterFailure(ctx context.Context, fresh []*incoming, failure error) error {
	var group *table.GroupError
	switch {
	case errors.As(failure, &group):
		w.dropEntries(ctx, fresh)
		for i, old := range group.Failed {
			if i >= len(fresh) {
				continue // a target that changed under us: its statement is read again by complete
			}
			if err := w.settleItem(ctx, fresh[i], old); err != nil {
				return err
			}
		}
		if err := w.mayVoid(); err != nil {
			return err // what it was to void was stored by somebody else a moment ago
		}
		w.forgetTargets(group, fresh)
		return fmt.Errorf("put statements: %w", failure)
	case errors.Is(failure, table.ErrConflict), errors.Is(failure, table.ErrThrottled):
		w.dropEntries(ctx, fresh)
		return fmt.Errorf("put statements: %w", failure)
	case errors.Is(failure, table.ErrUnknown), errors.Is(failure, context.DeadlineExceeded):
		return w.findOut(ctx, fresh, failure)
	}
	return &Refusal{Kind: ErrUnavailable, Statement: -1, Message: "the statements could not be stored", Cause: failure}
}

// forgetTargets leaves the voiding of targets that refused it to complete, which reads them again.
func (w *write) forgetTargets(group *table.GroupError, fresh []*incoming) {
	for i := range group.Failed {
		if i >= len(fresh) {
			w.targets = map[statementID]*record{}
			return
		}
	}
}

func (w *write) settleItem(ctx context.Context, st *incoming, old table.Item) error {
	if old == nil {
		return nil
	}
	found, err := recordOf(old)
	if err != nil {
		return err
	}
	return w.settle(ctx, st, found)
}

// findOut reads, after a lost reply, whether the statements are there. Their entries stay: the write may still come
// to be when the store was only slow, and then it needs them.
func (w *write) findOut(ctx context.Context, fresh []*incoming, failure error) error {
	refs := make([]table.Ref, len(fresh))
	for i, st := range fresh {
		refs[i] = statementRef(w.p.Store.ID, st.id)
	}
	items, err := w.batchGet(ctx, refs)
	if err != nil {
		return fmt.Errorf("put statements: %w; read them back: %w", failure, err)
	}
	missing := false
	for i, st := range fresh {
		if items[i] == nil {
			missing = true
			continue
		}
		if err := w.settleItem(ctx, st, items[i]); err != nil {
			return err
		}
		if st.stored.position == st.record.position {
			st.stored = nil // our own
		}
	}
	if missing {
		return fmt.Errorf("put statements: %w", failure)
	}
	return nil
}

// dropEntries removes the entries of positions at which nothing was stored. It saves garbage only, so its failure is
// nobody's concern. References stay: their keys are not of one try alone.
func (w *write) dropEntries(ctx context.Context, fresh []*incoming) {
	var drops []table.Write
	for _, st := range fresh {
		for _, e := range st.entries {
			if e.Table == schema.Terms {
				drops = append(drops, table.Delete(table.Ref{Table: e.Table, Key: table.Key{Partition: e.Item[schema.PK].S, Sort: e.Item[schema.SK].B}}))
			}
		}
	}
	if len(drops) > 0 {
		_, _ = w.Tables.Batch(ctx, drops)
	}
}

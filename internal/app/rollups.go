package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Rollups is where statements become what reports read: lrs tells what a change of its table means, report/rollup counts.
type Rollups struct {
	statements *lrs.Service
	directory  *auth.Directory
	tables     table.DB
	scanner    table.Scanner // nil in functions
	stores     *rollup.Stores
	log        *slog.Logger
	now        func() time.Time
	keepFacts  int
}

// keepFacts is how many facts the only Folder of its tables remembers, some 20 MB.
const keepFacts = 50_000

func newRollups(p Ports, directory *auth.Directory, statements *lrs.Service) *Rollups {
	r := &Rollups{
		statements: statements, directory: directory, tables: table.Metered(p.Tables), scanner: p.Scanner, log: p.Log, now: p.Now,
		stores: &rollup.Stores{Read: directory.Store, Now: p.Now},
	}
	if p.OnlyWriter {
		r.keepFacts = keepFacts
	}
	return r
}

// Consumer makes a consumer of the changes of Statements. Each completes late references and voids, folds what changed, and may
// be given any change again. It is for one goroutine; several may run. The lane says which of the items of a bucket it adds to.
func (r *Rollups) Consumer(lane uint8) func(ctx context.Context, changes []table.Change) (done int, err error) {
	fold := r.Fold(lane)
	return func(ctx context.Context, changes []table.Change) (int, error) {
		if err := r.statements.Complete(ctx, changes...); err != nil {
			return 0, fmt.Errorf("complete references: %w", err)
		}
		if err := fold(ctx, changes); err != nil {
			return 0, err
		}
		return len(changes), nil
	}
}

// Fold is Consumer without the completion.
func (r *Rollups) Fold(lane uint8) func(ctx context.Context, changes []table.Change) error {
	folder := r.folder(lane, r.keepFacts)
	return func(ctx context.Context, changes []table.Change) error {
		var events []rollup.Event
		for _, change := range changes {
			c, ok, err := r.statements.Changed(ctx, change)
			if err != nil {
				return err
			}
			if ok {
				events = append(events, eventOf(c))
			}
		}
		return folder.Fold(ctx, events)
	}
}

func (r *Rollups) folder(lane uint8, keep int) *rollup.Folder {
	return rollup.NewFolder(rollup.Folder{Tables: r.tables, Stores: r.stores, Lane: lane, Log: r.log, Now: r.now, KeepFacts: keep})
}

func eventOf(c lrs.Changed) rollup.Event {
	return rollup.Event{Store: c.Store, StatementID: c.ID, Stored: c.Stored, Statement: c.Body, Live: c.Live, Reason: c.Damage}
}

// Reader reads what was folded.
func (r *Rollups) Reader() *rollup.Reader { return &rollup.Reader{Tables: r.tables} }

// DeadLetters lists the statements that could not be counted, of one store, or of all for "".
func (r *Rollups) DeadLetters(ctx context.Context, store string) ([]rollup.DeadLetter, error) {
	stores := []string{store}
	if store == "" {
		all, err := r.directory.Stores(ctx)
		if err != nil {
			return nil, err
		}
		stores = stores[:0]
		for _, s := range all {
			stores = append(stores, s.ID)
		}
	}
	var letters []rollup.DeadLetter
	for _, id := range stores {
		more, err := rollup.DeadLetters(ctx, r.tables, id)
		if err != nil {
			return nil, err
		}
		letters = append(letters, more...)
	}
	return letters, nil
}

// replayBatch is how many dead letters are tried again together.
const replayBatch = 100

// Replay tries dead letters of a store again, or of all stores for "": each statement is read as it is now. It returns how many
// are counted now, or need not be, and how many are dead letters still.
func (r *Rollups) Replay(ctx context.Context, store string) (gone, still int, err error) {
	letters, err := r.DeadLetters(ctx, store)
	if err != nil {
		return 0, 0, err
	}
	folder := r.folder(0, 0)
	for len(letters) > 0 {
		n := min(len(letters), replayBatch)
		events := make([]rollup.Event, n)
		for i, l := range letters[:n] {
			c, err := r.statements.CurrentStatement(ctx, l.Store, l.StatementID)
			if err != nil {
				return gone, still, err
			}
			events[i] = eventOf(c)
		}
		done, err := folder.Replay(ctx, events)
		gone, still = gone+done, still+n-done
		if err != nil {
			return gone, still, err
		}
		letters = letters[n:]
	}
	return gone, still, nil
}

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
	onlyWriter bool
}

// keepFacts is how many facts a Folder remembers, some 20 MB.
const keepFacts = 50_000

func newRollups(p Ports, directory *auth.Directory, statements *lrs.Service) *Rollups {
	log := p.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Rollups{
		statements: statements, directory: directory, tables: table.Metered(p.Tables), scanner: p.Scanner, log: log, now: p.Now,
		stores: &rollup.Stores{Read: directory.Store, Now: p.Now}, onlyWriter: p.OnlyWriter,
	}
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
	folder := r.folder(lane)
	folder.OnlyWriter = r.onlyWriter
	return func(ctx context.Context, changes []table.Change) error {
		var events []rollup.Event
		for _, change := range changes {
			if err := table.Rest(ctx); err != nil {
				return err
			}
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

func (r *Rollups) folder(lane uint8) *rollup.Folder {
	return rollup.NewFolder(rollup.Folder{Tables: r.tables, Stores: r.stores, Lane: lane, Log: r.log, Now: r.now, KeepFacts: keepFacts})
}

func eventOf(c lrs.Changed) rollup.Event {
	return rollup.Event{Store: c.Store, StatementID: c.ID, Stored: c.Stored, Statement: c.Body, Live: c.Live, Reason: c.Damage}
}

// Reader reads what was folded.
func (r *Rollups) Reader() *rollup.Reader { return &rollup.Reader{Tables: r.tables} }

// DeadLetters lists statements of a store that could not be counted, by id, some of those whose ids come after one. more says
// that there are others behind them.
func (r *Rollups) DeadLetters(ctx context.Context, store, after string) (letters []rollup.DeadLetter, more bool, err error) {
	return rollup.DeadLetters(ctx, r.tables, store, after, lettersAtOnce)
}

// lettersAtOnce bounds what is listed by one call, replayedAtOnce what is tried again: each statement is read by itself, from the
// bucket too, and the command behind a call waits 10 s, which is not much for an operator who is far from the stack.
const lettersAtOnce, replayedAtOnce = 200, 25

// Replay tries dead letters of a store again, some of those whose ids come after one: each statement is read as it is now. It
// returns how many are counted now, or need not be, how many are dead letters still, and the id to go on after, "" at the end.
func (r *Rollups) Replay(ctx context.Context, store, after string) (gone, still int, next string, err error) {
	letters, more, err := rollup.DeadLetters(ctx, r.tables, store, after, replayedAtOnce)
	if err != nil || len(letters) == 0 {
		return 0, 0, "", err
	}
	events := make([]rollup.Event, len(letters))
	for i, l := range letters {
		c, err := r.statements.CurrentStatement(ctx, l.Store, l.StatementID)
		if err != nil {
			return 0, 0, "", err
		}
		events[i] = eventOf(c)
	}
	gone, err = r.folder(0).Replay(ctx, events)
	if more {
		next = letters[len(letters)-1].StatementID
	}
	return gone, len(letters) - gone, next, err
}

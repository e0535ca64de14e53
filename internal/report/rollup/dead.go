package rollup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// errLedgerFull is the reason of a statement that its learner's ledger has no room for.
var errLedgerFull = errors.New("the learner's ledger is full: 500,000 statements, 64 MB, or a million played segments")

// errTooWide is the reason of a statement that changes more rows than one group can have.
var errTooWide = errors.New("the statement changes more sums than one group of writes has room for")

// DeadLetter is a statement that could not be counted.
type DeadLetter struct {
	Store       string
	StatementID string
	Reason      string
	When        time.Time
}

// deadRef names the row of a statement.
func deadRef(store, statementID string) table.Ref {
	return table.Ref{Table: schema.DeadLetters, Key: table.Key{Partition: store, Sort: []byte(statementID)}}
}

// putDead puts statements down as dead letters.
func (f *Folder) putDead(ctx context.Context, letters []DeadLetter) error {
	writes := make([]table.Write, 0, len(letters))
	slices.SortFunc(letters, func(a, b DeadLetter) int {
		return cmp.Or(cmp.Compare(a.Store, b.Store), cmp.Compare(a.StatementID, b.StatementID))
	})
	letters = slices.CompactFunc(letters, func(a, b DeadLetter) bool { return a.Store == b.Store && a.StatementID == b.StatementID })
	for _, l := range letters {
		f.Log.WarnContext(ctx, "a statement is not counted: cairn dead-letters tells more", "store", l.Store, "statement", l.StatementID, "reason", l.Reason)
		ref := deadRef(l.Store, l.StatementID)
		writes = append(writes, table.Put(schema.DeadLetters, table.Item{
			schema.PK: table.S(ref.Key.Partition), schema.SK: table.B(ref.Key.Sort),
			schema.Reason: table.S(l.Reason), schema.When: table.N(f.Now().UnixMilli()),
		}))
	}
	for chunk := range slices.Chunk(writes, 100) {
		if _, err := f.Tables.Batch(ctx, chunk); err != nil {
			return fmt.Errorf("write dead letters: %w", err)
		}
	}
	return nil
}

// DeadLetters lists those of a store, by statement, at most so many of those whose statement ids come after one. more says that
// there are others behind them.
func DeadLetters(ctx context.Context, tables table.DB, store, after string, most int) (letters []DeadLetter, more bool, err error) {
	q := table.Query{Table: schema.DeadLetters, Partition: store, Consistency: table.Strong}
	if after != "" {
		q.From = append([]byte(after), 0)
	}
	for item, err := range table.Items(table.QueryPages(ctx, tables, q)) {
		if err != nil {
			return nil, false, err
		}
		if len(letters) == most {
			return letters, true, nil
		}
		letters = append(letters, DeadLetter{
			Store: store, StatementID: string(item[schema.SK].B), Reason: item[schema.Reason].S, When: time.UnixMilli(item[schema.When].N),
		})
	}
	return letters, false, nil
}

// Replay folds events of dead letters in and deletes the letters that are counted now, or need not be. The ledger is a set: an
// event that was counted after all is not counted twice. It returns how many letters are gone.
func (f *Folder) Replay(ctx context.Context, events []Event) (gone int, err error) {
	dead, err := f.fold(ctx, events)
	if err != nil {
		return 0, err
	}
	still := map[[2]string]bool{}
	for _, l := range dead {
		still[[2]string{l.Store, l.StatementID}] = true
	}
	if err := f.putDead(ctx, dead); err != nil {
		return 0, err
	}
	var deletes []table.Write
	for _, e := range events {
		if !still[[2]string{e.Store, e.StatementID}] {
			deletes = append(deletes, table.Delete(deadRef(e.Store, e.StatementID)))
		}
	}
	if len(deletes) > 0 {
		if _, err := f.Tables.Batch(ctx, deletes); err != nil {
			return 0, fmt.Errorf("delete dead letters: %w", err)
		}
	}
	return len(deletes), nil
}

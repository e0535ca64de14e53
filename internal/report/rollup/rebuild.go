package rollup

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Rebuild makes the next generation of some stores' rollups from their statements, while changes are folded into both, tells
// where it differs from the one that is there, lets reports read it, and deletes the old one. It may be killed at any time
// and run again: it goes on where it was. One runs at a time; a second one would do the same work once more, and harm nothing.
type Rebuild struct {
	Tables    table.DB
	Directory Generations
	// Scan gives every statement of a segment of the tables to f, in batches.
	Scan func(ctx context.Context, segment, of int, f func(context.Context, []Event) error) error
	// Settle is how long other processes may go on with what they remember of a store: auth.CacheLife and the time of one
	// invocation. 0 where this is the only process; then Forget tells it.
	Settle time.Duration
	Forget func()
	// Linger is how long reports that are being read when the store switches over may take.
	Linger time.Duration
	// Patience is how long a change may take to come to both generations. What differs for longer is a difference.
	Patience time.Duration
	// KeepFacts is that of its Folder.
	KeepFacts int
	Log       *slog.Logger
	Now       func() time.Time
	Report    func(Progress) // called now and then; nil: nobody is told

	pause func(ctx context.Context, look int) error // nil: by Patience
}

// Generations are the steps of a store to its next generation (auth.Directory).
type Generations interface {
	Store(ctx context.Context, id string) (auth.Store, error)
	BeginGeneration(ctx context.Context, id string) (auth.Store, error)
	SwitchGeneration(ctx context.Context, id string, to int) error
}

// Phase says what a rebuild is doing.
type Phase string

// The phases, in their order.
const (
	Beginning Phase = "begin"
	Waiting   Phase = "wait until every process folds into the new generation"
	Scanning  Phase = "fold statements"
	Comparing Phase = "compare"
	Switching Phase = "wait until no process reads the old generation"
	Deleting  Phase = "delete the old generation"
	Finished  Phase = "done"
)

// Progress is how far a rebuild is.
type Progress struct {
	Stores      []string `json:"stores"`
	Phase       Phase    `json:"phase"`
	Done        int      `json:"done"` // segments or stores of the phase
	Of          int      `json:"of"`
	Statements  int      `json:"statements"`  // read
	Differences int      `json:"differences"` // between the generations
	Pages       int      `json:"pages"`       // that Differences reads them from
}

// segments is into how many parts the scan is cut: one is done again after a kill.
const segments = 16

// rebuildState is what is kept of a rebuild, so that it can go on.
type rebuildState struct {
	Stores   []rebuiltStore `json:"stores"`
	Until    time.Time      `json:"until"` // of the phases that wait
	Progress Progress       `json:"progress"`
}

type rebuiltStore struct {
	ID   string `json:"id"`
	From int    `json:"from"`
	To   int    `json:"to"`
	// Same: both generations count days by one time zone, so that buckets can be compared.
	Same bool `json:"same"`
}

var rebuildRef = table.Ref{Table: schema.Checkpoints, Key: table.Key{Partition: "rebuild"}}

// errOther says that a rebuild of other stores is unfinished.
var errOther = errors.New("a rebuild of other stores is not finished: run `cairn rebuild` without -store to finish it")

// Run rebuilds the stores, or finishes the rebuild of them that was begun. Without stores it only finishes one.
func (r *Rebuild) Run(ctx context.Context, stores []string) (Progress, error) {
	state, err := r.resume(ctx, stores)
	if err != nil || state == nil {
		return Progress{Phase: Finished}, err
	}
	if r.pause == nil {
		r.pause = pausesOf(r.Patience)
	}
	steps := map[Phase]func(context.Context, *rebuildState) error{
		Beginning: r.begin, Waiting: r.wait, Scanning: r.scan, Comparing: r.compare, Switching: r.switchOver, Deleting: r.deleteOld,
	}
	for state.Progress.Phase != Finished {
		r.report(state)
		if err := steps[state.Progress.Phase](ctx, state); err != nil {
			return state.Progress, fmt.Errorf("rebuild rollups: %s: %w", state.Progress.Phase, err)
		}
	}
	if _, _, err := r.Tables.Apply(ctx, table.Delete(rebuildRef)); err != nil {
		return state.Progress, fmt.Errorf("end rebuild: %w", err)
	}
	r.report(state)
	return state.Progress, nil
}

func (r *Rebuild) report(state *rebuildState) {
	if r.Report != nil {
		r.Report(state.Progress)
	}
}

// Unfinished tells how far the rebuild is that was begun and not finished; false when there is none.
func Unfinished(ctx context.Context, tables table.DB) (Progress, bool, error) {
	state, err := unfinished(ctx, tables)
	if err != nil || state == nil {
		return Progress{}, false, err
	}
	return state.Progress, true, nil
}

func unfinished(ctx context.Context, tables table.DB) (*rebuildState, error) {
	item, _, err := tables.Get(ctx, rebuildRef, table.Strong)
	if err == nil && item == nil {
		return nil, nil
	}
	var state rebuildState
	if err == nil {
		err = json.Unmarshal([]byte(item[schema.Sequence].S), &state)
	}
	if err != nil {
		return nil, fmt.Errorf("read rebuild: %w", err)
	}
	return &state, nil
}

// resume reads the state of a rebuild, or makes one. nil when there is nothing to do.
func (r *Rebuild) resume(ctx context.Context, stores []string) (*rebuildState, error) {
	state, err := unfinished(ctx, r.Tables)
	if err != nil || state == nil && len(stores) == 0 {
		return nil, err
	}
	for _, id := range stores {
		if state != nil && !slices.Contains(state.Progress.Stores, id) {
			return nil, errOther
		}
		if _, err := r.Directory.Store(ctx, id); err != nil { // one that is not there would never come to an end
			return nil, fmt.Errorf("begin rebuild: %w", err)
		}
	}
	if state == nil {
		state = &rebuildState{Progress: Progress{Phase: Beginning, Stores: stores}}
		err = r.save(ctx, state)
	}
	return state, err
}

// begin lets changes be folded into the new generations too. The state is saved before: from here on it costs twice, so a rebuild
// that dies must be known.
func (r *Rebuild) begin(ctx context.Context, state *rebuildState) error {
	if err := forgetDifferences(ctx, r.Tables); err != nil {
		return err
	}
	state.Stores = nil
	for _, id := range state.Progress.Stores {
		store, err := r.Directory.BeginGeneration(ctx, id)
		if err != nil {
			return err
		}
		state.Stores = append(state.Stores, rebuiltStore{
			ID: id, From: store.Generation, To: store.Building, Same: store.NextTimeZone == "" || store.NextTimeZone == store.TimeZone,
		})
	}
	r.Forget()
	state.Until = r.Now().Add(r.Settle)
	return r.next(ctx, state, Waiting, 1)
}

func (r *Rebuild) save(ctx context.Context, state *rebuildState) error {
	text, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("encode rebuild: %w", err)
	}
	item := table.Item{schema.PK: table.S(rebuildRef.Key.Partition), schema.Sequence: table.S(string(text))}
	if _, _, err := r.Tables.Apply(ctx, table.Put(rebuildRef.Table, item)); err != nil {
		return fmt.Errorf("save rebuild: %w", err)
	}
	r.report(state)
	return nil
}

// next goes on to another phase.
func (r *Rebuild) next(ctx context.Context, state *rebuildState, phase Phase, of int) error {
	state.Progress.Phase, state.Progress.Done, state.Progress.Of = phase, 0, of
	return r.save(ctx, state)
}

// wait lets every other process learn of the new generation. What it folds from then on goes into both.
func (r *Rebuild) wait(ctx context.Context, state *rebuildState) error {
	if err := r.sleep(ctx, state.Until); err != nil {
		return err
	}
	return r.next(ctx, state, Scanning, segments)
}

func (r *Rebuild) sleep(ctx context.Context, until time.Time) error {
	return table.Sleep(ctx, until.Sub(r.Now()))
}

// folder folds into the new generations alone. It reads no store twice: what counts is how the rebuild began.
func (r *Rebuild) folder(ctx context.Context, state *rebuildState) (*Folder, error) {
	known := map[string]auth.Store{}
	into := map[string][]generation{}
	for _, s := range state.Stores {
		store, err := r.Directory.Store(ctx, s.ID)
		if err != nil {
			return nil, fmt.Errorf("read store: %w", err)
		}
		all, err := generations(store)
		if err != nil {
			return nil, err
		}
		known[s.ID] = store
		into[s.ID] = slices.DeleteFunc(all, func(g generation) bool { return g.generation != s.To })
	}
	f := NewFolder(Folder{Tables: r.Tables, Log: r.Log, Now: r.Now, KeepFacts: r.KeepFacts, Stores: &Stores{Now: r.Now, Read: func(_ context.Context, id string) (auth.Store, error) {
		return known[id], nil
	}}})
	f.only = func(s auth.Store) []generation { return into[s.ID] }
	return f, nil
}

// scan folds every statement into the new generations; those that are not live leave their tombstones. It may meet the stream
// at any statement: both bring the same to a set.
func (r *Rebuild) scan(ctx context.Context, state *rebuildState) error {
	f, err := r.folder(ctx, state)
	if err != nil {
		return err
	}
	for state.Progress.Done < segments {
		err := r.Scan(ctx, state.Progress.Done, segments, func(ctx context.Context, events []Event) error {
			events = slices.DeleteFunc(events, func(e Event) bool { return !slices.Contains(state.Progress.Stores, e.Store) })
			if err := foldPatiently(ctx, f, events); err != nil {
				return err
			}
			state.Progress.Statements += len(events)
			r.report(state)
			return nil
		})
		if err != nil {
			return err
		}
		state.Progress.Done++
		if err := r.save(ctx, state); err != nil {
			return err
		}
	}
	return r.next(ctx, state, Comparing, len(state.Stores))
}

// patience is how often a busy table is tried before a scan gives up.
const patience = 20

// foldPatiently folds, again when the table is busy: the whole is idempotent.
func foldPatiently(ctx context.Context, f *Folder, events []Event) error {
	for try := 1; ; try++ {
		err := f.Fold(ctx, events)
		if err == nil || !table.Retryable(err) || try == patience {
			return err
		}
		if err := table.Pause(ctx, try); err != nil {
			return err
		}
	}
}

// compare tells where the generations differ. The old one was right as long as nothing went wrong, and the new one is.
func (r *Rebuild) compare(ctx context.Context, state *rebuildState) error {
	for state.Progress.Done < len(state.Stores) {
		s := state.Stores[state.Progress.Done]
		found := &foundDifferences{tables: r.Tables, page: state.Progress.Pages}
		differences, failed := 0, error(nil)
		c := comparison{tables: r.Tables, old: space{s.ID, s.From}, new: space{s.ID, s.To}, pause: r.pause, report: func(d Difference) {
			differences++
			failed = errors.Join(failed, found.add(ctx, d))
			r.Log.WarnContext(ctx, "rebuild: the old generation differs", "store", d.Store, "what", d.What, "detail", d.Detail)
		}}
		if err := c.ledgers(ctx); err != nil {
			return err
		}
		if s.Same {
			if err := c.buckets(ctx); err != nil {
				return err
			}
		}
		if err := errors.Join(failed, found.flush(ctx)); err != nil {
			return err
		}
		// A store that is compared again after a kill writes the same pages.
		state.Progress.Differences, state.Progress.Pages = state.Progress.Differences+differences, found.page
		state.Progress.Done++
		if err := r.save(ctx, state); err != nil {
			return err
		}
	}
	for _, s := range state.Stores {
		if err := r.Directory.SwitchGeneration(ctx, s.ID, s.To); err != nil {
			return err
		}
	}
	r.Forget()
	state.Until = r.Now().Add(max(r.Settle, r.Linger))
	return r.next(ctx, state, Switching, 1)
}

// switchOver waits until no process reads the old generation, or folds into it.
func (r *Rebuild) switchOver(ctx context.Context, state *rebuildState) error {
	for _, s := range state.Stores { // a kill may have come between the two
		if err := r.Directory.SwitchGeneration(ctx, s.ID, s.To); err != nil {
			return err
		}
	}
	if err := r.sleep(ctx, state.Until); err != nil {
		return err
	}
	return r.next(ctx, state, Deleting, len(state.Stores))
}

func (r *Rebuild) deleteOld(ctx context.Context, state *rebuildState) error {
	for state.Progress.Done < len(state.Stores) {
		s := state.Stores[state.Progress.Done]
		if err := deleteSpace(ctx, r.Tables, space{s.ID, s.From}); err != nil {
			return err
		}
		state.Progress.Done++
		if err := r.save(ctx, state); err != nil {
			return err
		}
	}
	state.Progress.Phase = Finished
	return nil
}

// deleteSpace deletes all rows of a generation. The names go last: they tell which scopes there are.
func deleteSpace(ctx context.Context, tables table.DB, s space) error {
	names, err := readContents(ctx, tables, s, &Reads{})
	if err != nil {
		return err
	}
	partitions := []string{s.buckets(storeScope), s.partition(freshRow)}
	for shard := range ledgerShards {
		partitions = append(partitions, s.ledgers(shard))
	}
	for _, name := range names {
		partitions = append(partitions, s.index(name.Hash), s.buckets(name.Hash))
	}
	for _, partition := range append(partitions, s.partition(nameRows)) {
		if err := deletePartition(ctx, tables, partition); err != nil {
			return fmt.Errorf("delete %s: %w", partition, err)
		}
	}
	return nil
}

func deletePartition(ctx context.Context, tables table.DB, partition string) error {
	q := table.Query{Table: schema.Rollups, Partition: partition, Consistency: table.Strong}
	for page, err := range table.QueryPages(ctx, tables, q) {
		if err != nil {
			return err
		}
		deletes := make([]table.Write, len(page.Items))
		for i, item := range page.Items {
			deletes[i] = table.Delete(table.Ref{Table: schema.Rollups, Key: table.Key{Partition: partition, Sort: item[schema.SK].B}})
		}
		if len(deletes) == 0 {
			continue
		}
		if _, err := tables.Batch(ctx, deletes); err != nil {
			return err
		}
	}
	return nil
}

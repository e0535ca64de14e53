package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// settle is how long other processes may go on with what they remember of a store, and with the batch that they have.
const settle = auth.CacheLife + time.Minute

const (
	// linger is how long one report may take to be read.
	linger = 3 * time.Second

	// A change is folded into both generations, but not at the same moment. This is how long the second may take. A stream
	// tries a batch that failed again after some time.
	patience, patienceOnStream = 3 * time.Second, 20 * time.Second
)

// scanBatch is how many statements of a scan are folded together.
const scanBatch = 500

// scan gives every statement of a segment to f, in batches.
func (r *Rollups) scan(ctx context.Context, segment, of int, f func(context.Context, []rollup.Event) error) error {
	for page, err := range table.ScanPages(ctx, r.scanner, schema.Statements, segment, of) {
		if err != nil {
			return err
		}
		for items := range slices.Chunk(page.Items, scanBatch) {
			events := make([]rollup.Event, len(items))
			for i, item := range items {
				c, err := r.statements.StoredStatement(ctx, item)
				if err != nil {
					return err
				}
				events[i] = eventOf(c)
			}
			if err := f(ctx, events); err != nil {
				return err
			}
		}
	}
	return nil
}

// Rebuild makes the rollups of some stores anew from their statements, of all stores for none, and switches reports over. It goes
// on with a rebuild that was not finished. report is told now and then how far it is.
func (r *Rollups) Rebuild(ctx context.Context, stores []string, report func(rollup.Progress)) (rollup.Progress, error) {
	rebuild := &rollup.Rebuild{
		Tables: r.tables, Directory: r.directory, Scan: r.scan, Settle: settle, Forget: r.stores.Forget, Linger: linger,
		Patience: patienceOnStream, KeepFacts: keepFacts, Log: r.log, Now: r.now, Report: report,
	}
	if r.onlyWriter {
		rebuild.Settle, rebuild.Patience = 0, patience
	}
	progress, err := rebuild.Run(ctx, stores)
	if err != nil || len(progress.Stores) > 0 || len(stores) > 0 {
		return progress, err
	}
	all, err := r.directory.Stores(ctx)
	if err != nil {
		return progress, err
	}
	for _, s := range all {
		stores = append(stores, s.ID)
	}
	return rebuild.Run(ctx, stores)
}

// Differences returns a page, from 0, of what the newest rebuild found; Progress tells how many there are.
func (r *Rollups) Differences(ctx context.Context, page int) ([]rollup.Difference, error) {
	return rollup.Differences(ctx, r.tables, page)
}

var countedRef = table.Ref{Table: schema.Checkpoints, Key: table.Key{Partition: "counted"}}

// CountOlder folds every statement that there is, once for tables that are older than their rollups: the feed does not keep
// their changes. It may be interrupted, repeated, and run while statements are stored.
func (r *Rollups) CountOlder(ctx context.Context) (n int, err error) {
	done, _, err := r.tables.Get(ctx, countedRef, table.Strong)
	if err != nil || done != nil {
		return 0, err
	}
	folder := r.folder(0)
	err = r.scan(ctx, 0, 1, func(ctx context.Context, events []rollup.Event) error {
		n += len(events)
		return folder.Fold(ctx, events)
	})
	if err != nil {
		return n, fmt.Errorf("count older statements: %w", err)
	}
	item := table.Item{schema.PK: table.S(countedRef.Key.Partition), schema.Sequence: table.S("1")}
	if _, _, err := r.tables.Apply(ctx, table.Put(countedRef.Table, item)); err != nil {
		return n, fmt.Errorf("write that older statements are counted: %w", err)
	}
	return n, nil
}

// CountAgain lets the next CountOlder count all statements: changes were lost.
func (r *Rollups) CountAgain(ctx context.Context) error {
	if _, _, err := r.tables.Apply(ctx, table.Delete(countedRef)); err != nil {
		return fmt.Errorf("note that changes were lost: %w", err)
	}
	return nil
}

// Audit compares what reports read with what the statements say. Nothing may be stored meanwhile.
func (r *Rollups) Audit(ctx context.Context, report func(rollup.Difference)) (rollup.AuditSummary, error) {
	audit := &rollup.Audit{Tables: r.tables, Stores: r.directory.Store, Report: report}
	if err := r.scan(ctx, 0, 1, audit.Add); err != nil {
		return audit.Summary, err
	}
	err := audit.Compare(ctx)
	return audit.Summary, err
}

// Background runs one rebuild at a time beside whoever asks for it, so that a command can ask how far it is. It is safe for
// concurrent use.
type Background struct {
	*Rollups

	mu       sync.Mutex
	running  bool
	progress rollup.Progress
	err      error
	stop     context.CancelFunc
	wait     sync.WaitGroup
}

// ErrRunning says that a rebuild runs already.
var ErrRunning = errors.New("a rebuild is running already: `cairn rebuild` without -store shows how far it is")

// Background makes a Background; Stop it.
func (r *Rollups) Background() *Background { return &Background{Rollups: r, stop: func() {}} }

// Resume goes on with a rebuild that was not finished, if there is one: until it is, every change is folded twice.
func (b *Background) Resume(ctx context.Context) error {
	p, unfinished, err := rollup.Unfinished(ctx, b.tables)
	if err != nil {
		return fmt.Errorf("look for a rebuild: %w", err)
	}
	if !unfinished {
		return nil
	}
	b.log.Info("going on with a rebuild that was not finished", "stores", p.Stores, "phase", p.Phase, "done", p.Done, "of", p.Of)
	return b.Start(nil)
}

// Start starts a rebuild of some stores, of all for none. When one runs already it is left alone: that is ErrRunning, unless no
// store is named.
func (b *Background) Start(stores []string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running {
		if len(stores) > 0 {
			return ErrRunning
		}
		return nil
	}
	ctx, stop := context.WithCancel(context.Background())
	b.running, b.progress, b.err, b.stop = true, rollup.Progress{Stores: stores, Phase: rollup.Beginning}, nil, stop
	b.wait.Go(func() {
		defer stop()
		progress, err := b.Rebuild(ctx, stores, b.note)
		switch {
		case ctx.Err() != nil:
			b.log.Info("the rebuild is not finished: it goes on when the folder is served again, or with `cairn rebuild`", "phase", progress.Phase)
		case err != nil:
			b.log.Warn("the rebuild is not finished, and every change is folded twice until it is: `cairn rebuild` goes on with it", "error", err)
		default:
			b.log.Info("the rebuild is done", "statements", progress.Statements, "differences", progress.Differences)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.running, b.progress, b.err = false, progress, err
	})
	return nil
}

// note keeps how far the rebuild is, and logs each phase and each part of the longest one.
func (b *Background) note(p rollup.Progress) {
	b.mu.Lock()
	before := b.progress
	b.progress = p
	b.mu.Unlock()
	if p.Phase != before.Phase || p.Phase == rollup.Scanning && p.Done != before.Done {
		b.log.Info("rebuild", "phase", p.Phase, "done", p.Done, "of", p.Of, "statements", p.Statements)
	}
}

// Progress tells how far the rebuild is, whether it runs still, and how it failed.
func (b *Background) Progress() (p rollup.Progress, running bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.progress, b.running, b.err
}

// Stop ends a rebuild that runs; the next one goes on with it.
func (b *Background) Stop() {
	b.mu.Lock()
	stop := b.stop
	b.mu.Unlock()
	stop()
	b.wait.Wait()
}

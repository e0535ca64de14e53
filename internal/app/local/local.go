// Package local is the local road: a whole Cairn over one data folder.
//
// Layout of the folder:
//
//	tables/      the embedded engine (package table/pebble); its lock guards the whole folder
//	blobs/       one file per object (package blob/disk)
//	admin.sock   while a server runs: how the operator's commands reach it (package operator)
package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/cairn-lrs/cairn/internal/app"
	"github.com/cairn-lrs/cairn/internal/blob/disk"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// ErrInUse says that another process has the data folder open.
var ErrInUse = errors.New("another cairn process is using this data folder")

// Options of an open data folder.
type Options struct {
	Log *slog.Logger // one line per request; nil: none

	ReportBound int // the most ledgers that one report may read; 0: report.DefaultBound

	// IndexDelay makes each index entry late by so much, for tests of what does not depend on their being prompt.
	IndexDelay time.Duration
}

// Cairn is an open data folder.
type Cairn struct {
	*app.App
	Tables *pebble.DB
	Blobs  *disk.Store

	log     *slog.Logger
	traffic traffic
	stop    context.CancelFunc
	wait    sync.WaitGroup
}

// TablesFolder is in every data folder.
const TablesFolder = "tables"

// shards of a new store: one machine has one disk, so spreading would only cost reads.
const shards = 1

// Open opens the folder, making it when it is not there, sees to the default store, and begins to follow the changes.
// The error wraps ErrInUse when another process has the folder.
func Open(ctx context.Context, dir string, o Options) (*Cairn, error) {
	c, err := openQuiet(dir, o)
	if err != nil {
		return nil, err
	}
	if err := c.Directory.EnsureDefault(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.derive(ctx)
	c.follow()
	return c, nil
}

// Handler serves everything, and the signed URLs of large documents.
func (c *Cairn) Handler() http.Handler {
	everything := c.traffic.through(c.App.Handler())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, disk.TransferPath) {
			c.Blobs.ServeHTTP(w, r)
			return
		}
		everything.ServeHTTP(w, r)
	})
}

// derive merges what statements say of activities and agents where that was not done: all, once, of an older folder, and
// the last ones after a crash. Where it fails, as on a full disk, statements are stored and read all the same, so it is
// told, and tried again when the folder is opened next.
func (c *Cairn) derive(ctx context.Context) {
	derivation := &lrs.Derivation{Service: c.Statements, Scanner: c.Tables, Stores: c.Directory.Store, Definers: c.Directory.Definers}
	n, err := derivation.Run(ctx)
	if err == nil {
		_, err = derivation.Recover(ctx)
	}
	switch {
	case err != nil:
		c.log.Warn("what some statements say of activities and agents is not known yet", "error", err)
	case n > 0:
		c.log.Info("derived what older statements say of activities and agents", "statements", n, "skipped", derivation.Skipped)
	}
}

// openQuiet opens the folder and leaves everything in it as it is.
func openQuiet(dir string, o Options) (*Cairn, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	tables, err := pebble.Open(filepath.Join(dir, TablesFolder), schema.Tables, tableOptions(o))
	if errors.Is(err, pebble.ErrLocked) {
		return nil, fmt.Errorf("%w: %w", ErrInUse, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open tables: %w", err)
	}
	blobs, err := disk.Open(filepath.Join(dir, "blobs"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open blobs: %w", err), tables.Close())
	}
	return &Cairn{
		App: app.New(app.Ports{
			Tables: tables, Scanner: tables, Blobs: blobs, Transfer: blobs, Log: o.Log,
			OnlyWriter: true, Shards: shards,
			// The delay of an entry begins when it is written, which is later than its position: hence room for a slow write.
			IndexLag: 2 * o.IndexDelay, ReportBound: o.ReportBound,
		}),
		Tables: tables, Blobs: blobs, log: o.Log,
		stop: func() {},
	}, nil
}

func tableOptions(o Options) pebble.Options {
	if o.IndexDelay == 0 {
		return pebble.Options{}
	}
	return pebble.Options{Faults: &pebble.Faults{IndexDelay: func() time.Duration { return o.IndexDelay }}}
}

// The pauses of follow after an error.
const firstPause, longestPause = 50 * time.Millisecond, 30 * time.Second

// follow completes references that a request left to be done, or died before doing, and folds what changed into what reports
// read: one reader of the feed for both. While it cannot, as on a full disk,
// statements are stored and read all the same, so it is told and tried again, ever more slowly.
func (c *Cairn) follow() {
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	wait := func(ctx context.Context, after string) error { return c.Tables.Wait(ctx, schema.Statements, after) }
	latest := func(ctx context.Context) (string, error) { return c.Tables.Latest(ctx, schema.Statements) }
	lag := func(after string) (float64, error) { return c.Tables.Lag(schema.Statements, after) }
	follower := &lrs.Follower{Service: c.Statements, Wait: wait, Latest: latest, Lag: lag, Also: c.Rollups.Fold(0), Busy: c.traffic.busy}
	follower.Trimmed = func() {
		if err := c.Rollups.CountAgain(ctx); err != nil {
			c.log.Warn("changes were lost before reports had them: run `cairn rebuild`", "error", err)
			return
		}
		c.wait.Go(func() { c.countOlder(ctx) })
	}
	c.wait.Go(func() { c.countOlder(ctx) })
	c.wait.Go(func() {
		for pause := firstPause; ; pause = min(2*pause, longestPause) {
			began := time.Now()
			err := follower.Run(ctx)
			if ctx.Err() != nil {
				return
			}
			if time.Since(began) > longestPause { // it had recovered
				pause = firstPause
			}
			c.log.Warn("references are not completed and reports not kept now", "error", err, "again_in", pause)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return
			}
		}
	})
}

// countOlder counts, once, the statements of a folder that is older than its rollups.
func (c *Cairn) countOlder(ctx context.Context) {
	n, err := c.Rollups.CountOlder(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		c.log.Warn("older statements are not in reports yet", "error", err)
	case n > 0:
		c.log.Info("older statements are in reports now", "statements", n)
	}
}

// Close ends what runs, merges what waits, and closes the engines. No request may be in flight any more.
func (c *Cairn) Close() error {
	c.stop()
	c.wait.Wait()
	return errors.Join(c.Statements.MergeWaiting(context.Background()), c.Blobs.Close(), c.Tables.Close())
}

package lrs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Follower reads the change feed of Statements and completes what requests left: requests that died after their commit, and
// requests with more waiting statements than they complete themselves. Locally it runs beside the server; in the cloud the feed
// comes as events, whose changes are given to Complete.
type Follower struct {
	*Service
	// Wait returns when Statements has a change after the sequence number, or with the context's error.
	Wait func(ctx context.Context, after string) error
	// Also gets the changes after they were completed, in the feed's order, and at least once; nil: nobody. When a table is busy
	// it gets the changes again; any other error ends Run.
	Also func(ctx context.Context, changes []table.Change) error
	// Latest returns the newest sequence number of the feed, up to which a checkpoint says that definitions and names are merged,
	// however far behind Also is. nil where nobody recovers.
	Latest func(ctx context.Context) (string, error)
	// Busy reports whether requests are being served, to which Run leaves the machine; nil: always.
	Busy func() bool
	// Lag returns which share of the feed lies after a sequence number. At 1 changes are about to be trimmed before they are
	// read. nil: always 0.
	Lag func(after string) (float64, error)
	// Trimmed is called when changes were trimmed before they were read; nil: nobody is told.
	Trimmed func()

	after  map[string]string // by shard: the last change that is done with
	ended  map[string]bool   // shards that will have no more changes
	latest string            // the greatest sequence number seen
	saved  time.Time         // when the checkpoints were written
}

// Requests come first: while there are some, a pass rests for longer than it works (table.Pace). The feed is not kept for ever,
// so the further behind the follower is, the shorter it rests. Between passes changes gather: several of one learner, counted
// together, cost little more than one.
const (
	followPage     = 1000 // changes of one read
	followBatch    = 5000 // changes at once, some 3 KB each
	longestRest    = 9    // times as long as the work before it
	farBehind      = 0.5  // of the feed: no rest any more
	shortestGather = 50 * time.Millisecond
	longestGather  = 2 * time.Second

	checkpointEvery = time.Second // a restart repeats what came after a checkpoint, which is harmless
)

// Run follows until the context ends, and returns its error, or the first other one. A change that cannot be completed
// now is tried again, so an error is one of reading.
func (f *Follower) Run(ctx context.Context) error {
	busy := f.Busy
	if busy == nil {
		busy = func() bool { return true }
	}
	for {
		began := f.Positions.Now()
		rest, err := f.rest()
		if err != nil {
			return err
		}
		n, err := f.Pass(table.WithPace(ctx, table.NewPace(rest, busy)))
		if err != nil {
			return err
		}
		if n >= followBatch {
			continue
		}
		gather := min(max(f.Positions.Now().Sub(began), shortestGather), longestGather)
		if err := f.Wait(ctx, f.latest); err != nil {
			return err
		}
		select {
		case <-time.After(gather):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// rest is how many times as long as it works the next pass rests.
func (f *Follower) rest() (int, error) {
	if f.Lag == nil {
		return longestRest, nil
	}
	lag, err := f.Lag(f.latest)
	if err != nil {
		return 0, fmt.Errorf("ask how far behind the feed is: %w", err)
	}
	return int(longestRest * max(0, 1-lag/farBehind)), nil
}

// Pass completes the changes that are there, a batch of each shard, and returns how many there were.
func (f *Follower) Pass(ctx context.Context) (n int, err error) {
	if f.after == nil {
		f.after, f.ended = map[string]string{}, map[string]bool{}
	}
	shards, err := f.Tables.Shards(ctx, schema.Statements)
	if err != nil {
		return 0, fmt.Errorf("list shards: %w", err)
	}
	for _, shard := range shards {
		if f.ended[shard.ID] || shard.Parent != "" && !f.ended[shard.Parent] {
			continue // an item's older changes stand in the parent
		}
		done, err := f.passShard(ctx, shard.ID)
		if err != nil {
			return n, err
		}
		n += done
	}
	if now := f.Positions.Now(); n > 0 && now.Sub(f.saved) >= checkpointEvery {
		f.saved = now
		return n, f.save(ctx)
	}
	return n, nil
}

func (f *Follower) passShard(ctx context.Context, shard string) (n int, err error) {
	after, known := f.after[shard]
	if !known {
		if after, err = f.checkpoint(ctx, checkpointOf(shard)); err != nil {
			return 0, err
		}
	}
	changes, open, err := f.changes(ctx, shard, after, f.Trimmed)
	if err != nil {
		return 0, err
	}
	f.ended[shard] = !open && len(changes) == 0
	if err := f.completeAll(ctx, changes); err != nil {
		return 0, err
	}
	f.after[shard] = after
	if len(changes) > 0 {
		last := changes[len(changes)-1].Sequence
		f.after[shard] = last
		f.latest = later(f.latest, last)
	}
	return len(changes), nil
}

// changes reads a batch of changes to Statements after a sequence number. When the process was down for longer than they are
// kept, it calls trimmed, unless that is nil, and begins at the oldest change there is.
func (s *Service) changes(ctx context.Context, shard, after string, trimmed func()) (changes []table.Change, open bool, err error) {
	for len(changes) < followBatch {
		page, more, err := s.Tables.Changes(ctx, schema.Statements, shard, after, followPage)
		if errors.Is(err, table.ErrTrimmed) {
			if trimmed != nil {
				trimmed()
			}
			after = ""
			continue
		}
		if err != nil {
			return nil, false, fmt.Errorf("read changes: %w", err)
		}
		changes, open = append(changes, page...), more
		if len(page) < followPage {
			break
		}
		after = page[len(page)-1].Sequence
	}
	return changes, open, nil
}

// completeAll completes a batch of changes and hands it on, again and again until it works or the context ends.
func (f *Follower) completeAll(ctx context.Context, changes []table.Change) error {
	for try := 0; ; try++ {
		err := f.Complete(ctx, changes...)
		if err == nil && f.Also != nil && len(changes) > 0 {
			err = f.Also(ctx, changes)
		}
		if err == nil || !table.Retryable(err) {
			return err
		}
		if err := table.Pause(ctx, min(try+1, maxCommits)); err != nil {
			return err
		}
	}
}

// checkpointOf is the row that keeps the last change of a shard that the follower has completed.
func checkpointOf(shard string) string { return "complete#" + shard }

// checkpoint reads a sequence number; "" for none.
func (s *Service) checkpoint(ctx context.Context, row string) (after string, err error) {
	item, _, err := s.Tables.Get(ctx, table.Ref{Table: schema.Checkpoints, Key: table.Key{Partition: row}}, table.Strong)
	if err != nil {
		return "", fmt.Errorf("read checkpoint: %w", err)
	}
	return item[schema.Sequence].S, nil
}

// mergeCheckpoint is the row that keeps the change up to which everything is merged. It is ahead of the others where reports are
// behind.
const mergeCheckpoint = "merge"

func (f *Follower) save(ctx context.Context) error {
	checkpoints := map[string]string{}
	for shard, after := range f.after {
		checkpoints[checkpointOf(shard)] = after
	}
	if f.Latest != nil {
		latest, err := f.Latest(ctx)
		if err != nil {
			return err
		}
		checkpoints[mergeCheckpoint] = latest
	}
	// Recovery relies on everything before a checkpoint being merged. So the requests of these changes must be over, and what
	// they left waiting is merged now.
	if err := f.Positions.Drain(ctx); err != nil {
		return err
	}
	if err := f.MergeWaiting(ctx); err != nil {
		return err
	}
	for row, sequence := range checkpoints {
		item := table.Item{schema.PK: table.S(row), schema.Sequence: table.S(sequence)}
		if _, _, err := f.Tables.Apply(ctx, table.Put(schema.Checkpoints, item)); err != nil && !table.Retryable(err) {
			return fmt.Errorf("write checkpoint: %w", err)
		}
	}
	return nil
}

// mergedThrough is the change of a shard up to which what statements say is known to be merged.
func (s *Service) mergedThrough(ctx context.Context, shard string) (after string, err error) {
	if after, err = s.checkpoint(ctx, checkpointOf(shard)); err != nil {
		return "", err
	}
	merged, err := s.checkpoint(ctx, mergeCheckpoint)
	return later(after, merged), err
}

// later is the greater of two decimal sequence numbers, which either have no leading zeros or are of one length; "" is before
// all.
func later(a, b string) string {
	if len(b) > len(a) || len(b) == len(a) && b > a {
		return b
	}
	return a
}

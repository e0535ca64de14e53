package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Follower gives the changes of one table to a function, in this process; a Lambda function has the event source do it.
// Each change is given at least once, those of one item in their order.
type Follower struct {
	Tables table.DB
	Table  string
	Name   string // of the consumer, which its checkpoint is kept under
	Apply  func(ctx context.Context, change table.Change) error
	Log    *slog.Logger

	// Wait returns when there may be changes after a sequence number, or with the context's error.
	Wait func(ctx context.Context, table, after string) error
}

const (
	followBatch        = 200
	checkpointInterval = time.Second
	applyAttempts      = 5
	firstRetry         = 50 * time.Millisecond
	longestRetry       = 30 * time.Second
)

// Run follows until the context ends. A change that cannot be applied in applyAttempts is logged and left out, so that it
// does not hold up the others; every other error is logged and tried again, ever more slowly.
func (f Follower) Run(ctx context.Context) {
	p := progress{reached: map[string]string{}, saved: map[string]string{}}
	pause := firstRetry
	for ctx.Err() == nil {
		err := f.step(ctx, &p)
		if err == nil || ctx.Err() != nil {
			pause = firstRetry
			continue
		}
		f.Log.Warn("changes cannot be followed now", "consumer", f.Name, "error", err, "again_in", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, longestRetry)
	}
	if err := f.save(context.WithoutCancel(ctx), &p); err != nil {
		f.Log.Warn("checkpoint not kept", "consumer", f.Name, "error", err)
	}
}

// progress is how far a Follower has come, as the sequence number of the last change done, by shard.
type progress struct {
	reached, saved map[string]string
	savedAt        time.Time
}

// step does what there is, or waits for more.
func (f Follower) step(ctx context.Context, p *progress) error {
	some, err := f.round(ctx, p)
	if err != nil {
		return err
	}
	if time.Since(p.savedAt) >= checkpointInterval { // each is a durable write, and forgetting one costs little
		p.savedAt = time.Now()
		if err := f.save(ctx, p); err != nil {
			return err
		}
	}
	if some {
		return nil
	}
	latest := ""
	for _, sequence := range p.reached {
		latest = max(latest, sequence)
	}
	return f.Wait(ctx, f.Table, latest)
}

// round applies at most one batch of each shard, parents before children, and reports whether there was any change.
func (f Follower) round(ctx context.Context, p *progress) (some bool, err error) {
	shards, err := f.Tables.Shards(ctx, f.Table)
	if err != nil {
		return false, fmt.Errorf("list shards: %w", err)
	}
	for _, shard := range shards {
		after, known := p.reached[shard.ID]
		if !known {
			if after, err = f.checkpoint(ctx, shard.ID); err != nil {
				return some, err
			}
			p.reached[shard.ID], p.saved[shard.ID] = after, after
		}
		changes, _, err := f.Tables.Changes(ctx, f.Table, shard.ID, after, followBatch)
		if errors.Is(err, table.ErrTrimmed) {
			f.Log.Warn("changes were trimmed before they were followed", "consumer", f.Name, "shard", shard.ID)
			p.reached[shard.ID] = ""
			return true, nil
		}
		if err != nil {
			return some, fmt.Errorf("read changes: %w", err)
		}
		for _, change := range changes {
			f.apply(ctx, change)
			if ctx.Err() != nil {
				return some, nil
			}
			p.reached[shard.ID] = change.Sequence
			some = true
		}
	}
	return some, nil
}

// apply tries until it is done, the attempts are used up or the context ends.
func (f Follower) apply(ctx context.Context, change table.Change) {
	var err error
	for attempt := range applyAttempts {
		if err = f.Apply(ctx, change); err == nil {
			return
		}
		select {
		case <-time.After(firstRetry << attempt):
		case <-ctx.Done():
			return
		}
	}
	f.Log.Error("change left out", "consumer", f.Name, "shard", change.Shard, "sequence", change.Sequence, "error", err)
}

func (f Follower) checkpoint(ctx context.Context, shard string) (sequence string, err error) {
	item, _, err := f.Tables.Get(ctx, f.checkpointRef(shard), table.Strong)
	if err != nil {
		return "", fmt.Errorf("read checkpoint: %w", err)
	}
	return item[schema.Sequence].S, nil
}

// save keeps how far each shard has been followed. What a crash makes it forget is followed again.
func (f Follower) save(ctx context.Context, p *progress) error {
	for shard, sequence := range p.reached {
		if sequence == p.saved[shard] {
			continue
		}
		set := table.SetTo(schema.Sequence, table.S(sequence))
		if _, _, err := f.Tables.Apply(ctx, table.Update(f.checkpointRef(shard), []table.Action{set})); err != nil {
			return fmt.Errorf("write checkpoint: %w", err)
		}
		p.saved[shard] = sequence
	}
	return nil
}

func (f Follower) checkpointRef(shard string) table.Ref {
	return table.Ref{Table: schema.Checkpoints, Key: table.Key{Partition: f.Name + "#" + shard}}
}

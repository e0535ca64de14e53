package lrs

import (
	"context"
	"errors"
	"fmt"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// Derivation merges definitions and names from stored statements. Run does so once for a data folder that is older than these
// merged items: it has the statements, but not yet what they say. It may be interrupted, repeated, and run while statements are
// stored. It reads in the order of a scan, so of three texts A, B, A the second may be left (xapi's README, "How definitions
// merge").
type Derivation struct {
	*Service
	Scanner table.Scanner
	Stores  func(ctx context.Context, id string) (auth.Store, error)

	// Definers returns who may define: a statement by another authority brought nothing.
	Definers func(ctx context.Context) (func(authority xapi.IFI) bool, error)

	// Skipped counts the statements that could not be read: `cairn fsck` tells which.
	Skipped int
}

// derivedVersion is to be raised whenever there is a new kind of merged item, so that Run derives it too.
const derivedVersion = "1"

var derivedRef = table.Ref{Table: schema.Checkpoints, Key: table.Key{Partition: "derive"}}

// deriveBatch is how many statements are merged together.
const deriveBatch = 500

// Run derives unless that was done before, and returns how many statements it read.
func (d *Derivation) Run(ctx context.Context) (n int, err error) {
	done, _, err := d.Tables.Get(ctx, derivedRef, table.Strong)
	if err != nil || done[schema.Sequence].S == derivedVersion {
		return 0, err
	}
	mayDefine, err := d.Definers(ctx)
	if err != nil {
		return 0, err
	}
	brought := map[string]contributions{} // by store
	for item, err := range scanned(ctx, d.Scanner, schema.Statements) {
		if err != nil {
			return n, err
		}
		n++
		if err := d.add(ctx, item, brought, mayDefine); err != nil {
			return n, err
		}
		if n%deriveBatch != 0 {
			continue
		}
		if err := d.merge(ctx, brought); err != nil {
			return n, err
		}
	}
	if err := d.merge(ctx, brought); err != nil {
		return n, err
	}
	item := table.Item{schema.PK: table.S(derivedRef.Key.Partition), schema.Sequence: table.S(derivedVersion)}
	if _, _, err := d.Tables.Apply(ctx, table.Put(derivedRef.Table, item)); err != nil {
		return n, fmt.Errorf("write that it was derived: %w", err)
	}
	return n, nil
}

// Recover merges what a crash may have lost: what the statements after the Follower's checkpoints brought. It returns how many
// these are. It is for a process that is the only writer, before it serves.
func (d *Derivation) Recover(ctx context.Context) (n int, err error) {
	shards, err := d.Tables.Shards(ctx, schema.Statements)
	if err != nil {
		return 0, fmt.Errorf("list shards: %w", err)
	}
	mayDefine, err := d.Definers(ctx)
	if err != nil {
		return 0, err
	}
	for _, shard := range shards {
		after, err := d.mergedThrough(ctx, shard.ID)
		if err != nil {
			return n, err
		}
		for {
			changes, _, err := d.changes(ctx, shard.ID, after, nil)
			if err != nil {
				return n, err
			}
			if len(changes) == 0 {
				break
			}
			after = changes[len(changes)-1].Sequence
			brought := map[string]contributions{}
			for _, change := range changes {
				if change.Old != nil || change.New == nil {
					continue
				}
				n++
				if err := d.add(ctx, change.New, brought, mayDefine); err != nil {
					return n, err
				}
			}
			if err := d.merge(ctx, brought); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// merge merges what was brought, by store, and forgets it.
func (d *Derivation) merge(ctx context.Context, brought map[string]contributions) error {
	for _, c := range brought {
		if err := d.contribute(ctx, c.all()); err != nil {
			return fmt.Errorf("derive what statements say: %w", err)
		}
	}
	clear(brought)
	return d.MergeWaiting(ctx)
}

// add takes what one stored statement brings.
func (d *Derivation) add(ctx context.Context, item table.Item, brought map[string]contributions, mayDefine func(xapi.IFI) bool) error {
	r, err := recordOf(item)
	if err != nil {
		d.Skipped++
		return nil
	}
	in, err := d.decoded(ctx, r)
	if errors.Is(err, blob.ErrUnavailable) || ctx.Err() != nil {
		return err
	}
	if err != nil || in.Authority == nil {
		d.Skipped++
		return nil
	}
	if !mayDefine(in.Authority.IFI) {
		return nil
	}
	c, ok := brought[r.store]
	if !ok {
		store, err := d.Stores(ctx, r.store)
		if err != nil {
			return err
		}
		c = d.newContributions(store)
		brought[r.store] = c
	}
	c.add(in, in.Authority, r.position)
	return nil
}

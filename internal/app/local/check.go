package local

import (
	"context"
	"errors"

	"github.com/cairn-lrs/cairn/internal/app"
	"github.com/cairn-lrs/cairn/internal/lrs"
)

// DamagedTables says that the engine's own verification failed: a checksum, or an index that is not what its items say.
const DamagedTables = "damaged tables"

// Check opens the folder, finishes what a killed server left to be done, and checks everything in it (app.App.Check). The
// error may also be one of opening, and wraps ErrInUse when another process has the folder.
func Check(ctx context.Context, dir string, o app.CheckOptions) (s app.CheckSummary, err error) {
	c, err := openQuiet(dir, Options{})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	s, err = c.check(ctx, o)
	if ctx.Err() != nil {
		return s, err
	}
	problem := c.Tables.Verify(ctx)
	if problem == nil || ctx.Err() != nil {
		return s, errors.Join(err, problem)
	}
	s.Differences++ // and the reason why the rest could not be checked, if it could not
	o.Report(lrs.Difference{What: DamagedTables, Detail: problem.Error()})
	return s, nil
}

// check finishes what was left and checks what is in the tables.
func (c *Cairn) check(ctx context.Context, o app.CheckOptions) (s app.CheckSummary, err error) {
	var lost error
	follower := &lrs.Follower{Service: c.Statements, Also: c.Rollups.Fold(0), Trimmed: func() { lost = c.Rollups.CountAgain(ctx) }}
	for n := 1; n > 0 && lost == nil; {
		if n, err = follower.Pass(ctx); err != nil {
			return s, err
		}
	}
	if lost != nil {
		return s, lost
	}
	if _, err := c.Rollups.CountOlder(ctx); err != nil {
		return s, err
	}
	return c.Check(ctx, c.Tables, c.Blobs, o)
}

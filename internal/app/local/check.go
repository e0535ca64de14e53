package local

import (
	"context"
	"errors"

	"github.com/cairn-lrs/cairn/internal/lrs"
)

// DamagedTables says that the engine's own verification failed: a checksum, or an index that is not what its items say.
const DamagedTables = "damaged tables"

// Check opens the folder, finishes what a killed server left to be done, compares everything in it with what the stored
// statements say, and calls report for each difference. The error is one of opening or reading, and wraps ErrInUse when
// another process has the folder.
func Check(ctx context.Context, dir string, report func(lrs.Difference)) (summary lrs.CheckSummary, err error) {
	c, err := openQuiet(dir, Options{})
	if err != nil {
		return summary, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	follower := &lrs.Follower{Service: c.Statements}
	for n := 1; n > 0; {
		if n, err = follower.Pass(ctx); err != nil {
			return summary, err
		}
	}
	check := &lrs.Check{Service: c.Statements, Scanner: c.Tables, Stores: c.Directory.Store, Report: report}
	if summary, err = check.Run(ctx); err != nil {
		return summary, err
	}
	if problem := c.Tables.Verify(ctx); problem != nil {
		if ctx.Err() != nil {
			return summary, problem
		}
		summary.Differences++
		report(lrs.Difference{What: DamagedTables, Detail: problem.Error()})
	}
	return summary, nil
}

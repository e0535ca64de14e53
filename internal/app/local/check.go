package local

import (
	"context"
	"errors"
	"strings"

	"github.com/cairn-lrs/cairn/internal/document"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
)

// DamagedTables says that the engine's own verification failed: a checksum, or an index that is not what its items say.
const DamagedTables = "damaged tables"

// CheckOptions say what Check tells and does.
type CheckOptions struct {
	Report        func(lrs.Difference) // called for each difference
	RemoveGarbage bool                 // contents that no document points to, older than document.GarbageAge, are removed
}

// CheckSummary counts what a check has seen.
type CheckSummary struct {
	Statements  lrs.CheckSummary
	Documents   document.CheckSummary
	Rollups     rollup.AuditSummary
	Differences int
}

// Check opens the folder, finishes what a killed server left to be done, compares everything in it with what the stored
// statements say and every document with its record. The error is one of opening, reading or removing, and wraps
// ErrInUse when another process has the folder.
func Check(ctx context.Context, dir string, o CheckOptions) (s CheckSummary, err error) {
	c, err := openQuiet(dir, Options{})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
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
	report := func(d lrs.Difference) {
		s.Differences++
		o.Report(d)
	}
	statements := &lrs.Check{Service: c.Statements, Scanner: c.Tables, Stores: c.Directory.Store, Report: report}
	if s.Statements, err = statements.Run(ctx); err != nil {
		return s, err
	}
	documents := &document.Check{Service: c.Documents, Scanner: c.Tables, Lister: c.Blobs, Remove: o.RemoveGarbage,
		Report: func(d document.Difference) {
			store, _, _ := strings.Cut(d.Partition, "#")
			report(lrs.Difference{Store: store, What: d.What, Detail: "document in " + d.Partition + ": " + d.Detail})
		}}
	if s.Documents, err = documents.Run(ctx); err != nil {
		return s, err
	}
	s.Rollups, err = c.Rollups.Audit(ctx, func(d rollup.Difference) {
		report(lrs.Difference{Store: d.Store, What: d.What, Detail: d.Detail})
	})
	if err != nil {
		return s, err
	}
	if problem := c.Tables.Verify(ctx); problem != nil {
		if ctx.Err() != nil {
			return s, problem
		}
		report(lrs.Difference{What: DamagedTables, Detail: problem.Error()})
	}
	return s, nil
}

package app

import (
	"context"
	"strings"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/document"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
	"github.com/cairn-lrs/cairn/internal/table"
)

// CheckOptions say what Check tells and does.
type CheckOptions struct {
	Report        func(lrs.Difference) // called for each difference
	RemoveGarbage bool                 // what the checks of statements and of documents call garbage in the blob store is removed
}

// CheckSummary counts what a check has seen.
type CheckSummary struct {
	Statements  lrs.CheckSummary
	Documents   document.CheckSummary
	Rollups     rollup.AuditSummary
	Differences int
}

// Check compares everything that is stored, and what reports read, with what the stored statements say, and every document
// with its record. While somebody writes it may report what is only under way. The error is one of reading or removing.
func (a *App) Check(ctx context.Context, scanner table.Scanner, lister blob.Lister, o CheckOptions) (s CheckSummary, err error) {
	report := func(d lrs.Difference) {
		s.Differences++
		o.Report(d)
	}
	statements := &lrs.Check{Service: a.Statements, Scanner: scanner, Lister: lister, Stores: a.Directory.Store, Report: report, Remove: o.RemoveGarbage}
	if s.Statements, err = statements.Run(ctx); err != nil {
		return s, err
	}
	documents := &document.Check{Service: a.Documents, Scanner: scanner, Lister: lister, Remove: o.RemoveGarbage,
		Report: func(d document.Difference) {
			store, _, _ := strings.Cut(d.Partition, "#")
			report(lrs.Difference{Store: store, What: d.What, Detail: "document in " + d.Partition + ": " + d.Detail})
		}}
	if s.Documents, err = documents.Run(ctx); err != nil {
		return s, err
	}
	s.Rollups, err = a.Rollups.Audit(ctx, func(d rollup.Difference) {
		report(lrs.Difference{Store: d.Store, What: d.What, Detail: d.Detail})
	})
	return s, err
}

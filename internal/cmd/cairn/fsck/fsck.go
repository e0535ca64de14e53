// Package fsck tells an operator what a check of a data folder or of a deployed stack has found.
package fsck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/cairn-lrs/cairn/internal/app"
	"github.com/cairn-lrs/cairn/internal/lrs"
)

// ErrDiffers says that differences were found and told.
var ErrDiffers = errors.New("differences were found")

// ExitDiffers is the exit code that stands for ErrDiffers.
const ExitDiffers = 3

// Run checks, prints a line for each difference and one that sums up.
func Run(ctx context.Context, out io.Writer, remove bool, check func(context.Context, app.CheckOptions) (app.CheckSummary, error)) error {
	all, err := check(ctx, app.CheckOptions{RemoveGarbage: remove, Report: func(d lrs.Difference) {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", orDash(d.Store), orDash(d.Statement), d.What, strings.ReplaceAll(d.Detail, "\n", "; "))
	}})
	if err != nil {
		return err
	}
	s, d := all.Statements, all.Documents
	fmt.Fprintf(out, "%d statements, %d index entries, %d term entries, %d references, %d attachments, %d documents: %s\n",
		s.Statements, s.IndexEntries, s.Entries, s.References, s.Blobs, d.Documents, Verdict(all.Differences))
	r := all.Rollups
	fmt.Fprintf(out, "reports: %d facts in %d ledgers, %d sums, %d dead letters\n", r.Facts, r.Ledgers, r.Sums, r.DeadLetters)
	if s.Garbage > 0 {
		fmt.Fprintf(out, "%d entries belong to attempts that failed or to voided statements; they are never listed\n", s.Garbage)
	}
	if s.Contents > 0 {
		fmt.Fprintf(out, "%d contents of %d bytes belong to no statement: %s\n", s.Contents, s.ContentBytes, fate(remove, s.Removed))
	}
	if d.Garbage > 0 {
		fmt.Fprintf(out, "%d contents of %d bytes belong to no document, or were uploads and large answers for a day: %s\n", d.Garbage, d.GarbageSize, fate(remove, d.Removed))
	}
	if all.Differences > 0 {
		return ErrDiffers
	}
	return nil
}

// fate is what became of garbage.
func fate(remove bool, removed int64) string {
	switch {
	case !remove:
		return "-remove-garbage removes them"
	case removed == 0:
		return "kept, because a record that cannot be read may point to them"
	}
	return "removed"
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// Verdict is how many differences there are, in words.
func Verdict(differences int) string {
	switch differences {
	case 0:
		return "all is well"
	case 1:
		return "1 difference"
	}
	return fmt.Sprintf("%d differences", differences)
}

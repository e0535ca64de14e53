package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/lrs"
)

var fsckCommand = command{
	name:    "fsck",
	summary: "Check a data folder against the statements in it",
	details: `The server must be stopped. Every term, entry, index and reference is derived again from the stored statements and compared;
every body, attachment and document is read; what reports read is computed again, and compared. Each difference is one line on stdout: store, statement, what, detail.
Nothing is repaired, but what a killed server left half done is finished first, as its next start would. Memory: about 1,200 bytes a
statement. The exit code is 0 when all is well and 3 when something differs.`,
	run: runFsck,
}

func runFsck(ctx context.Context, t terminal, c command, args []string) error {
	f := t.flags(c)
	data := dataFlag(f)
	remove := f.Bool("remove-garbage", false, "remove contents older than a day that no document points to")
	if _, err := t.parse(f, args, 0, 0); err != nil {
		return err
	}
	if err := mustBeData(*data); err != nil {
		return err
	}
	report := func(d lrs.Difference) {
		fmt.Fprintf(t.out, "%s\t%s\t%s\t%s\n", orDash(d.Store), orDash(d.Statement), d.What, strings.ReplaceAll(d.Detail, "\n", "; "))
	}
	all, err := local.Check(ctx, *data, local.CheckOptions{Report: report, RemoveGarbage: *remove})
	if err != nil {
		return inUse(*data, err)
	}
	s, d := all.Statements, all.Documents
	fmt.Fprintf(t.out, "%d statements, %d index entries, %d term entries, %d references, %d attachments, %d documents: %s\n",
		s.Statements, s.IndexEntries, s.Entries, s.References, s.Blobs, d.Documents, verdict(all.Differences))
	r := all.Rollups
	fmt.Fprintf(t.out, "reports: %d facts in %d ledgers, %d sums, %d dead letters\n", r.Facts, r.Ledgers, r.Sums, r.DeadLetters)
	if s.Garbage > 0 {
		fmt.Fprintf(t.out, "%d entries belong to attempts that failed or to voided statements; they are never listed\n", s.Garbage)
	}
	if d.Garbage > 0 {
		done := "-remove-garbage removes them"
		if *remove {
			done = "removed"
		}
		fmt.Fprintf(t.out, "%d contents of %d bytes belong to no document: %s\n", d.Garbage, d.GarbageSize, done)
	}
	if all.Differences > 0 {
		return errDiffers
	}
	return nil
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func verdict(differences int) string {
	switch differences {
	case 0:
		return "all is well"
	case 1:
		return "1 difference"
	}
	return fmt.Sprintf("%d differences", differences)
}

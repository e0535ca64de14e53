package main

import (
	"context"

	"github.com/cairn-lrs/cairn/internal/app"
	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/cmd/cairn/fsck"
	"github.com/cairn-lrs/cairn/internal/cmd/cairn/operator"
)

var fsckCommand = command{
	name:    "fsck",
	summary: "Check a data folder or a deployed stack against the statements in it",
	details: `Every term, entry, index and reference is derived again from the stored statements and compared; every body, attachment and
document is read; what reports read is computed again, and compared. Each difference is one line on stdout: store, statement,
what, detail. Nothing is repaired. Memory: about 1,200 bytes a statement, and 200 for each attachment of past months. The exit
code is 0 when all is well and 3 when something differs.

Of a data folder the server must be stopped; what a killed server left half done is finished first, as its next start would. A
stack may be in use: then what is only under way can be told as a difference. It is read whole, which is billed: see
infra/README.md.`,
	run: runFsck,
}

func runFsck(ctx context.Context, t terminal, c command, args []string) error {
	f := t.flags(c)
	on := targetFlags(f)
	bucket := f.String("bucket", t.config.Bucket, "with -stack: the `name` of its bucket, its output BucketName; CAIRN_BUCKET does too")
	remove := f.Bool("remove-garbage", false, "remove contents that nothing points to: those of documents and large statements, and uploads, when they are older than a day, attachments when their month is over")
	if _, err := t.parse(f, args, 0, 0); err != nil {
		return err
	}
	if *on.stack != "" {
		return operator.CheckStack(ctx, *on.stack, *bucket, *remove, t.out, t.err)
	}
	if err := mustBeData(*on.data); err != nil {
		return err
	}
	return inUse(*on.data, fsck.Run(ctx, t.out, *remove, func(ctx context.Context, o app.CheckOptions) (app.CheckSummary, error) {
		return local.Check(ctx, *on.data, o)
	}))
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/cairn-lrs/cairn/internal/cmd/cairn/importer"
)

var importCommand = command{
	name:    "import",
	args:    "FILE…",
	summary: "Send files of statements to a running LRS",
	details: `A FILE holds statements as NDJSON or as JSON arrays, plain or gzip; - is standard input. Statements without an id get
one that stays the same, so sending a file again stores nothing twice. What the LRS refuses goes to FILE.refused.ndjson
with its reason. After an interruption the same command goes on where it ended.

Exit code: 0 when all statements are stored, 3 when some were refused, 1 when the import stopped.`,
	run: runImport,
}

func runImport(ctx context.Context, t terminal, c command, args []string) error {
	f := t.flags(c)
	o := importer.Options{Stdin: t.in}
	f.StringVar(&o.Endpoint, "endpoint", "http://127.0.0.1:8080/xapi", "the `URL` of the xAPI endpoint")
	f.StringVar(&o.Key, "key", t.config.Credential.Key, "the access `key`; the environment variable CAIRN_CREDENTIAL=key:secret does too")
	secret := f.String("secret", "", "its `secret`; others on this machine can see it here, and not in CAIRN_CREDENTIAL")
	f.StringVar(&o.Version, "xapi-version", "1.0.3", "the xAPI `version` of statements that do not say 2.x themselves")
	f.IntVar(&o.Concurrency, "concurrency", 4, "`requests` at a time, 1 to 64")
	f.IntVar(&o.Batch, "batch", 50, "`statements` in a request, 1 to 100")
	f.DurationVar(&o.Patience, "patience", 5*time.Minute, "how `long` a request is tried again before the import stops")
	f.StringVar(&o.Statefile, "state", "", "the `file` that remembers how far an interrupted import came (default FILE.import-state)")
	files, err := t.parse(f, args, 1, -1)
	if err != nil {
		return err
	}
	o.Secret = *secret
	if o.Secret == "" && o.Key == t.config.Credential.Key {
		o.Secret = t.config.Credential.Secret
	}
	switch {
	case o.Key == "" || o.Secret == "":
		err = errors.New("a key and a secret are needed: -key and -secret, or the environment variable CAIRN_CREDENTIAL=key:secret")
	case o.Batch < 1 || o.Batch > 100:
		err = errors.New("-batch must be 1 to 100")
	case o.Concurrency < 1 || o.Concurrency > 64:
		err = errors.New("-concurrency must be 1 to 64")
	case o.Statefile != "" && len(files) > 1:
		err = errors.New("-state is for one file")
	}
	if err != nil {
		fmt.Fprintln(t.err, "cairn import:", err)
		return errUsage
	}
	o.Progress = importer.NewBar(t.err, isTerminal(t.err), time.Now)
	refused := false
	for _, file := range files {
		begin := time.Now()
		summary, err := importer.Import(ctx, file, o)
		t.report(file, summary, time.Since(begin))
		if ctx.Err() != nil {
			return errors.New("interrupted: the same command goes on where this one ended")
		}
		if err != nil {
			return err
		}
		refused = refused || summary.Refused > 0
	}
	if refused {
		return errRefused
	}
	return nil
}

// report prints the line that sums an input up.
func (t terminal) report(file string, s importer.Summary, took time.Duration) {
	line := fmt.Sprintf("%s: %d stored, %d refused in %v (%.0f/s)", file, s.Before+s.Stored, s.Refused,
		took.Round(time.Millisecond), importer.Rate(s.Stored, took))
	if s.Before > 0 {
		line += fmt.Sprintf("; %d of the stored by the import before", s.Before)
	}
	if s.RefusedFile != "" {
		line += "; the refused are in " + s.RefusedFile
	}
	fmt.Fprintln(t.out, line)
}

// isTerminal reports whether w draws on a terminal.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// width is how many columns the terminal has on which the output is drawn; 0 when it is drawn on none.
func (t terminal) width() int {
	f, ok := t.out.(*os.File)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil { // a file, or a pipe
		return 0
	}
	return columns
}

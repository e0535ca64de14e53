package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/cmd/cairn/fsck"
	"github.com/cairn-lrs/cairn/internal/cmd/cairn/operator"
)

var storeSetCommand = command{
	name:    "store set",
	summary: "Change a store's settings",
	details: whileServing + ` Only what is named changes. A time zone says when a day begins and ends in reports; it takes effect when
cairn rebuild has counted all statements anew. Reports tell of fewer than -k learners by "<5" only, 5 to 20, and with -hide-names they name
nobody. -test-data says that everything in the store is made up: then -k may be less, so that figures can be compared with a recomputation.
Other processes, as functions, go by what was before for up to a minute.`,
	run: runStoreSet,
}

func runStoreSet(ctx context.Context, t terminal, c command, args []string) error {
	f := t.flags(c)
	on := targetFlags(f)
	store := storeFlag(f)
	zone := f.String("time-zone", "", "the `name` of a time zone, as Europe/Paris")
	k := f.Int("k", 0, "the fewest `learners` that reports tell as a number")
	hide := f.Bool("hide-names", false, "reports name nobody; -hide-names=false names them again")
	test := f.Bool("test-data", false, "the store holds made-up data only")
	if _, err := t.parse(f, args, 0, 0); err != nil {
		return err
	}
	var p auth.Privacy
	f.Visit(func(set *flag.Flag) {
		switch set.Name {
		case "k":
			p.SmallNumber = k
		case "hide-names":
			p.HideNames = hide
		case "test-data":
			p.TestData = test
		}
	})
	if *zone == "" && p == (auth.Privacy{}) {
		fmt.Fprintln(t.err, "cairn store set: nothing to set: name -time-zone, -k, -hide-names or -test-data")
		return errUsage
	}
	return on.withOperator(ctx, func(o operator.Operator) error {
		heading := fmt.Sprintf("store      %s\n", *store) // above what was set, if anything was
		if p != (auth.Privacy{}) {
			if err := o.SetPrivacy(ctx, *store, p); err != nil {
				return err
			}
			fmt.Fprint(t.out, heading, "privacy    set\n")
			heading = ""
		}
		if *zone == "" {
			return nil
		}
		if err := o.SetTimeZone(ctx, *store, *zone); err != nil {
			return err
		}
		fmt.Fprintf(t.out, "%stime zone  %s, when %s rebuild is done\n", heading, *zone, t.program)
		return nil
	})
}

var deadLettersCommand = command{
	name:    "dead-letters",
	summary: "List the statements that reports could not count",
	details: whileServing + ` Each line has the store, the statement's id, since when, and why. The statements themselves are stored and
listed as any other. cairn dead-letters replay tries them again.`,
	run: letters(func(ctx context.Context, t terminal, o operator.Operator, stores []string) error {
		w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "STORE\tSTATEMENT\tSINCE\tREASON")
		for _, store := range stores {
			after := ""
			for {
				some, err := o.DeadLetters(ctx, store, after)
				if err != nil {
					return err
				}
				for _, l := range some.Letters {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.Store, l.Statement, l.When.UTC().Format(time.DateTime), l.Reason)
					after = l.Statement
				}
				if !some.More {
					break
				}
			}
		}
		return w.Flush()
	}),
}

var deadLettersReplayCommand = command{
	name:    "dead-letters replay",
	summary: "Try again to count the statements that reports could not count",
	details: whileServing + " Each statement is read as it is now. None is counted twice. What still cannot be counted stays listed.",
	run: letters(func(ctx context.Context, t terminal, o operator.Operator, stores []string) error {
		var gone, still int
		for _, store := range stores {
			for next, first := "", true; first || next != ""; first = false {
				some, err := o.Replay(ctx, store, next)
				if err != nil {
					return err
				}
				gone, still, next = gone+some.Gone, still+some.Still, some.Next
			}
		}
		fmt.Fprintf(t.out, "%d are done with, %d could not be counted again\n", gone, still)
		return nil
	}),
}

// letters makes the run of a command about the dead letters of one store or all.
func letters(do func(context.Context, terminal, operator.Operator, []string) error) func(context.Context, terminal, command, []string) error {
	return func(ctx context.Context, t terminal, c command, args []string) error {
		f := t.flags(c)
		on := targetFlags(f)
		store := f.String("store", "", "the `id` of one store; all without")
		if _, err := t.parse(f, args, 0, 0); err != nil {
			return err
		}
		return on.withOperator(ctx, func(o operator.Operator) error {
			if *store != "" {
				return do(ctx, t, o, []string{*store})
			}
			all, err := o.Stores(ctx)
			if err != nil {
				return err
			}
			var stores []string
			for _, s := range all {
				stores = append(stores, s.ID)
			}
			return do(ctx, t, o, stores)
		})
	}
}

var rebuildCommand = command{
	name:    "rebuild",
	summary: "Count all statements anew for reports",
	details: whileServing + ` New statements may arrive meanwhile. Reports read what is there until the new count is whole, then switch over at
once. Each difference that is found between the two is one line on stdout. A rebuild that was interrupted goes on where it was, and
cairn serve goes on with one by itself; on a deployed stack it needs CAIRN_BUCKET, the stack's output BucketName. The exit code is 0 when
there was no difference and 3 when there was.`,
	run: func(ctx context.Context, t terminal, c command, args []string) error {
		f := t.flags(c)
		on := targetFlags(f)
		store := f.String("store", "", "the `id` of one store; all without")
		if _, err := t.parse(f, args, 0, 0); err != nil {
			return err
		}
		var stores []string
		if *store != "" {
			stores = []string{*store}
		}
		return on.withOperator(ctx, func(o operator.Operator) error {
			if err := o.Rebuild(ctx, stores); err != nil {
				return err
			}
			return t.watchRebuild(ctx, o)
		})
	},
}

// lookEvery is how often a rebuild is asked how far it is.
const lookEvery = 200 * time.Millisecond

// watchRebuild shows how far a rebuild is until it ends.
func (t terminal) watchRebuild(ctx context.Context, o operator.Operator) error {
	shown := ""
	for {
		p, err := o.Rebuilding(ctx)
		if err != nil {
			return err
		}
		line := fmt.Sprintf("%s: %d of %d, %d statements read", p.Phase, p.Done, p.Of, p.Statements)
		switch {
		case line == shown:
		case isTerminal(t.err):
			fmt.Fprintf(t.err, "\r\x1b[K%s", line)
		case p.Done == 0:
			fmt.Fprintln(t.err, line)
		}
		shown = line
		if !p.Running {
			if isTerminal(t.err) {
				fmt.Fprintln(t.err)
			}
			return t.endRebuild(ctx, o, p)
		}
		select {
		case <-time.After(lookEvery):
		case <-ctx.Done():
			return fmt.Errorf("stopped watching the rebuild: `%s rebuild` goes on with it: %w", t.program, ctx.Err())
		}
	}
}

// endRebuild prints every difference that was found.
func (t terminal) endRebuild(ctx context.Context, o operator.Operator, p operator.Rebuilding) error {
	if p.Problem != "" {
		return errors.New(p.Problem + "; the same command goes on with it")
	}
	for page := range p.Pages {
		found, err := o.Differences(ctx, page)
		if err != nil {
			return err
		}
		for _, d := range found {
			fmt.Fprintf(t.out, "%s\t%s\t%s\n", d.Store, d.What, d.Detail)
		}
	}
	fmt.Fprintf(t.out, "%d statements were read: %s\n", p.Statements, fsck.Verdict(p.Differences))
	if p.Differences > 0 {
		return fsck.ErrDiffers
	}
	return nil
}

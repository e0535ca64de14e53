package main

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/cmd/cairn/operator"
)

const whileServing = "It works on the data folder itself, also while a server runs on it, or with -stack on a deployed stack."

func storeFlag(f *flag.FlagSet) *string {
	return f.String("store", auth.DefaultStore, "the `id` of the store")
}

var storeCreateCommand = command{
	name:    "store create",
	args:    "NAME",
	summary: "Make a store: one tenant's records, apart from all others",
	details: whileServing + " The store's id is printed; `cairn credential create -store ID` makes its first credential.",
	run: operate(1, func(ctx context.Context, t terminal, o operator.Operator, args []string) error {
		s, err := o.CreateStore(ctx, args[0])
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "store  %s\nname   %s\n", s.ID, s.Name)
		return nil
	}),
}

var storeListCommand = command{
	name:    "store list",
	summary: "List the stores",
	details: whileServing,
	run: operate(0, func(ctx context.Context, t terminal, o operator.Operator, _ []string) error {
		stores, err := o.Stores(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "STORE\tTIME ZONE\tNAME")
		for _, s := range stores {
			fmt.Fprintf(w, "%s\t%s\t%s\n", s.ID, s.TimeZone, s.Name)
		}
		return w.Flush()
	}),
}

var storeShardsCommand = command{
	name:    "store shards",
	args:    "N",
	summary: "Spread a store's writes over more shards",
	details: `A store's busiest keys (time, verb, activity) are spread over N partitions, of 1,000 writes a second each in DynamoDB. N grows only, since
what was written over more of them would not be found, to 64 at most: each list asks all of them. Readers take the new number first, and
writers ` + auth.GrowWait.String() + ` later, when nobody can remember the old one. The command waits for that; interrupted, it goes on when run again. ` + whileServing,
	run: func(ctx context.Context, t terminal, c command, args []string) error {
		f := t.flags(c)
		on, store := targetFlags(f), storeFlag(f)
		again := f.Bool("no-wait", false, "do one step and return: the command is to be run again")
		rest, err := t.parse(f, args, 1, 1)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(rest[0])
		if err != nil {
			fmt.Fprintf(t.err, "cairn store shards: %q is no number\n", rest[0])
			return errUsage
		}
		for {
			var now operator.Shards
			err := on.withOperator(ctx, func(o operator.Operator) (err error) {
				now, err = o.GrowShards(ctx, *store, n)
				return err
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(t.out, "store %s: readers ask %d shards, writers spread over %d\n", *store, now.Readers, now.Writers)
			if now.WaitSeconds == 0 {
				return nil
			}
			wait := time.Duration(now.WaitSeconds) * time.Second
			fmt.Fprintf(t.out, "writers follow in %v\n", wait)
			if *again {
				return nil
			}
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	},
}

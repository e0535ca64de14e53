package main

import (
	"context"
	"flag"
	"fmt"
	"text/tabwriter"

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

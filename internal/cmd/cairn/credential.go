package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/cmd/cairn/operator"
)

const remembered = " Functions of a deployed stack remember a credential for up to a minute."

var credentialCreateCommand = command{
	name:    "credential create",
	summary: "Make a credential of a store: a key and its secret",
	details: whileServing + ` The secret is printed this once and cannot be had again.

Scopes are the specification's: statements/write, statements/read/mine, statements/read, state, define, profile,
all/read and all. A credential that reaches learners' browsers should have statements/write and statements/read/mine.`,
	run: func(ctx context.Context, t terminal, c command, args []string) error {
		f := t.flags(c)
		on := targetFlags(f)
		store := storeFlag(f)
		scopes := f.String("scope", string(auth.All), "the `scopes`, separated by commas")
		label := f.String("label", "", "a `text` for people, shown by cairn credential list")
		trusted := f.Bool("trusted", false, "statements keep the authority that they bring, if any: for imports from another LRS")
		if _, err := t.parse(f, args, 0, 0); err != nil {
			return err
		}
		return on.withOperator(ctx, func(o operator.Operator) error {
			made, err := o.CreateCredential(ctx, *store, operator.NewCredential{Label: *label, Scopes: *scopes, Trusted: *trusted})
			if err != nil {
				return err
			}
			fmt.Fprintf(t.out, "store   %s\nkey     %s\nsecret  %s\n", *store, made.Key, made.Secret)
			return nil
		})
	},
}

var credentialListCommand = command{
	name:    "credential list",
	summary: "List the credentials of all stores, without their secrets",
	details: whileServing,
	run: operate(0, func(ctx context.Context, t terminal, o operator.Operator, _ []string) error {
		credentials, err := o.Credentials(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "STORE\tKEY\tCREATED\tSTATUS\tSCOPES\tLABEL")
		for _, c := range credentials {
			status := "active"
			switch {
			case c.Revoked:
				status = "revoked"
			case c.Trusted:
				status = "trusted"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", c.Store, c.Key, c.Created.Format(time.DateOnly), status, c.Scopes, c.Label)
		}
		return w.Flush()
	}),
}

var credentialRotateCommand = command{
	name:    "credential rotate",
	args:    "KEY",
	summary: "Give a credential a new secret; the old one ends at once",
	details: whileServing + " The key, the authority of its statements and the cursors of its lists stay as they are." + remembered,
	run: operate(1, func(ctx context.Context, t terminal, o operator.Operator, args []string) error {
		made, err := o.RotateSecret(ctx, args[0])
		if err != nil {
			return err
		}
		fmt.Fprintf(t.out, "key     %s\nsecret  %s\n", made.Key, made.Secret)
		return nil
	}),
}

var credentialRevokeCommand = command{
	name:    "credential revoke",
	args:    "KEY",
	summary: "End a credential at once and for good; what it stored stays",
	details: whileServing + remembered,
	run: operate(1, func(ctx context.Context, t terminal, o operator.Operator, args []string) error {
		if err := o.Revoke(ctx, args[0]); err != nil {
			return err
		}
		fmt.Fprintf(t.out, "revoked  %s\n", args[0])
		return nil
	}),
}

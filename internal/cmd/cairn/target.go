package main

import (
	"context"
	"errors"
	"flag"

	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/cmd/cairn/operator"
)

// target is what the commands about stores and credentials work on: a data folder or a deployed stack.
type target struct {
	data, stack *string
}

func targetFlags(f *flag.FlagSet) target {
	return target{
		data:  dataFlag(f),
		stack: f.String("stack", "", "the `name` of a deployed stack, instead of a data folder; with the AWS CLI's sign-in and region"),
	}
}

// operate makes the run of a command that has no flag but those of the target and takes n arguments.
func operate(n int, do func(context.Context, terminal, operator.Operator, []string) error) func(context.Context, terminal, command, []string) error {
	return func(ctx context.Context, t terminal, c command, args []string) error {
		f := t.flags(c)
		on := targetFlags(f)
		rest, err := t.parse(f, args, n, n)
		if err != nil {
			return err
		}
		return on.withOperator(ctx, func(o operator.Operator) error { return do(ctx, t, o, rest) })
	}
}

// withOperator reaches the stack, or a data folder that exists: through the server that runs on it, or else by opening it.
func (on target) withOperator(ctx context.Context, do func(operator.Operator) error) error {
	if *on.stack != "" {
		return operator.WithStack(ctx, *on.stack, do)
	}
	if err := mustBeData(*on.data); err != nil {
		return err
	}
	o, err := operator.Dial(ctx, *on.data)
	if err == nil {
		return do(o)
	}
	if !errors.Is(err, operator.ErrNoServer) {
		return err
	}
	folder, err := local.Open(ctx, *on.data, local.Options{})
	if err != nil {
		return inUse(*on.data, err)
	}
	rollups := folder.Rollups.Background()
	err = do(operator.Direct(folder.Directory, rollups))
	rollups.Stop()
	return errors.Join(err, folder.Close())
}

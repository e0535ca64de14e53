package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/cmd/cairn/operator"
)

// defaultData is the data folder of every command that has one.
const defaultData = "./cairn-data"

func dataFlag(f *flag.FlagSet) *string {
	return f.String("data", defaultData, "the data `folder`")
}

// operate makes the run of a command that has no flag but -data and takes n arguments.
func operate(n int, do func(context.Context, terminal, operator.Operator, []string) error) func(context.Context, terminal, command, []string) error {
	return func(ctx context.Context, t terminal, c command, args []string) error {
		f := t.flags(c)
		data := dataFlag(f)
		rest, err := t.parse(f, args, n, n)
		if err != nil {
			return err
		}
		return withOperator(ctx, *data, func(o operator.Operator) error { return do(ctx, t, o, rest) })
	}
}

// withOperator reaches a data folder that exists: through the server that runs on it, or else by opening it.
func withOperator(ctx context.Context, dir string, do func(operator.Operator) error) error {
	if err := mustBeData(dir); err != nil {
		return err
	}
	o, err := operator.Dial(ctx, dir)
	if err == nil {
		return do(o)
	}
	if !errors.Is(err, operator.ErrNoServer) {
		return err
	}
	c, err := local.Open(ctx, dir, local.Options{})
	if err != nil {
		return inUse(dir, err)
	}
	return errors.Join(do(operator.Direct(c.Directory)), c.Close())
}

// mustBeData refuses a folder that no server has made, so that a wrong name does not make one.
func mustBeData(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, local.TablesFolder)); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not a data folder of Cairn: name it with -data, or make it with `cairn serve -data %s`", dir, dir)
	}
	return nil
}

// inUse turns the refusal of a second process into a sentence that says what to do.
func inUse(dir string, err error) error {
	if errors.Is(err, local.ErrInUse) {
		return fmt.Errorf("another cairn process is using the data folder %s: stop it, or name another folder with -data", dir)
	}
	return err
}

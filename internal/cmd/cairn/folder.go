package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cairn-lrs/cairn/internal/app/local"
)

// defaultData is the data folder of every command that has one.
const defaultData = "./cairn-data"

func dataFlag(f *flag.FlagSet) *string {
	return f.String("data", defaultData, "the data `folder`")
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

// Command mutants tests the tests: it breaks one promise at a time and requires that the test which is meant to hold it
// fails, by an assertion. The promises are those that the official test suite does not test, and some of the ways in
// which a store can lose or show what it must not.
//
//	go run ./internal/cmd/mutants              all of them, which takes minutes
//	go run ./internal/cmd/mutants -only void   those whose "name: hole" matches
//
// A mutant is a file in planted: a promise, a few lines of a source file, and what stands there when the promise is broken.
// The tests must pass without it: run `make test` first. It exits with 1 unless every mutant is caught.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// planted holds the mutants, from the module's root.
const planted = "internal/cmd/mutants/planted"

func main() {
	only := flag.String("only", "", "a regular expression that \"name: hole\" must match")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := run(ctx, ".", *only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run tries the mutants one after the other and prints a row for each.
func run(ctx context.Context, root, only string) (ok bool, err error) {
	if root, err = filepath.Abs(root); err != nil {
		return false, err
	}
	all, err := load(filepath.Join(root, planted))
	if err != nil {
		return false, err
	}
	chosen, err := choose(all, only)
	if err != nil {
		return false, err
	}
	tried, missed := 0, 0
	fmt.Printf("| mutant | hole | test | outcome | s | what the test said |\n|---|---|---|---|---|---|\n")
	for _, m := range chosen {
		for _, t := range m.tests {
			r, err := try(ctx, root, m, t)
			if err != nil {
				return false, fmt.Errorf("try %s: %w", m.name, err)
			}
			said := strings.ReplaceAll(r.said, "|", "/")
			fmt.Printf("| %s | %s | %s %s | %s | %d | %.100s |\n", m.name, m.hole, t.pkg, t.name, r.outcome, r.took.Round(time.Second)/time.Second, said)
			if tried++; r.outcome != caught {
				missed++
			}
		}
	}
	fmt.Printf("mutants: %d, trials: %d, caught: %d\n", len(chosen), tried, tried-missed)
	return missed == 0 && tried > 0, nil
}

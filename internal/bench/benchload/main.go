// Command benchload measures Cairn beside its yardsticks. It builds the load generator, starts the floor, the ceiling and
// the Cairn binary one after another, each on a free loopback port over a fresh folder, lets the same scenario run over
// each, and prints one Markdown table. It exits with 1 when any answer was wrong, whatever the speed.
//
//	go build -o bin/cairn ./internal/cmd/cairn
//	go run ./internal/bench/benchload -load "$CAIRN_LOAD" -out bench-results
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

// options are the command's flags.
type options struct {
	load     string        // folder of the generator's source
	cairn    string        // the binary to measure
	out      string        // folder of the JSON lines; "" keeps none
	scenario string        // of the generator
	conc     int           // clients at once
	limit    int           // statements of a page
	ops      int           // most operations of a stage
	dur      time.Duration // most time of a stage
	timeout  time.Duration // most time of everything
	unserved string        // stages whose resource Cairn does not serve
}

func main() {
	var o options
	flag.StringVar(&o.load, "load", "", "folder of the load generator's source")
	flag.StringVar(&o.cairn, "cairn", "bin/cairn", "binary to measure")
	flag.StringVar(&o.out, "out", "", "keep the results as JSON lines in a new file of this folder")
	flag.StringVar(&o.scenario, "scenario", "growth:10000", "scenario of the generator")
	flag.IntVar(&o.conc, "conc", 8, "clients at once")
	flag.IntVar(&o.limit, "limit", 100, "statements of a page")
	flag.IntVar(&o.ops, "n", 2000, "most operations of a stage")
	flag.DurationVar(&o.dur, "dur", 15*time.Second, "most time of a stage")
	flag.DurationVar(&o.timeout, "timeout", 20*time.Minute, "most time of everything")
	flag.StringVar(&o.unserved, "unserved", "", "stages that are not judged, because Cairn does not serve their resource yet")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "benchload:", err)
		os.Exit(1)
	}
}

// errWrongAnswers is the one failure that the table shows in full.
var errWrongAnswers = errors.New("some answers were wrong or a stage did not run; the table's verdicts say which")

func run(ctx context.Context, o options) error {
	if o.load == "" {
		return errors.New("say where the load generator's source is: -load DIR")
	}
	work, err := os.MkdirTemp("", "cairn-bench-")
	if err != nil {
		return fmt.Errorf("make work folder: %w", err)
	}
	defer os.RemoveAll(work)
	g, err := buildGenerator(ctx, o, work)
	if err != nil {
		return err
	}
	var all results
	for _, c := range []contestant{floorServer{}, ceilingServer{}, cairnServer{binary: o.cairn}} {
		rows, err := measure(ctx, g, c, filepath.Join(work, c.name()))
		if err != nil {
			return fmt.Errorf("measure %s: %w", c.name(), err)
		}
		all = append(all, rows...)
	}
	if o.out != "" {
		path, err := keep(g.results, o.out, time.Now())
		if err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, "results kept in", path)
	}
	rows := all.compare(strings.Split(o.unserved, ","))
	fmt.Print(rows.markdown())
	if !rows.sound() {
		return errWrongAnswers
	}
	return nil
}

// measure runs the scenario over one server.
func measure(ctx context.Context, g generator, c contestant, dir string) (results, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	endpoint, stop, err := c.start(ctx, dir)
	if err != nil {
		return nil, err
	}
	rows, err := g.run(ctx, c, endpoint)
	if stopErr := stop(); err == nil && stopErr != nil {
		err = fmt.Errorf("stop: %w", stopErr)
	}
	return rows, err
}

// keep copies the JSON lines into a file named by the time.
func keep(results, dir string, now time.Time) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make results folder: %w", err)
	}
	lines, err := os.ReadFile(results)
	if err != nil {
		return "", fmt.Errorf("read results: %w", err)
	}
	path := filepath.Join(dir, now.UTC().Format("20060102T150405Z")+".jsonl")
	if err := os.WriteFile(path, lines, 0o644); err != nil {
		return "", fmt.Errorf("keep results: %w", err)
	}
	return path, nil
}

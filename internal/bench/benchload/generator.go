package main

import (
	"bufio"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// generator runs the load generator's binary.
type generator struct {
	binary  string
	results string // file of JSON lines that each run appends to
	options options
}

// result is one line that the generator writes: one stage over one server.
type result struct {
	Label      string  `json:"label"`
	Stage      string  `json:"stage"`
	Stored     int     `json:"stored"` // statements stored when the stage ended
	Clients    int     `json:"conc"`
	Operations float64 `json:"ops_per_s"`
	Statements float64 `json:"statements_per_s"`
	Median     float64 `json:"p50_ms"`
	Verdict    string  `json:"verdict"` // "ok", or what was wrong
}

type results []result

// buildGenerator compiles the generator into work. Its source is not part of this module and is left untouched.
func buildGenerator(ctx context.Context, o options, work string) (generator, error) {
	binary := filepath.Join(work, "load")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	cmd.Dir = o.load
	if said, err := cmd.CombinedOutput(); err != nil {
		return generator{}, fmt.Errorf("build load generator: %w\n%s", err, said)
	}
	return generator{binary: binary, results: filepath.Join(work, "results.jsonl"), options: o}, nil
}

// run lets the scenario run over one server and returns that server's results. Wrong answers are no error: the results
// say so.
func (g generator) run(ctx context.Context, c contestant, endpoint string) (results, error) {
	o := g.options
	cmd := exec.CommandContext(ctx, g.binary,
		"-endpoint", endpoint, "-user", credentialKey, "-pass", credentialSecret, "-label", c.name(),
		"-scenario", o.scenario, "-conc", strconv.Itoa(o.conc), "-limit", strconv.Itoa(o.limit),
		"-n", strconv.Itoa(o.ops), "-dur", o.dur.String(), "-skip", c.skips(), "-out", g.results)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !(errors.As(err, &exit) && exit.ExitCode() == 1) {
		return nil, fmt.Errorf("run load generator: %w", err)
	}
	return readResults(g.results, c.name())
}

// readResults reads the lines of one server.
func readResults(path, label string) (results, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	defer file.Close()
	var found results
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var r result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("decode result: %w", err)
		}
		if r.Label == label {
			found = append(found, r)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	return found, nil
}

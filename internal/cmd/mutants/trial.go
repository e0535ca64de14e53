package main

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// outcome is what a test made of a mutant.
type outcome string

const (
	caught   outcome = "caught"
	survived outcome = "SURVIVED"                // the test passed: a test is missing
	crashed  outcome = "CRASHED"                 // the test panicked or ran into its time limit: it asserted nothing
	unbuilt  outcome = "DOES NOT BUILD OR START" // nothing was tried
)

// result is one trial.
type result struct {
	outcome outcome
	said    string // the first assertion that failed, or what stood in its place
	took    time.Duration
}

// try runs one of the mutant's tests against the mutant. The tree is left alone: the compiler is told to read another file in
// place of the one that is changed, which holds for the binaries that tests build too.
func try(ctx context.Context, root string, m mutant, t test) (result, error) {
	began := time.Now()
	files, err := m.apply(root)
	if err != nil {
		return result{}, err
	}
	folder, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return result{}, fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(folder)
	overlay, err := writeOverlay(folder, root, files)
	if err != nil {
		return result{}, fmt.Errorf("write mutant: %w", err)
	}
	args := []string{"test", "-json", "-count=1", "-vet=off", "-timeout", "4m", "-run", t.pattern(), "./" + t.pkg}
	rapid, err := usesRapid(filepath.Join(root, filepath.FromSlash(t.pkg)))
	if err != nil {
		return result{}, err
	}
	if rapid {
		// Or it would leave the failing case in the tree, and take half a minute to make it small, which nobody looks at.
		args = append(args, "-rapid.nofailfile", "-rapid.shrinktime=1s")
	}
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = root
	c.Env = append(c.Environ(), "GOFLAGS=-overlay="+overlay)
	var complaint bytes.Buffer // of the go command itself
	c.Stderr = &complaint
	out, err := c.Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return result{}, fmt.Errorf("run go test: %w", err)
	}
	r := result{took: time.Since(began)}
	if r.outcome, r.said = judge(out, t.name); r.said == "" {
		r.said, _, _ = strings.Cut(complaint.String(), "\n")
	}
	return r, ctx.Err()
}

// usesRapid reports whether the tests of a folder have properties.
func usesRapid(folder string) (bool, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		return false, fmt.Errorf("list tests: %w", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return false, fmt.Errorf("read tests: %w", err)
		}
		if bytes.Contains(text, []byte(`"pgregory.net/rapid"`)) {
			return true, nil
		}
	}
	return false, nil
}

// writeOverlay writes the files into a folder, and what tells the compiler to read them in place of the real ones.
func writeOverlay(folder, root string, files map[string]string) (overlay string, err error) {
	replace := map[string]string{}
	for name, text := range files {
		changed := filepath.Join(folder, strings.ReplaceAll(name, "/", "-"))
		replace[filepath.Join(root, filepath.FromSlash(name))] = changed
		err = errors.Join(err, os.WriteFile(changed, []byte(text), 0o600))
	}
	told, marshalErr := json.Marshal(map[string]map[string]string{"Replace": replace})
	overlay = filepath.Join(folder, "overlay.json")
	return overlay, errors.Join(err, marshalErr, os.WriteFile(overlay, told, 0o600))
}

// event is one line of test2json. Source: go doc cmd/test2json.
type event struct {
	Action string `json:"Action"`
	Test   string `json:"Test"`
	Output string `json:"Output"`
}

// judge reads what go test printed. Only an assertion of the named test, or of one below it, counts.
func judge(out []byte, test string) (outcome, string) {
	var ran, failed bool
	var said, other string
	for line := range bytes.Lines(out) {
		var e event
		if json.Unmarshal(line, &e) != nil {
			continue // go test's own words
		}
		named := e.Test == test || strings.HasPrefix(e.Test, test+"/")
		switch text := strings.TrimSpace(e.Output); e.Action {
		case "run":
			ran = ran || named
		case "fail":
			failed = failed || named
		case "output", "build-output":
			if strings.HasPrefix(text, "panic: ") {
				return crashed, text
			}
			if text == "" || strings.HasPrefix(text, "===") || strings.HasPrefix(text, "---") || strings.HasPrefix(text, "FAIL") {
				continue
			}
			if named && (said == "" || strings.HasSuffix(said, ":")) {
				said = strings.TrimSpace(said + " " + text)
			} else if other == "" {
				other = text
			}
		}
	}
	switch {
	case failed:
		return caught, said
	case !ran:
		return unbuilt, other
	}
	return survived, ""
}

// Command lintstack checks what is deployed: template.yaml and those in infra by cfn-lint, and template.yaml by the
// rules of this folder, which say what cfn-lint cannot know (everything is encrypted, kept, throttled, watched; no policy
// has a wildcard). Then it plants each of its faults in a copy of template.yaml and requires that it is reported:
// a linter that reports nothing has to be one that could.
//
//	lintstack [-cfn-lint PROGRAM] [-faults=false]
package main

import (
	"bytes"
	"encoding/json/v2"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	linter := flag.String("cfn-lint", "cfn-lint", "the program cfn-lint")
	planted := flag.Bool("faults", true, "plant faults too, and require that each is reported")
	flag.Parse()
	if err := run(os.Stdout, *linter, *planted); err != nil {
		fmt.Fprintln(os.Stderr, "lintstack:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, linter string, planted bool) error {
	text, err := os.ReadFile("template.yaml")
	if err != nil {
		return fmt.Errorf("read template: %w", err)
	}
	runbook, err := os.ReadFile("infra/README.md")
	if err != nil {
		return fmt.Errorf("read runbook: %w", err)
	}
	found, err := check(text, runbook)
	if err != nil {
		return err
	}
	for _, file := range []string{"template.yaml", "infra/scaling.yaml", "infra/import.yaml"} {
		reported, err := lint(linter, file)
		if err != nil {
			return err
		}
		for _, r := range reported {
			found = append(found, fmt.Sprintf("%s: %s", file, r))
		}
	}
	for _, f := range found {
		fmt.Fprintln(out, f)
	}
	if len(found) > 0 {
		return fmt.Errorf("%d faults", len(found))
	}
	fmt.Fprintln(out, "template.yaml, infra/scaling.yaml and infra/import.yaml: nothing to report")
	if !planted {
		return nil
	}
	return plantEach(out, linter, text, runbook)
}

// plantEach plants one fault at a time and looks whether it is reported.
func plantEach(out io.Writer, linter string, text, runbook []byte) error {
	folder, err := os.MkdirTemp("", "lintstack-")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(folder) // what stays is small, and in the folder for such things
	// cfn-lint reads the nested stack too.
	if err := os.CopyFS(filepath.Join(folder, "infra"), os.DirFS("infra")); err != nil {
		return fmt.Errorf("copy infra: %w", err)
	}
	missed := 0
	for _, f := range faults {
		broken, err := f.plant(text)
		if err != nil {
			return err
		}
		var reported []string
		if f.byLinter {
			file := filepath.Join(folder, "template.yaml")
			if err := os.WriteFile(file, broken, 0o600); err != nil {
				return fmt.Errorf("write template: %w", err)
			}
			reported, err = lint(linter, file)
		} else {
			reported, err = check(broken, runbook)
		}
		if err != nil {
			return err
		}
		if !f.reportedIn(reported) {
			missed++
			fmt.Fprintf(out, "not reported: %s (%s); reported: %q\n", f.name, f.in, reported)
		}
	}
	if missed > 0 {
		return fmt.Errorf("%d planted faults of %d were not reported", missed, len(faults))
	}
	fmt.Fprintf(out, "%d faults were planted, one at a time, and each was reported\n", len(faults))
	return nil
}

// lint returns what cfn-lint reports of a file, one line each.
func lint(program, file string) ([]string, error) {
	var out, problems bytes.Buffer
	command := exec.Command(program, "--format", "json", file)
	command.Stdout, command.Stderr = &out, &problems
	err := command.Run()
	if exit, ended := errors.AsType[*exec.ExitError](err); err != nil && (!ended || exit.ExitCode() == 1) {
		return nil, fmt.Errorf("run cfn-lint: %w: %s", err, &problems)
	}
	var matches []struct {
		Message string
		Rule    struct {
			ID string `json:"Id"`
		}
		Location struct{ Path []any }
	}
	if err := json.Unmarshal(out.Bytes(), &matches); err != nil {
		return nil, fmt.Errorf("read what cfn-lint reports: %w: %s", err, &problems)
	}
	reported := make([]string, len(matches))
	for i, m := range matches {
		reported[i] = fmt.Sprintf("%s %s: %s", m.Rule.ID, strings.Trim(fmt.Sprint(m.Location.Path...), "[]"), m.Message)
	}
	return reported, nil
}

package archtest

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	makeTarget  = regexp.MustCompile(`(?m)^([a-z0-9-]+):.*## `)
	makeCommand = regexp.MustCompile("(?m)(?:`|^\\s*)make ([a-z0-9-]+)")
)

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := fs.ReadFile(root, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// matches returns the first group of each match, sorted, each once.
func matches(re *regexp.Regexp, text string) []string {
	var found []string
	for _, m := range re.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// TestREADMENamesTheCommands: whoever reads the README finds every command, and finds none that is not there.
func TestREADMENamesTheCommands(t *testing.T) {
	targets := matches(makeTarget, readFile(t, "Makefile"))
	if len(targets) < 8 {
		t.Fatalf("found the targets %q only", targets)
	}
	if diff := cmp.Diff(targets, matches(makeCommand, readFile(t, "README.md"))); diff != "" {
		t.Errorf("commands (-Makefile +README):\n%s", diff)
	}
}

// TestCIRunsTheREADMEsTestCommand: what is promised to a stranger is what is checked.
func TestCIRunsTheREADMEsTestCommand(t *testing.T) {
	run := readFile(t, ".ci/run")
	if !slices.Contains(matches(makeCommand, run), "test") {
		t.Error(".ci/run does not run make test")
	}
	for _, need := range []string{"CAIRN_REQUIRE=local,cloudlike", "CAIRN_TEST_DATA=", "CAIRN_LOAD="} {
		if !strings.Contains(run, need) {
			t.Errorf(".ci/run does not set %s", need)
		}
	}
	info, err := fs.Stat(root, ".ci/run")
	if err != nil || info.Mode()&0o111 == 0 {
		t.Errorf(".ci/run cannot be executed: %v, %v", info.Mode(), err)
	}
}

// TestREADMEDocumentsTheSettings: the table in the README and the variables that package config reads are the same.
func TestREADMEDocumentsTheSettings(t *testing.T) {
	variable := regexp.MustCompile(`"(CAIRN_[A-Z0-9_]+)"`)
	row := regexp.MustCompile("(?m)^\\| `(CAIRN_[A-Z0-9_]+)` \\|")
	read := matches(variable, readFile(t, "internal/config/config.go"))
	if len(read) < 3 {
		t.Fatalf("found the variables %q only", read)
	}
	if diff := cmp.Diff(read, matches(row, readFile(t, "README.md"))); diff != "" {
		t.Errorf("settings (-config +README):\n%s", diff)
	}
}

// TestREADMEMapsTheFolders: each folder that a reader meets first has its row, and each row its folder.
func TestREADMEMapsTheFolders(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `([a-z0-9/]+)` \\|")
	for _, folder := range matches(row, readFile(t, "README.md")) {
		if _, err := fs.Stat(root, folder); err != nil {
			t.Errorf("the README's map has %s: %v", folder, err)
		}
	}
	mapped := matches(row, readFile(t, "README.md"))
	internal, err := fs.ReadDir(root, "internal")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range internal {
		if folder := "internal/" + entry.Name(); !slices.Contains(mapped, folder) {
			t.Errorf("the README's map lacks %s", folder)
		}
	}
}

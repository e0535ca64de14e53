package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// mutant is one promise that is broken on purpose.
type mutant struct {
	name    string // of its file
	promise string // what is broken
	hole    string // where the promise stands: a line of the list of what the official suite does not test, or a threat
	tests   []test // each must fail
	edits   []edit
}

// test is one that a mutant names.
type test struct {
	pkg  string // relative to the module
	name string // "TestScripts/void"
}

// edit puts other lines in place of some. A promise that is kept twice takes several to break.
type edit struct {
	file     string // relative to the module, with slashes
	old, new string // old stands once in the file
}

// load reads the mutants of a folder, sorted by name.
func load(folder string) ([]mutant, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.mutant"))
	if err != nil {
		return nil, fmt.Errorf("list mutants: %w", err)
	}
	all := make([]mutant, len(paths))
	for i, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read mutant: %w", err)
		}
		if all[i], err = parse(strings.TrimSuffix(filepath.Base(path), ".mutant"), string(text)); err != nil {
			return nil, fmt.Errorf("read mutant %s: %w", path, err)
		}
	}
	return all, nil
}

const newLine = "--- new\n"

var oldLine = regexp.MustCompile(`(?m)^--- old (\S+)\n`)

// parse reads "# PROMISE", the fields hole and test (one line for each test that must fail), and the edits:
//
//	# A void voids nothing.
//	hole: voidedStatementId of a live one
//	test: internal/e2e TestScripts/void
//	--- old internal/lrs/refer.go
//	(lines of the file)
//	--- new
//	(what to put in their place)
func parse(name, text string) (mutant, error) {
	m := mutant{name: name}
	found := oldLine.FindAllStringSubmatchIndex(text, -1)
	if len(found) == 0 {
		return m, errors.New("there is no line --- old FILE")
	}
	for i, at := range found {
		end := len(text)
		if i+1 < len(found) {
			end = found[i+1][0]
		}
		before, after, ok := strings.Cut(text[at[1]:end], newLine)
		if !ok || before == after || before == "" {
			return m, errors.New("want lines below --- old, and others below --- new")
		}
		m.edits = append(m.edits, edit{file: text[at[2]:at[3]], old: before, new: after})
	}
	var promise []string
	for line := range strings.Lines(text[:found[0][0]]) {
		line = strings.TrimSpace(line)
		field, value, _ := strings.Cut(line, ": ")
		switch {
		case strings.HasPrefix(line, "# "):
			promise = append(promise, line[2:])
		case field == "hole":
			m.hole = value
		case field == "test":
			pkg, name, ok := strings.Cut(value, " ")
			if !ok || pkg == "" || name == "" {
				return m, fmt.Errorf("cannot read %q: want a package and a test", line)
			}
			m.tests = append(m.tests, test{pkg, name})
		default:
			return m, fmt.Errorf("cannot read %q", line)
		}
	}
	m.promise = strings.Join(promise, " ")
	if m.promise == "" || m.hole == "" || len(m.tests) == 0 {
		return m, errors.New("want a promise, a hole and a test")
	}
	return m, nil
}

// apply returns the files with the promise broken, by name.
func (m mutant) apply(root string) (map[string]string, error) {
	files := map[string]string{}
	for _, e := range m.edits {
		text, edited := files[e.file]
		if !edited {
			read, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(e.file)))
			if err != nil {
				return nil, fmt.Errorf("read file of mutant: %w", err)
			}
			text = string(read)
		}
		if n := strings.Count(text, e.old); n != 1 {
			return nil, fmt.Errorf("its lines stand %d times in %s: they must stand there once:\n%s", n, e.file, e.old)
		}
		files[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	return files, nil
}

// pattern is the -run pattern of exactly this test, with what is below it.
func (t test) pattern() string {
	parts := strings.Split(t.name, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}

// choose keeps the mutants whose "name: hole" matches.
func choose(all []mutant, pattern string) ([]mutant, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("read -only: %w", err)
	}
	return slices.DeleteFunc(slices.Clone(all), func(m mutant) bool { return !re.MatchString(m.name + ": " + m.hole) }), nil
}

// Command testreport reads `go test -json` and prints what somebody who waits for it wants to see: each package as it
// ends, the output of what failed, and the counts. Of what passed it prints two kinds of line that go test would hide:
// those that say something did not run, and those of the form "name: number", by which tests tell how much they did.
//
//	go test -json ./... | go run ./internal/cmd/testreport
//
// It exits with 1 when a test or a build failed, when a test was skipped (a test that does not run proves nothing), when
// a test names a requirement that package requirements does not know, or when there was nothing to read. With -map FILE
// every requirement must have a test that passed, and the page in FILE must say which; -write writes it.
package main

import (
	"bufio"
	"encoding/json/v2"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/cairn-lrs/cairn/internal/requirements"
)

// maxLine bounds one line of test2json, which carries one line of a test's output.
const maxLine = 16 << 20

// event is one line of test2json. Source: go doc cmd/test2json.
type event struct {
	Action     string  `json:"Action"`
	Package    string  `json:"Package"`
	ImportPath string  `json:"ImportPath"` // instead of Package, for the output of a build
	Test       string  `json:"Test"`
	Elapsed    float64 `json:"Elapsed"` // seconds
	Output     string  `json:"Output"`
	Key        string  `json:"Key"` // of an attribute
	Value      string  `json:"Value"`
}

// unit is a test, or a package when test is "".
type unit struct{ pkg, test string }

// report collects what came so far.
type report struct {
	out                     io.Writer
	output                  map[unit]*strings.Builder
	said                    map[string]bool
	asserted                map[unit][]string // requirements, of tests that run
	proofs                  requirements.Proofs
	passed, failed, skipped int
	packages, broken        int
}

func main() {
	var p page
	flag.StringVar(&p.file, "map", "", "the map of requirements, which this run has to prove whole")
	flag.BoolVar(&p.write, "write", false, "write the map")
	flag.Parse()
	ok, err := run(os.Stdin, os.Stdout, p)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testreport:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run reports whether everything that ran passed, something ran, and the map of requirements is right.
func run(in io.Reader, out io.Writer, p page) (ok bool, err error) {
	r := &report{
		out: out, output: make(map[unit]*strings.Builder), said: make(map[string]bool),
		asserted: make(map[unit][]string), proofs: make(requirements.Proofs),
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Fprintln(out, lines.Text()) // go test's own words, about flags or modules
			continue
		}
		r.take(e)
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("read go test's output: %w", err)
	}
	fmt.Fprintf(out, "%d packages: %d passed, %d failed", r.packages, r.passed, r.failed)
	if r.skipped > 0 {
		fmt.Fprintf(out, ", %d skipped, which is not allowed", r.skipped)
	}
	if r.broken > 0 {
		fmt.Fprintf(out, ", broken packages: %d", r.broken)
	}
	fmt.Fprintln(out)
	if r.packages == 0 || r.failed+r.skipped+r.broken > 0 {
		return false, nil // what did not run to its end says nothing of the map
	}
	return p.check(out, r.proofs)
}

func (r *report) take(e event) {
	of := unit{e.Package, e.Test}
	switch e.Action {
	case "output":
		r.keep(of, e.Output)
		r.say(e.Output)
	case "attr":
		if e.Key == requirements.Key {
			r.asserted[of] = append(r.asserted[of], strings.Fields(e.Value)...)
		}
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.endPackage(e)
		} else {
			r.endTest(e)
		}
		delete(r.output, of)
	}
}

func (r *report) keep(of unit, line string) {
	if r.output[of] == nil {
		r.output[of] = new(strings.Builder)
	}
	r.output[of].WriteString(line)
}

func (r *report) print(of unit) {
	if kept := r.output[of]; kept != nil {
		fmt.Fprint(r.out, kept.String())
	}
}

func (r *report) endTest(e event) {
	switch e.Action {
	case "pass":
		r.passed++
		r.proofs.Add(e.Package, e.Test, r.asserted[unit{e.Package, e.Test}])
	case "skip":
		r.skipped++
		r.print(unit{e.Package, e.Test})
	case "fail":
		r.failed++
		r.print(unit{e.Package, e.Test})
	}
}

func (r *report) endPackage(e event) {
	if e.Action == "skip" {
		return // it has no tests
	}
	r.packages++
	name := e.Package[strings.Index(e.Package, "/internal/")+1:]
	if e.Action == "pass" {
		fmt.Fprintf(r.out, "ok    %-40s %6.1fs\n", name, e.Elapsed)
		return
	}
	r.broken++
	r.print(unit{e.Package, ""}) // a panic or a time-out outside of any test
	fmt.Fprintf(r.out, "FAIL  %-40s %6.1fs\n", name, e.Elapsed)
}

var (
	position = regexp.MustCompile(`^\s*\S+\.go:\d+: `)
	count    = regexp.MustCompile(`^[A-Za-z][\w ,/()-]*: \d[\d,]*$`)
)

// say prints a line of a test that would otherwise be seen only when it fails, once.
func (r *report) say(line string) {
	line = strings.TrimSpace(position.ReplaceAllString(line, ""))
	if r.said[line] || !strings.Contains(line, "did not run") && !count.MatchString(line) {
		return
	}
	r.said[line] = true
	fmt.Fprintln(r.out, "      "+line)
}

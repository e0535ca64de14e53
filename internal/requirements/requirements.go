// Package requirements is the map from the requirements of xAPI to the tests that prove them. The lists beside this file
// name every MUST and SHALL of the two specifications that concerns an LRS, each in a sentence of our own; a test says
// with Met which of them it has asserted, the report of `make test` collects that from what passed, and a requirement
// that no passing test has named fails the run. MAP.md is the page that comes of it.
package requirements

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

//go:embed xapi-1.0.3-data.txt
var data string

//go:embed xapi-1.0.3-communication.txt
var communication string

//go:embed xapi-2.0.txt
var second string

// Row is one requirement.
type Row struct {
	ID   string   // letter, section, "-", number: D2.4.2.1-1
	Text string   // what an LRS has to do
	ADL  []string // ids of adlnet/xapi-lrs-conformance-requirements that ask for the same
	Why  string   // why it does not concern Cairn; "" when it does, and then it needs a test
}

// Section is what the specification says in one place.
type Section struct {
	Number, Title string
	Rows          []Row
}

// Part is a document.
type Part struct {
	Title    string
	Letter   string // with which its ids begin
	Sections []Section
}

// Parts reads the lists.
func Parts() ([]Part, error) {
	parts := []Part{
		{Title: "xAPI 1.0.3, Part Two: Data", Letter: "D"},
		{Title: "xAPI 1.0.3, Part Three: Data Processing, Validation, and Security", Letter: "C"},
		{Title: "xAPI 2.0, IEEE 9274.1.1, clause 4: Learning Record Stores", Letter: "L"},
	}
	seen := make(map[string]bool)
	for i, text := range []string{data, communication, second} {
		if err := parts[i].parse(text, seen); err != nil {
			return nil, fmt.Errorf("read requirements of %s: %w", parts[i].Title, err)
		}
	}
	return parts, nil
}

var (
	sectionLine = regexp.MustCompile(`^== ([0-9.]+) (.+)$`)
	rowLine     = regexp.MustCompile(`^([DCL])([0-9.]+)-(\d+): (.+?)(?: \[((?:\d{5} ?)+)\])?$`)
	whyLine     = regexp.MustCompile(`^  not here: (.+)$`)
)

// parse reads lines "== SECTION TITLE", "ID: TEXT [ADL ids]" and, below a row, "  not here: REASON".
func (p *Part) parse(text string, seen map[string]bool) error {
	for n, line := range strings.Split(text, "\n") {
		fault := func(format string, args ...any) error {
			return fmt.Errorf("line %d: %s", n+1, fmt.Sprintf(format, args...))
		}
		section := func() *Section { return &p.Sections[len(p.Sections)-1] }
		if m := sectionLine.FindStringSubmatch(line); m != nil {
			p.Sections = append(p.Sections, Section{Number: m[1], Title: m[2]})
		} else if m := rowLine.FindStringSubmatch(line); m != nil {
			id := m[1] + m[2] + "-" + m[3]
			if m[1] != p.Letter || len(p.Sections) == 0 || m[2] != section().Number || m[3] != fmt.Sprint(len(section().Rows)+1) || seen[id] {
				return fault("%s is not the id that comes next", id)
			}
			seen[id] = true
			section().Rows = append(section().Rows, Row{ID: id, Text: m[4], ADL: strings.Fields(m[5])})
		} else if m := whyLine.FindStringSubmatch(line); m != nil && len(p.Sections) > 0 && len(section().Rows) > 0 {
			section().Rows[len(section().Rows)-1].Why = m[1]
		} else if line != "" {
			return fault("want a section, a requirement or a reason, not %q", line)
		}
	}
	return nil
}

// Rows lists every requirement.
func Rows(parts []Part) []Row {
	var rows []Row
	for _, p := range parts {
		for _, s := range p.Sections {
			rows = append(rows, s.Rows...)
		}
	}
	return rows
}

// Key is the attribute of a test under which `go test -json` reports ids.
const Key = "requirement"

// Met says that a test has asserted requirements. It counts when the test passes.
func Met(t interface{ Attr(key, value string) }, ids ...string) {
	if len(ids) > 0 {
		t.Attr(Key, strings.Join(ids, " "))
	}
}

// Of lists the ids of a version's edition, sorted, each once: D and C belong to 1.0.3, L to 2.0. One text may hold several
// ids.
func Of(version string, ids ...string) []string {
	of := strings.Fields(strings.Join(ids, " "))
	of = slices.DeleteFunc(of, func(id string) bool { return strings.HasPrefix(id, "L") != strings.HasPrefix(version, "2.") })
	slices.Sort(of)
	return slices.Compact(of)
}

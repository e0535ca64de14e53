package requirements

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Proofs are the requirements that tests of a run have asserted, with the tests that passed.
type Proofs map[string][]string

// Add takes the ids of one test.
func (p Proofs) Add(pkg, test string, ids []string) {
	name := testName(pkg, test)
	for _, id := range ids {
		if at, found := slices.BinarySearch(p[id], name); !found {
			p[id] = slices.Insert(p[id], at, name)
		}
	}
}

// scripts begins the names of the tests that play the HTTP scripts, on whichever road.
const scripts = "TestScripts"

// testName tells a test in a way that is the same for every road and version: a script by its file.
func testName(pkg, test string) string {
	first, rest, _ := strings.Cut(test, "/")
	if strings.Contains(pkg, "/internal/e2e") && strings.HasPrefix(first, scripts) {
		rest = strings.TrimPrefix(rest, "scripts/") // the cloud road has a subtest around them
		script, _, _ := strings.Cut(rest, "/")
		return script + ".http"
	}
	return path.Base(pkg) + " " + test
}

// Faults lists what is wrong with the map after a run: ids that are not in it, and, of a whole run, requirements without
// a test that passed and reasons that a test disproves.
func (p Proofs) Faults(rows []Row, whole bool) []string {
	known := make(map[string]bool)
	var faults []string
	for _, row := range rows {
		known[row.ID] = true
		switch tests := p[row.ID]; {
		case row.Why != "" && len(tests) > 0:
			faults = append(faults, fmt.Sprintf("%s does not concern Cairn (%s), says its list, and yet %s proves it", row.ID, row.Why, tests[0]))
		case whole && row.Why == "" && len(tests) == 0:
			faults = append(faults, fmt.Sprintf("%s has no test that passed: %s", row.ID, row.Text))
		}
	}
	var unknown []string
	for id, tests := range p {
		if !known[id] {
			unknown = append(unknown, fmt.Sprintf("%s is in no list of requirements; %s names it", id, tests[0]))
		}
	}
	slices.Sort(unknown)
	return append(faults, unknown...)
}

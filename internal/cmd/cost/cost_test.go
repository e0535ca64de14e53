package main

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func written(t *testing.T) (string, []measured) {
	t.Helper()
	template, err := os.ReadFile("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, all, err := write(t.Context(), template)
	if err != nil {
		t.Fatal(err)
	}
	return text, all
}

// TestPage: what is counted is within the budgets, and the page in the repository says what is counted now.
func TestPage(t *testing.T) {
	text, all := written(t)
	counted := 0
	for _, m := range all {
		if each := m.used.read / float64(m.used.requests); m.used.statements == 0 && each > 60 {
			t.Errorf("%s: %.1f read units each, the budget is 60", m.name, each)
		}
		if m.budget == 0 {
			continue
		}
		counted++
		if each := m.used.write / float64(m.used.statements); each > m.budget {
			t.Errorf("%s: %.2f write units for each statement, the budget is %.0f", m.name, each, m.budget)
		}
	}
	if counted < 3 {
		t.Errorf("%d flows have a budget", counted)
	}
	committed, err := os.ReadFile("../../../" + page)
	if err != nil {
		t.Fatal(err)
	}
	if stale := differs(string(committed), text); stale != "" {
		t.Errorf("%s is stale: make cost writes it anew. %s", page, stale)
	}
}

// closeness is how far a number may be from the page's: what compresses differs with random ids from run to run, by some 4 %. One
// write unit more of a statement is further.
const closeness = 0.1

var number = regexp.MustCompile(`\d+(\.\d+)?`)

// differs names the first line in which two pages differ by more than closeness; "" when there is none.
func differs(page, now string) string {
	pageLines, nowLines := strings.Split(page, "\n"), strings.Split(now, "\n")
	for i := range max(len(pageLines), len(nowLines)) {
		if i >= len(pageLines) || i >= len(nowLines) {
			return "One is longer."
		}
		a, b := number.FindAllString(pageLines[i], -1), number.FindAllString(nowLines[i], -1)
		same := number.ReplaceAllString(pageLines[i], "#") == number.ReplaceAllString(nowLines[i], "#")
		for j := 0; same && j < len(a); j++ {
			x, errX := strconv.ParseFloat(a[j], 64)
			y, errY := strconv.ParseFloat(b[j], 64)
			// Small numbers are rounded to two digits behind the point.
			same = errX == nil && errY == nil && math.Abs(x-y) <= max(closeness*math.Max(x, y), 0.011)
		}
		if !same {
			return "It says:\n" + pageLines[i] + "\nand now it is:\n" + nowLines[i]
		}
	}
	return ""
}

func TestDiffers(t *testing.T) {
	const page = "| flow | 5.00 | 12.1 |\nend"
	for _, same := range []string{page, strings.Replace(page, "12.1", "12.2", 1)} {
		if got := differs(page, same); got != "" {
			t.Errorf("%q: %s", same, got)
		}
	}
	for _, other := range []string{
		strings.Replace(page, "5.00", "6.00", 1), strings.Replace(page, "flow", "row", 1), page + "\nmore", strings.Replace(page, "12.1", "14.1", 1),
	} {
		if differs(page, other) == "" {
			t.Errorf("%q is taken for the same", other)
		}
	}
}

// The page reckons with the template's least units.
func TestLeastUnits(t *testing.T) {
	template, err := os.ReadFile("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?s)\n  MinUnits:\n.*?Default: (\d+)`).FindSubmatch(template)
	if found == nil || string(found[1]) != strconv.Itoa(int(leastUnits)) {
		t.Errorf("MinUnits of template.yaml is %q by default, the page reckons with %v", found, leastUnits)
	}
}

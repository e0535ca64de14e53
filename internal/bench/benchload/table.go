package main

import (
	"fmt"
	"slices"
	"strings"
)

// The targets of the local road, as shares of the yardstick. Source: the project's budgets.
const (
	writeTarget = 0.60 // of the floor
	readTarget  = 0.50 // of the ceiling
)

// row compares one stage of Cairn with the yardstick of its kind.
type row struct {
	cairn     result
	yardstick result // zero when the yardstick did not run the stage
	judged    bool   // false when Cairn does not serve the stage's resource
}

type rows []row

// write reports whether the stage stores something, and so is held against the floor.
func (r result) write() bool {
	return strings.HasPrefix(r.Stage, "post") || strings.HasPrefix(r.Stage, "load") || r.Stage == "state_put"
}

// rate is the figure that a stage is judged by: statements per second where statements are stored, else answers.
func (r result) rate() float64 {
	if r.write() && r.Statements > 0 {
		return r.Statements
	}
	return r.Operations
}

// compare pairs each of Cairn's stages with the same occurrence of that stage on its yardstick: a scenario may run a
// stage at several sizes of the store.
func (all results) compare(unserved []string) rows {
	var out rows
	seen := map[string]int{}
	for _, r := range all {
		if r.Label != cairnName {
			continue
		}
		yardstick := ceilingName
		if r.write() {
			yardstick = floorName
		}
		out = append(out, row{
			cairn:     r,
			yardstick: all.occurrence(yardstick, r.Stage, seen[r.Stage]),
			judged:    !slices.Contains(unserved, r.Stage),
		})
		seen[r.Stage]++
	}
	return out
}

func (all results) occurrence(label, stage string, nth int) result {
	for _, r := range all {
		if r.Label == label && r.Stage == stage {
			if nth == 0 {
				return r
			}
			nth--
		}
	}
	return result{}
}

// share is Cairn's part of the yardstick's rate; 0 when there is nothing to compare.
func (r row) share() float64 {
	if r.yardstick.rate() == 0 {
		return 0
	}
	return r.cairn.rate() / r.yardstick.rate()
}

func (r row) target() float64 {
	if r.cairn.write() {
		return writeTarget
	}
	return readTarget
}

// verdict is the generator's about both servers: figures of wrong answers are no figures.
func (r row) verdict() string {
	switch {
	case !r.judged:
		return "not served yet"
	case r.yardstick.Stage == "":
		return "no yardstick"
	case r.cairn.Verdict == "ok" && r.yardstick.Verdict == "ok":
		return "ok"
	case r.yardstick.Verdict == "ok":
		return r.cairn.Verdict
	}
	return fmt.Sprintf("%s; %s: %s", r.cairn.Verdict, r.yardstick.Label, r.yardstick.Verdict)
}

// sound reports whether there are rows and every judged one has right answers on both sides.
func (rs rows) sound() bool {
	for _, r := range rs {
		if r.judged && r.verdict() != "ok" {
			return false
		}
	}
	return len(rs) > 0
}

// markdown is the table. Rates are statements/s where statements are stored and answers/s elsewhere.
func (rs rows) markdown() string {
	var b strings.Builder
	b.WriteString("| stage | stored | clients | yardstick | its rate/s (p50 ms) | Cairn rate/s (p50 ms) | share | target | answers |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|\n")
	for _, r := range rs {
		yardstick, its, share, target := "-", "-", "-", "-"
		if r.yardstick.Stage != "" {
			yardstick = r.yardstick.Label
			its = fmt.Sprintf("%.0f (%.1f)", r.yardstick.rate(), r.yardstick.Median)
		}
		if r.judged && r.yardstick.Stage != "" {
			share = fmt.Sprintf("%.0f%%", 100*r.share())
			target = "met"
			if r.share() < r.target() {
				target = fmt.Sprintf("missed (%.0f%%)", 100*r.target())
			}
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %s | %s | %.0f (%.1f) | %s | %s | %s |\n", r.cairn.Stage, r.cairn.Stored, r.cairn.Clients,
			yardstick, its, r.cairn.rate(), r.cairn.Median, share, target, r.verdict())
	}
	return b.String()
}

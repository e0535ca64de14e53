package result

import (
	"fmt"
	"math"
)

// DefaultK is k, the fewest learners that are shown as a number, where a store sets none. Source: definitions, section 8.
const DefaultK = 5

// Protect hides what would tell of fewer than k learners, and what that could be computed from: definitions, section 8.
// With k of 1 nothing is hidden, but the rule of precision holds. It is done once, on the whole table, before rows
// are sorted, cut or paged.
func (t *Table) Protect(k int) {
	for _, line := range t.Lines() {
		for i := range line {
			line[i].primary(k)
		}
	}
	for t.spread(k) || t.cover() { // each round hides something more, so it ends
	}
	for _, line := range t.Lines() {
		for i, c := range t.Columns {
			if c.Kind == Rate {
				line[i].precise()
			}
		}
	}
}

// small reports whether a number of learners may not be told. 0 may: nobody is told of.
func small(learners, k int) bool { return learners > 0 && learners < k }

// primary hides a figure of few learners (S-1, S-3), and bands a rate of which either side is few (S-4).
func (c *Cell) primary(k int) {
	switch {
	case c.State != Shown:
	case small(c.Learners, k):
		c.hide(Small, fmt.Sprintf("<%d", k))
	case c.Learners != NotPersonal && (small(c.Hit, k) || small(c.Miss, k)):
		c.band()
	}
}

// hide takes everything from the cell but the reason. It keeps Learners, which is never given out, for what follows.
func (c *Cell) hide(why State, text string) {
	*c = Cell{State: why, Text: text, Learners: c.Learners}
}

// fewestBanded is the smallest denominator of which a band is told: with fewer a band of a tenth leaves one count only,
// which is the one to be hidden.
const fewestBanded = 20

// band replaces a rate by its band. Source: S-4; that a band of fewer than 20 would give the count away is ours.
func (c *Cell) band() {
	if c.Of < fewestBanded {
		c.hide(Withheld, "")
		return
	}
	text := "≤ 10 %"
	if c.Value >= 0.9 {
		text = "≥ 90 %"
	} else if c.Value > 0.1 {
		tenth := int(math.Floor(c.Value * 10))
		text = fmt.Sprintf("%d to %d %%", tenth*10, tenth*10+10)
	}
	c.hide(Banded, text)
}

// spread hides, in every line, what a hidden cell could be computed from. It reports whether it hid anything.
func (t *Table) spread(k int) bool {
	hid := false
	for at, line := range t.Lines() {
		for _, s := range t.Splits {
			hid = t.spreadSplit(line, s) || hid
		}
		for _, p := range t.Parts {
			whole, some := &line[t.column(p.Whole)], &line[t.column(p.Some)]
			if whole.State == Shown && some.State == Shown && small(whole.Learners-some.Learners, k) {
				some.hide(Withheld, "")
				hid = true
			}
		}
		for i, c := range t.Columns {
			above := at > 0 && c.Above && t.column(c.Outcome) >= 0 && t.Rows[at-1][t.column(c.Outcome)].hidden()
			hid = t.spreadRate(line, i, c, above) || hid
		}
	}
	return hid
}

// spreadSplit hides all parts that are not nothing as soon as one cell of the sum is hidden: any of them would do, and hiding
// all leaves no chain from row to row by which one could be computed. A single part is the whole, so that goes with it.
func (t *Table) spreadSplit(line Row, s Split) (hid bool) {
	whole := &line[t.column(s.Whole)]
	hidden, parts := whole.hidden(), 0
	for _, id := range s.Parts {
		c := line[t.column(id)]
		hidden = hidden || c.hidden()
		if c.hidden() || c.State == Shown && c.Value != 0 {
			parts++
		}
	}
	if !hidden {
		return false
	}
	for _, id := range s.Parts {
		if c := &line[t.column(id)]; c.State == Shown && c.Value != 0 {
			c.hide(Withheld, "")
			hid = true
		}
	}
	if parts == 1 && whole.State == Shown {
		whole.hide(Withheld, "")
		hid = true
	}
	return hid
}

// hidden reports whether the cell's number is kept back.
func (c Cell) hidden() bool { return c.State == Small || c.State == Withheld }

// spreadRate keeps a rate and its two counts together: it tells both. above says that its whole is hidden in the row above.
func (t *Table) spreadRate(line Row, i int, c Column, above bool) (hid bool) {
	if c.Kind != Rate {
		return false
	}
	hidden := func(at int) bool { return at >= 0 && line[at].hidden() }
	rate, outcome := &line[i], t.column(c.Outcome)
	if rate.State == Shown && (above || hidden(outcome) || hidden(t.column(c.Whole))) {
		rate.band()
		hid = true
	}
	if outcome >= 0 && line[outcome].State == Shown && (rate.State == Banded || rate.State == Withheld) {
		line[outcome].hide(Withheld, "")
		hid = true
	}
	return hid
}

// cover hides one more cell of a sum of which a single one is hidden (S-2): of the rows the next smallest that is not 0, or
// the total where there is none. It reports whether it hid anything.
func (t *Table) cover() bool {
	if t.Total == nil {
		return false
	}
	for i, c := range t.Columns {
		if !c.Sums {
			continue
		}
		hidden, next := 0, -1
		for at, row := range t.Rows {
			switch cell := row[i]; {
			case cell.hidden():
				hidden++
			case cell.State == Shown && cell.Value != 0 && (next < 0 || cell.Value < t.Rows[next][i].Value):
				next = at
			}
		}
		total := &t.Total[i]
		switch {
		case total.hidden() && hidden == 0 && next >= 0, !total.hidden() && hidden == 1 && next >= 0:
			t.Rows[next][i].hide(Withheld, "")
		case total.State == Shown && hidden == 1:
			total.hide(Withheld, "")
		default:
			continue
		}
		return true
	}
	return false
}

// The rule of precision: how many a share must be of to be told as one, and to be told without its interval.
const (
	fewestShared = 10
	FewestPlain  = 30
)

// precise takes the share from a rate of few: "7 of 9". Source: definitions, section 8, rule of precision.
func (c *Cell) precise() {
	if c.State == Shown && c.Of < fewestShared {
		c.State, c.Value, c.Interval, c.Low, c.High = Few, 0, false, 0, 0
	}
}

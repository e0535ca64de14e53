// Package result holds what a report answers: a table whose cells know how many learners stand behind them, so that small
// numbers are protected in one place, before a page, JSON or CSV is made of it. It is pure.
package result

import (
	"cmp"
	"slices"
)

// Table is the answer of a report.
type Table struct {
	Columns []Column
	Rows    []Row
	Total   Row     // shown below the rows: in each column that Sums, their sum; nil: none
	Splits  []Split // what a reader can compute of one row
	Parts   []Part
}

// Row holds a cell for each column.
type Row []Cell

// Column says what its cells are.
type Column struct {
	ID      string // stable: the name in JSON and CSV
	Title   string // for people
	Measure string // id of the definition ("M22"); "" for what a row is about
	Kind    Kind
	Unit    Unit
	Sums    bool // the cell of the total is the sum of the column

	// Of a rate: the columns of the same table, if any, that hold its two counts.
	Outcome, Whole string
	Above          bool // the whole is the outcome of the row above, as in a funnel
}

// Kind is what sort of cell a column has.
type Kind uint8

// The kinds.
const (
	Label  Kind = iota // what the row is about: a day, a content, a learner
	Count              // how many
	Rate               // a share, from 0 to 1, with its two counts
	Amount             // any other number: a median, a coefficient, a time
	Text               // words about a row: reasons, flags
)

// Unit is what the numbers of a column are.
type Unit string

// The units.
const (
	Plain   Unit = ""
	Seconds Unit = "s"
	Share   Unit = "share" // 0 to 1
	Score   Unit = "score" // a scaled score times 100
)

// Split says that in each row Whole is the sum of Parts, so that a hidden one could be computed from the others.
type Split struct {
	Whole string
	Parts []string
}

// Part says that in each row Some counts a part of what Whole counts, so that the rest could be computed.
type Part struct{ Whole, Some string }

// State says what a cell shows.
type State uint8

// The states.
const (
	Shown     State = iota
	Small           // fewer learners than may be shown (S-1, S-3)
	Withheld        // another cell could be computed from it (S-2)
	Banded          // a rate of which only the band is told (S-4)
	Few             // a rate of fewer than 10: its two counts, no share
	Untracked       // no statement carries what it would need
	NotEnough       // too little data for the figure to mean something
)

// NotPersonal is the number of learners behind a cell that says nothing of learners, or that is about one learner by name.
const NotPersonal = -1

// Cell is one value.
type Cell struct {
	State State
	Text  string  // of labels and texts, and the band of a banded rate
	Value float64 // of figures

	Count, Of int64   // of rates: the two counts; of an amount: Of is the number of its values, 0 when that does not apply
	Interval  bool    // Low and High hold
	Low, High float64 // 95 % confidence interval

	Learners  int // behind the cell
	Hit, Miss int // of rates: learners with the outcome, and learners with its opposite
}

// Named is the cell of a label or text. "" is nothing.
func Named(text string) Cell { return Cell{Text: text, Learners: NotPersonal} }

// Counted is a count with the learners behind it.
func Counted(n int64, learners int) Cell { return Cell{Value: float64(n), Learners: learners} }

// Measured is an amount that was computed from n values of so many learners.
func Measured(value float64, n int64, learners int) Cell {
	return Cell{Value: value, Of: n, Learners: learners}
}

// Rated is count of so many; learners are those behind them all, hit those with the outcome, miss those with its opposite.
func Rated(count, of int64, learners, hit, miss int) Cell {
	c := Cell{Count: count, Of: of, Learners: learners, Hit: hit, Miss: miss}
	if of > 0 {
		c.Value = float64(count) / float64(of)
	}
	return c
}

// Within gives a cell its confidence interval.
func (c Cell) Within(low, high float64) Cell {
	c.Interval, c.Low, c.High = true, low, high
	return c
}

// Absent is a cell without a value, for one of the reasons Untracked and NotEnough.
func Absent(why State) Cell { return Cell{State: why, Learners: NotPersonal} }

// column finds a column by its id, -1 when there is none.
func (t *Table) column(id string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.ID == id })
}

// Lines are the rows and the total.
func (t *Table) Lines() []Row {
	if t.Total == nil {
		return t.Rows
	}
	return append(slices.Clip(t.Rows), t.Total)
}

// Sort orders the rows by a column, ties and what is not shown by the first column. It is done after Protect: the place of
// a hidden value would tell what it is. It reports whether there is such a column.
func (t *Table) Sort(id string, descending bool) bool {
	at := t.column(id)
	if at < 0 {
		return false
	}
	slices.SortStableFunc(t.Rows, func(a, b Row) int {
		x, y := a[at], b[at]
		if x.visible() != y.visible() { // what is not shown stands last, either way
			if x.visible() {
				return -1
			}
			return 1
		}
		order := 0
		if x.visible() {
			order = cmp.Or(cmp.Compare(x.Value, y.Value), cmp.Compare(x.Text, y.Text))
		}
		if descending {
			order = -order
		}
		return cmp.Or(order, cmp.Compare(a[0].Text, b[0].Text))
	})
	return true
}

// visible reports whether the cell's value is told.
func (c Cell) visible() bool { return c.State == Shown }

package report

import (
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

// overview is one row of headline figures. A period that is one day, week or month, or all time, comes from buckets, which know
// its distinct learners; any other one from ledgers.
func overview(a *asking) (*result.Table, error) {
	if _, ok := a.period.whole(); ok && a.sieve.scopeOnly() {
		return a.overviewFromBuckets()
	}
	return a.overviewFromLedgers()
}

// withNew leaves out the columns of new and returning learners where they are not known.
func withNew(columns []result.Column, known bool) []result.Column {
	return slices.DeleteFunc(slices.Clone(columns), func(c result.Column) bool { return !known && (c.ID == "new" || c.ID == "returning") })
}

// newSplit says that learners are either new or returning.
var newSplit = []result.Split{{Whole: "learners", Parts: []string{"new", "returning"}}}

// headline makes the row. learners are those of the whole period.
func (a *asking) headline(c cells, learners int64) *result.Table {
	whole := c.whole()
	t := &result.Table{Columns: withNew(a.report.Columns, whole), Parts: attemptParts}
	name := a.q.Filter.Content
	if name == "" {
		name = "store"
	}
	n := int(learners)
	row := result.Row{result.Named(name), statementsOf(c.days(a.period, measure.Statements), n), result.Counted(learners, n)}
	if whole {
		t.Splits = newSplit
		fresh := c.days(a.period, measure.NewLearners)
		row = append(row, result.Counted(fresh, int(fresh)), result.Counted(learners-fresh, int(learners-fresh)))
	}
	stickiness := result.Absent(result.NotEnough)
	to := min(a.period.To, a.today)
	if days := int64(to) - int64(a.period.From) + 1; a.period.From != allTime.From && days > 1 && n > 0 {
		stickiness = result.Measured(measure.Stickiness(c.days(a.period, measure.Learners), int64(n), a.period.From, to, a.today), days, n)
	}
	t.Rows = []result.Row{slices.Concat(row, result.Row{stickiness, c.counted(a.period, measure.SessionStarts, n)}, c.attemptCells(a.period, n))}
	return t
}

// attemptCells are starts, completions, their rate, the pass rate and the active time of a period with so many learners. Sums do
// not tell whose attempts they are: as many learners as there are attempts are taken to stand behind them, and no more than there
// are.
func (c cells) attemptCells(p Period, learners int) []result.Cell {
	starts, waived, done := c.attempts(p, measure.Starts), c.attempts(p, measure.Waived), c.attempts(p, measure.Completions)
	judged, passed := c.attempts(p, measure.Judged), c.attempts(p, measure.PassedLast)
	behind := func(n int64) int { return int(min(n, int64(learners))) }
	sessions := c.days(p, measure.SessionStarts)
	return []result.Cell{
		result.Counted(starts, behind(starts)),
		result.Counted(done, behind(done)),
		rate(done, starts-waived, behind(starts), behind(done), behind(starts-waived-done)),
		tracked(rate(passed, judged, behind(judged), behind(passed), behind(judged-passed))),
		total(c.days(p, measure.SessionTime), sessions, behind(sessions)),
	}
}

// counted is a counter of days, behind which no more learners stand than it counts.
func (c cells) counted(p Period, counter measure.Counter, learners int) result.Cell {
	n := c.days(p, counter)
	return result.Counted(n, int(min(n, int64(learners))))
}

// overviewFromBuckets takes a period that is one span, or all time.
func (a *asking) overviewFromBuckets() (*result.Table, error) {
	span, _ := a.period.whole()
	grains := []measure.Grain{measure.Day}
	if span.Grain == measure.Month || span.Grain == measure.Total {
		grains = append(grains, span.Grain)
	}
	c, err := a.buckets(a.period, grains...)
	if err != nil {
		return nil, err
	}
	return a.headline(c, c.at(span.Grain, span.At, measure.Learners)), nil
}

// overviewFromLedgers takes any period and filter.
func (a *asking) overviewFromLedgers() (*result.Table, error) {
	learners := int64(0)
	c, err := a.cellsFromLedgers(func(l *learner) {
		if !l.Unattributed && len(a.inPeriod(l.facts)) > 0 {
			learners++
		}
	})
	if err != nil {
		return nil, err
	}
	return a.headline(c, learners), nil
}

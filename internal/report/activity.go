package report

import (
	"cmp"
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

// The most spans that a report over time has rows for: as many buckets as a year of days has.
const maxSpans = 400

// cells are the sums of one scope, by grain and number.
type cells struct {
	sums     measure.Sums
	scope    fact.Hash
	filtered bool // by more than the scope
}

// whole reports whether the sums are of the whole store, which alone knows who is new.
func (c cells) whole() bool { return !c.filtered && c.scope == fact.Hash{} }

func (c cells) at(g measure.Grain, at int32, counter measure.Counter) int64 {
	return c.sums[measure.Cell{Scope: c.scope, Grain: g, At: at, Counter: counter}]
}

// days adds up a counter of days: of a period that may have more days than there are cells, cell by cell.
func (c cells) days(p Period, counter measure.Counter) (n int64) {
	if int64(p.To)-int64(p.From) > int64(len(c.sums)) {
		for cell, v := range c.sums {
			if cell.Grain == measure.Day && cell.Counter == counter && cell.Scope == c.scope && p.Has(cell.At) {
				n += v
			}
		}
		return n
	}
	for day := p.From; day <= p.To; day++ {
		n += c.at(measure.Day, day, counter)
	}
	return n
}

// attempts adds up a counter of attempts: those of the content and of everything under it.
func (c cells) attempts(p Period, counter measure.Counter) int64 {
	n := c.days(p, counter)
	if (c.scope != fact.Hash{}) {
		n += c.days(p, counter+measure.Below)
	}
	return n
}

// buckets reads the cells of days and weeks of a period, and those of other grains where they are asked for.
func (a *asking) buckets(p Period, grains ...measure.Grain) (cells, error) {
	a.road = Buckets
	c := cells{sums: measure.Sums{}, scope: a.sieve.scope}
	for _, g := range grains {
		from, to := p.From, p.To
		switch g {
		case measure.Month:
			from, to = measure.MonthOf(from), measure.MonthOf(to)
		case measure.Total:
			from, to = 0, 0
		}
		sums, err := a.Rows.Buckets(a.ctx, a.store, a.sieve.scope, g, from, to, &a.reads)
		if err != nil {
			return c, err
		}
		c.sums.AddAll(sums, 1)
	}
	return c, nil
}

// cellsFromLedgers computes the cells that buckets would hold had the store nothing but what passes the filter: by the function
// that buckets are made by. also is called with each learner.
func (a *asking) cellsFromLedgers(also func(*learner)) (cells, error) {
	c := cells{sums: measure.Sums{}, scope: a.sieve.scope, filtered: !a.sieve.scopeOnly()}
	err := a.ledgers(func(l *learner) error {
		c.sums.AddAll(measure.InScope(c.scope, l.facts, a.zone, l.Unattributed), 1)
		also(l)
		return nil
	})
	return c, err
}

// activity is the report over time. Its learners are those of each whole day, week or month, so the period is widened to
// whole ones.
func activity(a *asking) (*result.Table, error) {
	grain, _ := grainOf(cmp.Or(a.q.By, "day"))
	if a.period.All() {
		return nil, invalid("range", "a report over time needs its first and last day: name from and to, or another range than all")
	}
	if days := int64(a.period.To) - int64(a.period.From); days > 31*maxSpans {
		return nil, invalid("from", "a report over time has at most %d rows: name a shorter period, or by=month", maxSpans)
	}
	spans := spansOf(a.period, grain)
	if len(spans) > maxSpans {
		return nil, invalid("from", "a report over time has at most %d rows: name a shorter period, or by=month", maxSpans)
	}
	a.period = Period{spans[0].days.From, spans[len(spans)-1].days.To}
	var c cells
	var err error
	switch {
	case !a.sieve.scopeOnly():
		c, err = a.cellsFromLedgers(func(*learner) {})
	case grain == measure.Month:
		c, err = a.buckets(a.period, measure.Day, measure.Month)
	default:
		c, err = a.buckets(a.period, measure.Day)
	}
	if err != nil {
		return nil, err
	}
	return a.activityTable(c, spans, grain), nil
}

func (a *asking) activityTable(c cells, spans []span, grain measure.Grain) *result.Table {
	t := &result.Table{Columns: withNew(a.report.Columns, c.whole()), Parts: attemptParts}
	if c.whole() {
		t.Splits = newSplit
	}
	for _, s := range spans {
		learners := c.at(grain, s.at, measure.Learners)
		n := int(learners)
		row := result.Row{result.Named(nameSpan(s, grain)), statementsOf(c.days(s.days, measure.Statements), n), result.Counted(learners, n)}
		if c.whole() {
			fresh := c.days(s.days, measure.NewLearners)
			row = append(row, result.Counted(fresh, int(fresh)), result.Counted(learners-fresh, int(learners-fresh)))
		}
		t.Rows = append(t.Rows, slices.Concat(row, result.Row{c.counted(s.days, measure.SessionStarts, n)}, c.attemptCells(s.days, n)))
	}
	return t
}

// statementsOf counts statements. Those of groups and of nobody have no learner behind them, and tell of none.
func statementsOf(n int64, learners int) result.Cell {
	if learners == 0 {
		return result.Counted(n, result.NotPersonal)
	}
	return result.Counted(n, learners)
}

// nameSpan writes a day as 2026-01-31, a week as its Monday, a month as 2026-01.
func nameSpan(s span, g measure.Grain) string {
	text := DateOf(s.days.From)
	if g == measure.Month && len(text) >= len("2026-01") {
		return text[:len(text)-len("-31")]
	}
	return text
}

func seconds(ms int64) float64 { return float64(ms) / 1000 }

// rate is a share with its interval.
func rate(count, of int64, learners, hit, miss int) result.Cell {
	if of == 0 {
		return result.Absent(result.NotEnough)
	}
	i := measure.Rate{K: count, N: of}.Wilson()
	return result.Rated(count, of, learners, hit, miss).Within(i.Low, i.High)
}

package report

import (
	"fmt"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

// retention is M06: a row for each week in which learners were first seen, a column for each week after it.
func retention(a *asking) (*result.Table, error) {
	if !a.sieve.scopeOnly() || (a.sieve.scope != fact.Hash{}) {
		return nil, invalid("content", "retention is of the whole store: it takes no filter")
	}
	if a.period.All() || a.period.To-a.period.From > 7*53 {
		return nil, invalid("range", "retention is of at most 53 weeks: name from and to, or range=365d")
	}
	spans := spansOf(a.period, measure.Week)
	a.period = Period{spans[0].days.From, spans[len(spans)-1].days.To}
	c, err := a.buckets(Period{spans[0].at, spans[len(spans)-1].at}, measure.Cohort)
	if err != nil {
		return nil, err
	}
	t := &result.Table{Columns: a.report.Columns}
	over := measure.WeekOf(a.today) // this week and later ones are not over
	for _, s := range spans {
		first := c.at(measure.Cohort, s.at, measure.RetainedWeek)
		for k := int32(0); s.at+7*k < over && k <= measure.RetainedWeeks; k++ {
			active := c.at(measure.Cohort, s.at, measure.RetainedWeek+measure.Counter(k))
			if first == 0 {
				break
			}
			t.Rows = append(t.Rows, result.Row{
				result.Named(DateOf(s.at)), result.Named(fmt.Sprintf("%02d", k)), // two digits: texts then sort as numbers do
				result.Counted(first, int(first)), result.Counted(active, int(active)),
				rate(active, first, int(first), int(active), int(first-active)),
			})
		}
	}
	t.Parts = []result.Part{{Whole: "learners", Some: "active"}}
	return t, nil
}

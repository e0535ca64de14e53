package report

import (
	"fmt"

	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

// content is one row of what became of the attempts at one content: M20 to M29.
func content(a *asking) (*result.Table, error) {
	if err := a.readContents(); err != nil {
		return nil, err
	}
	if a.q.Filter.Content == "" {
		return nil, invalid("content", "name one content by the id of its activity")
	}
	sum, learners, asOf := attemptSum{}, 0, a.now.UnixMilli()
	err := a.ledgers(func(l *learner) error {
		if l.Unattributed {
			return nil
		}
		learners += bit(len(a.inPeriod(l.facts)) > 0)
		one := attemptSum{}
		one.addContent(measure.AttemptsAt(l.facts, a.sieve.scope), a.moments(), asOf)
		sum.addLearner(&one)
		return nil
	})
	if err != nil {
		return nil, err
	}
	t := &result.Table{Columns: a.report.Columns, Parts: attemptParts}
	row := append(a.contentCells(a.sieve.scope), result.Counted(int64(learners), learners))
	row = append(row, sum.cells()...)
	score, elapsed := measure.Distribute(sum.scores), measure.Distribute(sum.elapsed)
	for _, q := range []struct {
		d       measure.Distribution
		unit    float64
		learner int
	}{{score, 10_000, sum.scored}, {elapsed, 1000, sum.timed}} {
		if q.d.N == 0 {
			row = append(row, result.Absent(result.NotEnough), result.Absent(result.NotEnough))
			continue
		}
		row = append(row, result.Measured(q.d.P25/q.unit, int64(q.d.N), q.learner), result.Measured(q.d.P75/q.unit, int64(q.d.N), q.learner))
	}
	last := result.Absent(result.NotEnough)
	if elapsed.N > 0 {
		last = result.Measured(elapsed.P90/1000, int64(elapsed.N), sum.timed)
	}
	row = append(row, last)
	t.Rows = []result.Row{row}
	if sum.timed >= a.k || sum.timed == 0 {
		a.notes = append(a.notes, fmt.Sprintf("Time to complete: %d completed of %d that started at least 30 days ago.", len(sum.elapsed), sum.Matured))
	}
	return t, nil
}

// quartileColumns follow those of attempts in the report of one content.
var quartileColumns = []result.Column{
	{ID: "scoreP25", Title: "First quartile of the score", Measure: "M26", Kind: result.Amount, Unit: result.Score},
	{ID: "scoreP75", Title: "Third quartile of the score", Measure: "M26", Kind: result.Amount, Unit: result.Score},
	{ID: "timeToCompleteP25", Title: "First quartile of the time to complete", Measure: "M28", Kind: result.Amount, Unit: result.Seconds},
	{ID: "timeToCompleteP75", Title: "Third quartile of the time to complete", Measure: "M28", Kind: result.Amount, Unit: result.Seconds},
	{ID: "timeToCompleteP90", Title: "Time within which 90 % completed", Measure: "M28", Kind: result.Amount, Unit: result.Seconds},
}

package report

import (
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

var stuckColumns = append(contentColumns[:3:3],
	text("parent", "Parent"),
	count("reached", "Reached", "M70"),
	count("wrong", "S1: wrong and not right after", "M70"),
	count("slow", "S2: long and not past", "M70"),
	count("left", "S3: stopped here", "M70"),
	count("stuck", "Stuck", "M70"),
	result.Column{ID: "stuckRate", Title: "Stuck rate", Measure: "M71", Kind: result.Rate, Unit: result.Share, Outcome: "stuck", Whole: "reached"},
	amount("excessDropOff", "Excess drop-off", "M72", result.Share),
)

// stuck is M70 to M72: a row for each question, module and video that somebody reached in the period, the worst first.
func stuck(a *asking) (*result.Table, error) {
	if err := a.readContents(); err != nil {
		return nil, err
	}
	elements, parents := measure.Elements{}, measure.Parents{}
	now, moments := a.now.UnixMilli(), a.moments()
	err := a.ledgers(func(l *learner) error {
		if !l.Unattributed {
			parents.Add(l.facts)
			elements.Add(measure.Signs(l.facts, a.kindOf, moments, now))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t := &result.Table{Columns: a.report.Columns, Parts: []result.Part{
		{Whole: "reached", Some: "wrong"}, {Whole: "reached", Some: "slow"}, {Whole: "reached", Some: "left"}, {Whole: "reached", Some: "stuck"},
		{Whole: "stuck", Some: "wrong"}, {Whole: "stuck", Some: "slow"}, {Whole: "stuck", Some: "left"}}}
	tell := []result.Row{}
	for _, s := range elements.Points(parents) {
		learners := func(n int64) result.Cell { return result.Counted(n, int(n)) }
		row := append(a.contentCells(s.Element), result.Named(a.id(s.Parent)), learners(s.Reached), learners(s.Wrong), learners(s.Slow), learners(s.Left), learners(s.Stuck),
			rate(s.Stuck, s.Reached, int(s.Reached), int(s.Stuck), int(s.Reached-s.Stuck)))
		excess := figure(s.ExcessLeft, s.Reached, int(s.Reached))
		excess.Hit, excess.Miss = int(s.Left), int(s.Reached-s.Left)
		if excess.State == result.Shown && s.Left > 0 && int(s.Left) < a.k {
			excess = result.Absent(result.NotEnough) // it would tell how many left
		}
		tell = append(tell, append(row, excess))
	}
	t.Rows = tell
	return t, nil
}

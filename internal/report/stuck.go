package report

import (
	"strings"

	"github.com/cairn-lrs/cairn/internal/report/fact"
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

// support is M73: a row for each learner and content that needs a look, with the reasons.
func support(a *asking) (*result.Table, error) {
	if err := a.readContents(); err != nil {
		return nil, err
	}
	type pupil struct {
		row    result.Row
		course measure.Course
	}
	peers, pupils := map[fact.Hash]*measure.Peers{}, map[fact.Hash][]pupil{}
	now := a.now.UnixMilli()
	err := a.ledgers(func(l *learner) error {
		if l.Unattributed {
			return nil
		}
		for h, facts := range byContent(l.facts) {
			if a.q.Filter.Content != "" && h != a.sieve.scope || !courseLike(a.kindOf(h)) {
				continue
			}
			c := measure.CourseOf(l.facts.Under(h), h)
			if peers[h] == nil {
				peers[h] = &measure.Peers{Now: now}
			}
			peers[h].Add(c)
			if len(a.inPeriod(facts)) > 0 {
				pupils[h] = append(pupils[h], pupil{learnerCells(&l.Ledger), c})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t := &result.Table{Columns: a.report.Columns}
	for h, list := range pupils {
		for i := range list {
			p := &list[i]
			words := reasonsOf(peers[h].Reasons(&p.course, measure.Time{}))
			if words == "" {
				continue
			}
			t.Rows = append(t.Rows, append(append(p.row, a.contentCells(h)...), result.Named(words), result.Named(a.dateTime(p.course.Start)), result.Named(a.dateTime(p.course.Last))))
		}
	}
	sortByLabel(t)
	return t, nil
}

// courseLike reports whether somebody can need support at a content of the kind as a whole; what happens at single questions,
// videos and pages is told by the sticking points.
func courseLike(k fact.Kind) bool {
	switch k {
	case fact.KindCourse, fact.KindModule, fact.KindAssessment, fact.KindSimulation, fact.KindOther:
		return true
	}
	return false
}

func reasonsOf(r measure.Reason) string {
	var words []string
	for _, reason := range []struct {
		is    measure.Reason
		words string
	}{{measure.Silent, "R1 silent for 7 days"}, {measure.Failed, "R2 failed last, or stuck on a question"}, {measure.Behind, "R3 behind the others"}} {
		if r&reason.is != 0 {
			words = append(words, reason.words)
		}
	}
	return strings.Join(words, "; ")
}

package report

import (
	"strings"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

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

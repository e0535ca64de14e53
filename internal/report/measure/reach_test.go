package measure_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
)

func TestReach(t *testing.T) {
	march := measure.Period{From: at("2026-03-01 00:00"), To: at("2026-04-01 00:00")}
	r := measure.Reach{Period: march, Zone: berlin}
	add := func(facts ...fact.Fact) {
		all := measure.Of(facts)
		r.Add(all, all.Under(course))
	}
	in := below(course)
	add(event(at("2026-03-02 10:00"), 0, in), event(at("2026-03-02 11:00"), 0, in), event(at("2026-03-09 10:00"), 0, in), event(at("2026-04-01 00:00"), 0, in)) // new
	add(event(at("2026-02-28 23:59"), 0), event(at("2026-03-09 10:00"), 0, in))                                                                                 // returning: was seen elsewhere
	add(event(at("2026-03-01 00:00"), 0), event(at("2026-03-03 00:00"), 0))                                                                                     // not in the scope
	r.AddUnattributed(measure.Of([]fact.Fact{event(at("2026-03-05 00:00"), 0, in), event(at("2026-05-05 00:00"), 0, in)}))
	if r.Statements != 5 || r.Learners != 2 || r.New != 1 || r.Returning() != 1 {
		t.Errorf("%+v", r)
	}
	monday := measure.DayOf(at("2026-03-02 10:00"), berlin)
	if diff := cmp.Diff(map[int32]int64{monday: 1, monday + 7: 2}, r.Daily); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(r.Daily, r.Weekly); diff != "" {
		t.Error(diff)
	}
	month := measure.MonthOf(monday)
	if diff := cmp.Diff(map[int32]int64{month: 2}, r.Monthly); diff != "" {
		t.Error(diff)
	}
	// Three learner days over the 9 days until the 9th, and over all 31.
	if got := measure.Stickiness(r.Daily, month, 2, monday+7); !near(got, 3.0/9/2) {
		t.Errorf("stickiness %v", got)
	}
	if got := measure.Stickiness(r.Daily, month, 2, monday+700); !near(got, 3.0/31/2) {
		t.Errorf("stickiness %v", got)
	}
	if got := measure.Stickiness(nil, month, 0, monday); !math.IsNaN(got) {
		t.Errorf("stickiness of nobody %v", got)
	}
}

func TestRetention(t *testing.T) {
	c := measure.Cohorts{}
	week := int64(7 * dayMS)
	first := at("2026-03-04 10:00")
	add := func(weeks ...int64) {
		var facts []fact.Fact
		for _, w := range weeks {
			facts = append(facts, event(first+w*week, 0))
		}
		all := measure.Of(facts)
		c.Add(all, all, berlin)
	}
	add(0, 1, 1, 52, 53)
	add(0)
	add(3, 4)
	c.Add(nil, nil, berlin)
	monday := measure.WeekOf(measure.DayOf(first, berlin))
	if len(c) != 2 || c[monday][0] != 2 || c[monday][1] != 1 || c[monday][2] != 0 || c[monday][52] != 1 || c[monday+21][1] != 1 {
		t.Errorf("%v", c)
	}
	if r, finished := measure.Retention(1, 2, monday, 1, monday+13); finished || r != (measure.Rate{K: 1, N: 2}) {
		t.Errorf("on Sunday of week 1: %v, finished %v", r, finished)
	}
	if _, finished := measure.Retention(1, 2, monday, 1, monday+14); !finished {
		t.Error("week 1 is over on the Monday after")
	}
}

func TestElementUse(t *testing.T) {
	var u measure.Use
	u.Add(measure.Of([]fact.Fact{event(1, 0, below(course)), event(2, 0, below(course))}))
	u.Add(measure.Of([]fact.Fact{event(1, 0, about(module), below(course))}))
	u.Add(measure.Of([]fact.Fact{event(1, 0, about(course))}))
	u.Add(measure.Of([]fact.Fact{event(1, 0)})) // under nothing
	if got := u.ElementUse(video, course); got != (measure.Rate{K: 1, N: 3}) {
		t.Errorf("%v", got)
	}
	if got := u.ElementUse(hashOf(9), course); got != (measure.Rate{K: 0, N: 3}) {
		t.Errorf("an unused element: %v", got)
	}
}

func TestFormats(t *testing.T) {
	kinds := func(h fact.Hash) fact.Kind {
		return map[fact.Hash]fact.Kind{video: fact.KindVideo, module: fact.KindModule}[h]
	}
	period := measure.Period{From: 0, To: 10 * dayMS}
	s := measure.Formats{}
	add := func(facts ...fact.Fact) { s.Add(measure.Of(facts), kinds, period, 100*dayMS, 30*dayMS) }
	add(event(0, fact.Started), event(minute, fact.Completed, scored(500_000)), event(2*minute, fact.Started, about(module)))
	add(event(0, fact.Started), event(20*dayMS, fact.Started, registered(1))) // the second began later
	add(event(0, fact.Waived))
	v, m := s[fact.KindVideo], s[fact.KindModule]
	if v.Learners != 3 || v.Completion != (measure.Completion{Starts: 2, Completed: 1, Waived: 1, Matured: 2, InTime: 1}) || v.Active != minute || len(v.Times) != 1 || len(v.Scores) != 1 {
		t.Errorf("videos: %+v", v)
	}
	if m.Learners != 1 || m.Completion.Starts != 1 || m.Active != 0 || len(m.Times) != 0 {
		t.Errorf("modules: %+v", m)
	}
	if d, i := s.Difference(fact.KindVideo); !near(d, 0.5) || i.None() {
		t.Errorf("difference %v %v", d, i)
	}
}

package measure

import (
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// Reason says why a learner may need support (M73). Reasons are shown one by one, never as one score of risk.
type Reason uint8

// The reasons.
const (
	Silent  Reason = 1 << iota // R1: no event for 7 days
	Failed                     // R2: the last judged attempt failed, or S1 on an item under the activity
	Behind                     // R3: progress below the 25th percentile of the cohort as many days after the start
	DueSoon                    // R4: due within 7 days, or overdue, and progress below 50 %
)

// Course is one learner at one activity, as far as M73 is concerned.
type Course struct {
	Started bool
	Done    bool // completed, passed or waived in any attempt
	Start   int64
	Last    int64 // of the last event at the activity or under it
	Failed  bool
	steps   []progressStep // rising
}

type progressStep struct {
	t        int64
	progress int32
}

// CourseOf looks at one learner's facts in the scope of an activity, up to now.
func CourseOf(facts Facts, activity fact.Hash) Course {
	var c Course
	attempts := Attempts(facts.About(activity))
	var judged Time
	for i := range attempts {
		a := &attempts[i]
		if !a.Start.Is {
			continue
		}
		if !c.Started || a.Start.At < c.Start {
			c.Started, c.Start = true, a.Start.At
		}
		c.Done = c.Done || a.Completed.Is || a.Passed || a.Waived
		if a.Judged.Is && (!judged.Is || a.Judged.At >= judged.At) {
			judged, c.Failed = a.Judged, !a.Passed
		}
	}
	highest := int32(-1)
	for _, f := range facts {
		c.Last = f.T
		progress := f.Progress
		if f.Class.Has(fact.Completed) {
			progress = 1_000_000
		}
		if f.Content == activity && progress > highest {
			highest = progress
			c.steps = append(c.steps, progressStep{f.T, progress})
		}
	}
	for _, a := range AnswersOf(facts) {
		c.Failed = c.Failed || a.WrongSince >= wrongMany
	}
	return c
}

// progressAt is the highest progress until a moment; -1: none was told.
func (c *Course) progressAt(t int64) int32 {
	progress := int32(-1)
	for _, s := range c.steps {
		if s.t <= t {
			progress = s.progress
		}
	}
	return progress
}

// Peers are the courses of all learners who started one activity, which R3 compares with.
type Peers struct {
	Now int64 // milliseconds of Unix time

	courses  []Course
	quarters map[int64]quarter // by days since the start
}

type quarter struct {
	progress float64
	ok       bool
}

// Add takes in a learner, if it has started.
func (p *Peers) Add(c Course) {
	if c.Started {
		p.courses = append(p.courses, c)
		p.quarters = nil
	}
}

// Quarter is the 25th percentile of progress so many days after the start, of those who told any and started that long ago; false
// for fewer than 20.
func (p *Peers) Quarter(days int64) (progress float64, ok bool) {
	if q, known := p.quarters[days]; known {
		return q.progress, q.ok
	}
	var values []int64
	for i := range p.courses {
		c := &p.courses[i]
		if at := c.Start + days*day; at <= p.Now && len(c.steps) > 0 {
			values = append(values, int64(max(0, c.progressAt(at))))
		}
	}
	slices.Sort(values)
	q := quarter{Quantile(values, 0.25), len(values) >= enough}
	if p.quarters == nil {
		p.quarters = map[int64]quarter{}
	}
	p.quarters[days] = q
	return q.progress, q.ok
}

// Reasons is M73 of one learner; none unless it started and is not done. due is absent when the activity has no due date. Without
// progress told, R3 and R4 do not apply: not measured is not 0.
func (p *Peers) Reasons(c *Course, due Time) (reasons Reason) {
	if !c.Started || c.Done {
		return 0
	}
	if p.Now-c.Last >= silent {
		reasons |= Silent
	}
	if c.Failed {
		reasons |= Failed
	}
	progress := c.progressAt(p.Now)
	if progress < 0 {
		return reasons
	}
	if quarter, ok := p.Quarter((p.Now - c.Start) / day); ok && float64(progress) < quarter {
		reasons |= Behind
	}
	if due.Is && due.At-p.Now <= silent && progress < 500_000 {
		reasons |= DueSoon
	}
	return reasons
}

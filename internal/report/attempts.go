package report

import (
	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

// attemptSum adds up attempts, and how many learners stand behind each figure.
type attemptSum struct {
	measure.Completion
	firstJudged, firstPassed int64 // M25
	scores, actives, elapsed []int64
	active                   int64 // sum of M29, milliseconds

	// Learners with at least one such attempt.
	started, tried           int // tried: and not waived
	completed, open          int // open: tried and not completed
	inTime, late, matured    int // of M23
	passed, failed           int // of M24
	passedFirst, failedFirst int // of M25
	scored, activeOf, timed  int
	waived                   int
}

// addContent counts the attempts of one learner at one content: all are given, those that started in the period count.
func (s *attemptSum) addContent(all []measure.Attempt, p measure.Period, asOf int64) {
	s.addSome(all, func(a *measure.Attempt) bool { return p.Holds(a.Begin()) }, asOf)
}

// addSome counts those of one learner's attempts at one content that are wanted.
func (s *attemptSum) addSome(all []measure.Attempt, wanted func(*measure.Attempt) bool, asOf int64) {
	var chosen []measure.Attempt
	for i := range all {
		if wanted(&all[i]) {
			chosen = append(chosen, all[i])
		}
	}
	s.Completion.Add(chosen, asOf, maturity)
	took := measure.Elapsed{}
	took.Add(chosen, asOf, maturity)
	s.elapsed = append(s.elapsed, took.Times...)
	for _, a := range measure.FirstJudgedAttempts(chosen) {
		s.firstJudged++
		if a.Passed {
			s.firstPassed++
		}
	}
	for _, a := range measure.Scored(chosen, measure.First) {
		s.scores = append(s.scores, a.Score)
	}
	for i, spent := range measure.ActiveTimes(all) {
		a := &all[i]
		if !wanted(a) || a.Waived {
			continue
		}
		if spent.Milliseconds > 0 {
			s.actives = append(s.actives, spent.Milliseconds)
			s.active += spent.Milliseconds
		}
	}
}

// addLearner adds the sum of one learner to that of all.
func (s *attemptSum) addLearner(one *attemptSum) {
	s.Starts += one.Starts
	s.Completed += one.Completed
	s.Waived += one.Waived
	s.Matured += one.Matured
	s.InTime += one.InTime
	s.Judged += one.Judged
	s.Passed += one.Passed
	s.firstJudged += one.firstJudged
	s.firstPassed += one.firstPassed
	s.active += one.active
	s.scores, s.actives, s.elapsed = append(s.scores, one.scores...), append(s.actives, one.actives...), append(s.elapsed, one.elapsed...)

	s.started += some(one.Starts + one.Waived)
	s.tried += some(one.Starts)
	s.completed += some(one.Completed)
	s.open += some(one.Starts - one.Completed)
	s.inTime += some(one.InTime)
	s.late += some(one.Matured - one.InTime)
	s.matured += some(one.Matured)
	s.passed += some(one.Passed)
	s.failed += some(one.Judged - one.Passed)
	s.passedFirst += some(one.firstPassed)
	s.failedFirst += some(one.firstJudged - one.firstPassed)
	s.scored += some(int64(len(one.scores)))
	s.activeOf += some(int64(len(one.actives)))
	s.timed += some(int64(len(one.elapsed)))
	s.waived += some(one.Waived)
}

// attemptsOf are the attempts of a learner by content. Filters have been applied.
func attemptsOf(facts measure.Facts) map[fact.Hash][]measure.Attempt {
	all := map[fact.Hash][]measure.Attempt{}
	for content := range byContent(facts) {
		all[content] = measure.AttemptsAt(facts, content)
	}
	return all
}

// maturity is N of M23 in milliseconds.
const maturity = int64(measure.Maturity / 1_000_000)

// some is 1 for any number but 0.
func some(n int64) int {
	if n > 0 {
		return 1
	}
	return 0
}

// The columns of attempts, as several reports have them.
var attemptColumns = []result.Column{
	{ID: "starts", Title: "Starts", Measure: "M20", Kind: result.Count},
	{ID: "completions", Title: "Completions", Measure: "M21", Kind: result.Count},
	{ID: "completionRateSoFar", Title: "Completion rate so far", Measure: "M22", Kind: result.Rate, Unit: result.Share, Outcome: "completions", Whole: "starts"},
	{ID: "completionRate", Title: "Completion rate", Measure: "M23", Kind: result.Rate, Unit: result.Share},
	{ID: "waived", Title: "Waived", Measure: "M22", Kind: result.Count},
	{ID: "passRate", Title: "Pass rate", Measure: "M24", Kind: result.Rate, Unit: result.Share},
	{ID: "firstPassRate", Title: "First-attempt pass rate", Measure: "M25", Kind: result.Rate, Unit: result.Share},
	{ID: "score", Title: "Median first score", Measure: "M26", Kind: result.Amount, Unit: result.Score},
	{ID: "timeToComplete", Title: "Median time to complete", Measure: "M28", Kind: result.Amount, Unit: result.Seconds},
	{ID: "activeTime", Title: "Active time", Measure: "M29", Kind: result.Amount, Unit: result.Seconds},
	{ID: "activeTimeMedian", Title: "Median active time", Measure: "M29", Kind: result.Amount, Unit: result.Seconds},
}

// cells are the values of attemptColumns.
func (s *attemptSum) cells() []result.Cell {
	return []result.Cell{
		result.Counted(s.Starts+s.Waived, s.started),
		result.Counted(s.Completed, s.completed),
		rate(s.Completed, s.Starts, s.tried, s.completed, s.open),
		rate(s.InTime, s.Matured, s.matured, s.inTime, s.late),
		result.Counted(s.Waived, s.waived),
		tracked(rate(s.Passed, s.Judged, s.judged(), s.passed, s.failed)),
		tracked(rate(s.firstPassed, s.firstJudged, s.judged(), s.passedFirst, s.failedFirst)),
		tracked(median(s.scores, 10_000, s.scored)),
		median(s.elapsed, 1000, s.timed),
		total(s.active, int64(len(s.actives)), s.activeOf),
		median(s.actives, 1000, s.activeOf),
	}
}

// judged is at least how many learners have a judged attempt: one can have passed one and failed another.
func (s *attemptSum) judged() int { return max(s.passed, s.failed) }

// attemptParts say what can be computed from the columns of attempts.
var attemptParts = []result.Part{{Whole: "starts", Some: "completions"}}

// median is the median of values with its interval, each divided by unit.
func median(values []int64, unit float64, learners int) result.Cell {
	d := measure.Distribute(values)
	if d.N == 0 {
		return result.Absent(result.NotEnough)
	}
	c := result.Measured(d.Median/unit, int64(d.N), learners)
	if !d.MedianInterval.None() {
		c = c.Within(d.MedianInterval.Low/unit, d.MedianInterval.High/unit)
	}
	return c
}

// tracked tells a figure of which no statement of the scope carries the field from one of too little data.
func tracked(c result.Cell) result.Cell {
	if c.State == result.NotEnough {
		return result.Absent(result.Untracked)
	}
	return c
}

// total is a sum of times in seconds.
func total(ms, n int64, learners int) result.Cell {
	if n == 0 {
		return result.Absent(result.NotEnough)
	}
	return result.Measured(seconds(ms), n, learners)
}

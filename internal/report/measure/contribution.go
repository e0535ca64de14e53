package measure

import (
	"slices"
	"time"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// Contribution is what one ledger adds to the buckets: a pure function of the learner's facts, which are in order
// (fact.Fact.Before) and distinct. unattributed says that the ledger is of a Group or of nobody: its statements are counted and
// nothing else. zone is the store's time zone.
func Contribution(facts []fact.Fact, zone *time.Location, unattributed bool) Sums {
	return Difference(nil, facts, zone, unattributed)
}

// Difference is Contribution(new) − Contribution(old) for two states of one ledger, each in order. It costs a look at every
// fact of the ledger, and counting anew what is in the scopes that a fact which came or went is under; of these only the attempts and
// answers of the activities that such facts are about.
func Difference(old, new []fact.Fact, zone *time.Location, unattributed bool) Sums {
	came, went := changes(old, new)
	before, after := Of(old), Of(new)
	if unattributed { // statements are all that counts, and each counts by itself
		before, after = went, came
	}
	touched, scopes := map[fact.Hash]bool{}, map[fact.Hash]bool{}
	for _, f := range slices.Concat(came, went) {
		touched[f.Content] = true
		eachScope(f, func(scope fact.Hash) { scopes[scope] = true })
	}
	sums := Sums{}
	count := func(facts Facts, times int64) {
		c := contributor{sums: sums, times: times, calendar: &calendar{zone: zone}, touched: touched, unattributed: unattributed}
		if len(touched) > 0 {
			c.contribute(facts)
		}
		for scope, facts := range facts.byScope(scopes) {
			c.scope = scope
			c.contribute(facts)
		}
	}
	count(before, -1)
	count(after, 1)
	return sums
}

// InScope is what Contribution says of one scope, by the facts given: those of one learner that pass some filter, in order.
func InScope(scope fact.Hash, facts Facts, zone *time.Location, unattributed bool) Sums {
	touched := map[fact.Hash]bool{}
	for _, f := range facts {
		touched[f.Content] = true
	}
	c := contributor{sums: Sums{}, scope: scope, times: 1, calendar: &calendar{zone: zone}, touched: touched, unattributed: unattributed}
	c.contribute(facts.Under(scope))
	return c.sums
}

// changes returns the facts that only new has and those that only old has. Both are in order.
func changes(old, new []fact.Fact) (came, went Facts) {
	for len(old) > 0 || len(new) > 0 {
		switch {
		case len(new) == 0 || len(old) > 0 && old[0].Before(&new[0]):
			went, old = append(went, &old[0]), old[1:]
		case len(old) == 0 || new[0].Before(&old[0]):
			came, new = append(came, &new[0]), new[1:]
		default:
			old, new = old[1:], new[1:]
		}
	}
	return came, went
}

// contributor adds what one state of a ledger contributes to the cells of one scope after the other.
type contributor struct {
	sums         Sums
	scope        fact.Hash
	times        int64 // 1, or -1 to subtract
	calendar     *calendar
	touched      map[fact.Hash]bool // activities of which attempts and answers may have changed
	unattributed bool
}

func (c *contributor) add(grain Grain, at int32, counter Counter, n int64) {
	c.sums.Add(Cell{c.scope, grain, at, counter}, n*c.times)
}

// contribute adds what the facts under a scope, in order, contribute to it.
func (c *contributor) contribute(facts Facts) {
	if len(facts) == 0 {
		return
	}
	days := make([]int32, len(facts))
	for i, f := range facts {
		days[i] = c.calendar.dayOf(f.T)
	}
	c.statements(facts, days)
	if c.unattributed {
		return
	}
	c.presence(days)
	c.sessions(facts)
	changed := facts.Where(func(f *fact.Fact) bool { return c.touched[f.Content] })
	c.answers(changed)
	c.attempts(changed)
	if c.scope == (fact.Hash{}) {
		c.add(Day, days[0], NewLearners, 1)
		c.retention(days)
	} else {
		c.attemptTime(facts)
	}
}

// statements adds M01 and the data quality of its statements.
func (c *contributor) statements(facts Facts, days []int32) {
	for start := 0; start < len(facts); {
		end, skewed, inconsistent := start, int64(0), int64(0)
		for ; end < len(facts) && days[end] == days[start]; end++ {
			if facts[end].Flags&fact.ClockSkew != 0 {
				skewed++
			}
			if facts[end].Flags&fact.Inconsistent != 0 {
				inconsistent++
			}
		}
		c.add(Day, days[start], Statements, int64(end-start))
		c.add(Day, days[start], ClockSkewed, skewed)
		c.add(Day, days[start], Inconsistent, inconsistent)
		if c.unattributed {
			c.add(Day, days[start], Unattributed, int64(end-start))
		}
		start = end
	}
}

// presence adds the learner to each day, week and month with a fact (M02, M03). days rise, except where a zone repeats an
// hour around midnight: each is added once all the same.
func (c *contributor) presence(days []int32) {
	seen := map[Cell]bool{}
	once := func(grain Grain, at int32) {
		cell := Cell{c.scope, grain, at, Learners}
		if !seen[cell] {
			seen[cell] = true
			c.add(grain, at, Learners, 1)
		}
	}
	for i, day := range days {
		if i > 0 && day == days[i-1] {
			continue
		}
		once(Day, day)
		once(Week, WeekOf(day))
		once(Month, MonthOf(day))
	}
	c.add(Total, 0, Learners, 1)
}

// retention adds the learner to its cohort, the week of its first fact, for each week k after it in which it was active (M06).
func (c *contributor) retention(days []int32) {
	first, last := WeekOf(days[0]), int32(-1)
	for _, day := range days {
		k := (WeekOf(day) - first) / 7
		if k < 0 || k > RetainedWeeks || k <= last { // days may go back by one
			continue
		}
		last = k
		c.add(Cohort, first, RetainedWeek+Counter(k), 1)
	}
}

// sessions adds M10, and the time in sessions, to the days on which they begin.
func (c *contributor) sessions(facts Facts) {
	sessions, of := sessionsOf(facts)
	times := sessionTimes(facts, sessions, of)
	for i, s := range sessions {
		day := c.calendar.dayOf(s.Start)
		c.add(Day, day, SessionStarts, 1)
		c.add(Day, day, SessionTime, times[i])
	}
}

// answers adds first responses to the items in the scope (M60, M61).
func (c *contributor) answers(facts Facts) {
	for _, a := range AnswersOf(facts) {
		if !a.First.Judged {
			continue
		}
		day := c.calendar.dayOf(a.First.T)
		c.add(Day, day, FirstResponse, 1)
		c.add(Day, day, CorrectFirst, one(a.First.Correct))
	}
}

// attempts adds the attempts in the scope to the days on which they started (M20 to M26).
func (c *contributor) attempts(facts Facts) {
	attempts := Attempts(facts)
	for i := range attempts {
		a := &attempts[i]
		if !a.Start.Is {
			continue
		}
		day, below := c.calendar.dayOf(a.Start.At), c.below(a)
		c.add(Day, day, Starts+below, 1)
		if a.Waived {
			c.add(Day, day, Waived+below, 1)
			continue
		}
		c.add(Day, day, Completions+below, one(a.Completed.Is))
		c.add(Day, day, CompletedIn+below, one(a.CompletedWithin(Maturity.Milliseconds())))
		c.add(Day, day, Judged+below, one(a.Judged.Is))
		c.add(Day, day, PassedLast+below, one(a.Passed))
	}
	for _, a := range FirstJudgedAttempts(attempts) {
		day, below := c.calendar.dayOf(a.Begin()), c.below(&a)
		c.add(Day, day, FirstJudged+below, 1)
		c.add(Day, day, FirstPassed+below, one(a.Passed))
	}
	for _, a := range Scored(attempts, First) {
		if c.below(&a) == 0 {
			c.add(Day, c.calendar.dayOf(a.Begin()), ScoreBins+Counter(ScoreBin(a.Score)), 1)
		}
	}
}

// attemptTime adds M29 of the activity's own attempts to the days on which they began.
func (c *contributor) attemptTime(facts Facts) {
	own := AttemptsAt(facts, c.scope)
	for i, active := range ActiveTimes(own) {
		if !own[i].Waived {
			c.add(Day, c.calendar.dayOf(own[i].Begin()), AttemptTime, active.Milliseconds)
		}
	}
}

// below says by which counters an attempt counts in the scope: those of the activity itself, or those of what is under it.
func (c *contributor) below(a *Attempt) Counter {
	if c.scope == (fact.Hash{}) || a.Content == c.scope {
		return 0
	}
	return Below
}

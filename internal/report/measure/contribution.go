package measure

import (
	"math"
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
// fact of the ledger, and counting anew what a fact that came or went may change: in the scopes that it is under the days, the
// sessions that it belongs to or joins, and the attempts and answers of the activity that it is about.
func Difference(old, new []fact.Fact, zone *time.Location, unattributed bool) Sums {
	c := contributor{sums: Sums{}, calendar: calendar{zone: zone}, unattributed: unattributed}
	came, went := changes(old, new)
	d := delta{Of(new), came, went}
	c.contribute(fact.Hash{}, d)
	d.eachScope(c.contribute)
	return c.sums
}

// InScope is what Contribution says of one scope, by the facts given: those of one learner that pass some filter, in order.
func InScope(scope fact.Hash, facts Facts, zone *time.Location, unattributed bool) Sums {
	c := contributor{sums: Sums{}, calendar: calendar{zone: zone}, unattributed: unattributed}
	facts = facts.Under(scope)
	c.contribute(scope, delta{after: facts, came: facts})
	return c.sums
}

// contributor adds what facts that came and went change in the cells of one scope after the other.
type contributor struct {
	sums         Sums
	calendar     calendar
	unattributed bool

	scope  fact.Hash
	counts []count   // what count compares
	tried  []Attempt // for attempts
}

// count is what is counted in a cell of the scope.
type count struct {
	grain   Grain
	at      int32
	counter Counter
	n       int64
}

// contribute adds what changed in a scope. The rest of the ledger contributes what it did.
func (c *contributor) contribute(scope fact.Hash, d delta) {
	if len(d.came) == 0 && len(d.went) == 0 {
		return
	}
	c.scope = scope
	c.count(d.went, d.came, c.statements) // each counts by itself
	if c.unattributed {
		return
	}
	before := d.before()
	c.count(before, d.after, c.presence)
	if len(d.went) > 0 {
		c.count(before, d.after, c.sessions)
	} else {
		met := delta{after: connected(d.after, d.came), came: d.came}
		c.count(met.before(), met.after, c.sessions)
	}
	d.eachContent(func(_ fact.Hash, d delta) {
		before := d.before()
		c.count(before, d.after, c.answers)
		c.count(before, d.after, c.attempts)
	})
	if scope == (fact.Hash{}) {
		c.count(before, d.after, c.retention)
	} else {
		c.count(before, d.after, c.attemptTime)
	}
}

// count adds what facts contribute in one respect, less what they did before. In most respects one fact more changes nothing.
func (c *contributor) count(before, after Facts, contribution func(Facts)) {
	c.counts = c.counts[:0]
	if len(before) > 0 {
		contribution(before)
	}
	n := len(c.counts)
	if len(after) > 0 {
		contribution(after)
	}
	went, came := differing(c.counts[:n], c.counts[n:])
	for _, x := range went {
		c.sums.Add(Cell{c.scope, x.grain, x.at, x.counter}, -x.n)
	}
	for _, x := range came {
		c.sums.Add(Cell{c.scope, x.grain, x.at, x.counter}, x.n)
	}
}

// differing is what lies between the beginning and the end that two lists share.
func differing[T comparable](a, b []T) (restOfA, restOfB []T) {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return a, b
}

func (c *contributor) add(grain Grain, at int32, counter Counter, n int64) {
	if n != 0 {
		c.counts = append(c.counts, count{grain, at, counter, n})
	}
}

// statements adds M01 and the data quality of its statements.
func (c *contributor) statements(facts Facts) {
	for start := 0; start < len(facts); {
		end, day, skewed, inconsistent := start, c.calendar.dayOf(facts[start].T), int64(0), int64(0)
		for ; end < len(facts) && c.calendar.dayOf(facts[end].T) == day; end++ {
			if facts[end].Flags&fact.ClockSkew != 0 {
				skewed++
			}
			if facts[end].Flags&fact.Inconsistent != 0 {
				inconsistent++
			}
		}
		c.add(Day, day, Statements, int64(end-start))
		c.add(Day, day, ClockSkewed, skewed)
		c.add(Day, day, Inconsistent, inconsistent)
		if c.unattributed {
			c.add(Day, day, Unattributed, int64(end-start))
		}
		start = end
	}
}

// presence adds the learner to each day, week and month with a fact (M02, M03), and to the learners of all time.
func (c *contributor) presence(facts Facts) {
	week, nextMonth := int32(math.MinInt32), int32(math.MinInt32)
	for _, day := range c.calendar.days(facts) {
		c.add(Day, day, Learners, 1)
		if w := WeekOf(day); w > week {
			week = w
			c.add(Week, week, Learners, 1)
		}
		if day >= nextMonth {
			month := MonthOf(day)
			nextMonth = FirstDayOf(month + 1)
			c.add(Month, month, Learners, 1)
		}
	}
	c.add(Total, 0, Learners, 1)
}

// retention adds the learner to the day of its first fact (M05), and to its cohort, the week of that day, for each week k after
// it in which it was active (M06).
func (c *contributor) retention(facts Facts) {
	joined := c.calendar.dayOf(facts[0].T)
	c.add(Day, joined, NewLearners, 1)
	first, last := WeekOf(joined), int32(-1)
	for _, day := range c.calendar.days(facts) {
		if k := (WeekOf(day) - first) / 7; k > last && k <= RetainedWeeks {
			last = k
			c.add(Cohort, first, RetainedWeek+Counter(k), 1)
		}
	}
}

// sessions adds M10, and the time in sessions, to the days on which they begin.
func (c *contributor) sessions(facts Facts) {
	if times := gapTimes(facts); len(times) == 1 { // by far the most often
		day := c.calendar.dayOf(facts[0].T)
		c.add(Day, day, SessionStarts, 1)
		c.add(Day, day, SessionTime, min(times[0], sessionCap))
		return
	}
	sessions, of := sessionsOf(facts)
	times := sessionTimes(facts, sessions, of)
	for i, s := range sessions {
		day := c.calendar.dayOf(s.Start)
		c.add(Day, day, SessionStarts, 1)
		c.add(Day, day, SessionTime, times[i])
	}
}

// answers adds the first response to an item, whose facts these are (M60, M61).
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

// attempts adds the attempts at an activity, whose facts these are, to the days on which they started (M20 to M26).
func (c *contributor) attempts(facts Facts) {
	c.tried = appendAttempts(c.tried[:0], facts)
	attempts := c.tried
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

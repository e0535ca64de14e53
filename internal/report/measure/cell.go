package measure

import (
	"time"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// Counter says what a cell counts. The numbers become attribute names in tables: they are never given to anything else.
type Counter uint16

// Counters of Day cells: sums that add up over days.
const (
	Statements    Counter = 1 // M01; also those of groups and of nobody
	Unattributed  Counter = 2 // of them, by a Group: no learner (definition 0.4)
	ClockSkewed   Counter = 3 // of them, with event time taken from stored (definition 0.3)
	Inconsistent  Counter = 4 // of them, with a verb that contradicts the result
	NewLearners   Counter = 5 // M05, store scope only: learners whose first statement is of this day
	SessionStarts Counter = 6 // M10, by the day of the first event
	SessionTime   Counter = 7 // M29 (d) over all events in the scope, in milliseconds, by the day of the session's first event
	FirstResponse Counter = 8 // M60: first judged responses to items
	CorrectFirst  Counter = 9 // M61: of them, correct

	// Learners counts distinct learners. It stands in Day, Week, Month and Total cells, because it does not add up.
	Learners Counter = 10
)

// Counters of attempts, all in Day cells of the day on which the attempt started. In the scope of an activity they count the
// attempts of the activity itself; in the store scope those of every activity. Attempts that hold a waived event are in
// Starts and Waived, in no other.
const (
	Starts       Counter          = 20 + iota // M20
	Waived                                    // of them, with a waived event
	Completions                               // M21
	CompletedIn                               // of them, completed within Maturity (M23)
	Judged                                    // M24: attempts with passed or failed
	PassedLast                                // of them, passed by the last of the two
	FirstJudged                               // M25: learners' first judged attempts per activity
	FirstPassed                               // of them, passed
	BelowStarts  = Starts + Below             // the same counters for the attempts of what is under the activity
	AttemptTime  = Counter(60)                // M29 in ms, of the activity's own attempts with what is under them; not of the store
	ScoreBins    = Counter(40)                // M26: 11 counters, ScoreBins+i: see ScoreBin; the activity's own attempts only
	RetainedWeek = Counter(100)               // M06: 53 counters, RetainedWeek+k: see Cohort
)

// Below is what to add to a counter of attempts (Starts to FirstPassed) for the attempts of other activities under the scope.
// With the activity's own they make up all attempts in the scope. The store scope has none: it counts all as its own.
const Below Counter = 10

// Maturity is how long an attempt has time to be completed in CompletedIn (definition M23).
const Maturity = 30 * 24 * time.Hour

// RetainedWeeks is the last k of M06 that is counted.
const RetainedWeeks = 52

// Grain says which span of time a cell is of.
type Grain uint8

// The grains. The numbers are stored.
const (
	Day    Grain = iota + 1 // At: day number, days since 1970-01-01 in the store's time zone
	Week                    // At: day number of the ISO week's Monday
	Month                   // At: months since January 1970
	Total                   // At: 0
	Cohort                  // At: as Week; the week in which learners were first seen, store scope only
)

// Cell names one sum. The zero Scope is the store.
type Cell struct {
	Scope   fact.Hash
	Grain   Grain
	At      int32
	Counter Counter
}

// Sums are sparse sums: no cell holds 0.
type Sums map[Cell]int64

// Add adds n to one cell.
func (s Sums) Add(c Cell, n int64) {
	if sum := s[c] + n; sum == 0 {
		delete(s, c)
	} else {
		s[c] = sum
	}
}

// AddAll adds times × other, so that -1 subtracts it.
func (s Sums) AddAll(other Sums, times int64) {
	for c, n := range other {
		s.Add(c, n*times)
	}
}

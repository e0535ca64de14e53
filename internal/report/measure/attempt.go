package measure

import (
	"cmp"
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// Attempt is one attempt of a learner at an activity (definition 0.7): the statements about the activity with one registration;
// without a registration a new attempt begins at a start that follows a completion, pass or fail.
type Attempt struct {
	Content      fact.Hash
	Registration [16]byte
	Kind         fact.Kind // the last that was stated
	Facts        Facts     // about the activity, in order, at least one
	Below        Facts     // about what is under the activity, in order; filled by AttemptsAt

	Start     Time       // M20: first started event, else first event of any other class but launched
	StartedBy *fact.Fact // that event; nil without Start
	Completed Time       // M21: first completed event
	Waived    bool       // holds a waived event: reported apart and excluded from rates
	Judged    Time       // the last passed or failed event, which decides (M24)
	Passed    bool       // it was passed
	Scored    Time       // the last statement with a score, which is the attempt's (M26)
	Score     int64
	Progress  int32 // the largest, millionths; -1: none
}

// Attempts are all attempts in a learner's facts, in order of their first event. An attempt without Start was launched only, or
// had events of no class: it is no start (M20).
func Attempts(facts Facts) []Attempt { return appendAttempts(nil, facts) }

func appendAttempts(out []Attempt, facts Facts) []Attempt {
	facts.eachContent(func(content fact.Hash, facts Facts) {
		eachAttempt(facts, func(part Facts) { out = append(out, newAttempt(content, part)) })
	})
	if len(out) > 1 {
		slices.SortStableFunc(out, func(a, b Attempt) int { return compareFacts(a.Facts[0], b.Facts[0]) })
	}
	return out
}

// eachAttempt splits the facts of one activity by registration, and those without one at new starts.
func eachAttempt(facts Facts, do func(part Facts)) {
	const judged = fact.Completed | fact.Passed | fact.Failed
	eachRegistration(facts, func(facts Facts) {
		begin, over := 0, false // over: the current attempt without registration has been completed or judged
		for i, f := range facts {
			if f.Registration != ([16]byte{}) {
				break
			}
			if over && f.Class.Has(fact.Started) {
				do(facts[begin:i:i])
				begin, over = i, false
			}
			over = over || f.Class.Any(judged)
		}
		do(facts[begin:])
	})
}

func newAttempt(content fact.Hash, facts Facts) Attempt {
	a := Attempt{Content: content, Registration: facts[0].Registration, Facts: facts, Progress: -1}
	for _, f := range facts {
		// In order: the first of any class counts until a started event comes.
		if a.StartedBy == nil && f.Class&^fact.Launched != 0 || f.Class.Has(fact.Started) && !a.StartedBy.Class.Has(fact.Started) {
			a.Start, a.StartedBy = moment(f.T), f
		}
		if f.Class.Has(fact.Completed) {
			a.Completed.first(f.T)
		}
		if f.Class.Any(fact.Passed | fact.Failed) {
			a.Judged, a.Passed = moment(f.T), f.Class.Has(fact.Passed)
		}
		if f.HasScore {
			a.Scored, a.Score = moment(f.T), f.Score
		}
		if f.Kind != fact.KindOther {
			a.Kind = f.Kind
		}
		a.Waived = a.Waived || f.Class.Has(fact.Waived)
		a.Progress = max(a.Progress, f.Progress)
	}
	return a
}

// StartFacts are the facts by which a learner's attempts started, in order.
func StartFacts(facts Facts) Facts {
	var out Facts
	for _, a := range Attempts(facts) {
		if a.Start.Is {
			out = append(out, a.StartedBy)
		}
	}
	slices.SortFunc(out, compareFacts)
	return out
}

// Begin is when the attempt started, or of one that did not, its first event: the period to which it belongs.
func (a *Attempt) Begin() int64 {
	if a.Start.Is {
		return a.Start.At
	}
	return a.Facts[0].T
}

// compareBegins orders attempts by when they began: "the learner's first attempt" is the first.
func compareBegins(a, b *Attempt) int {
	return cmp.Or(cmp.Compare(a.Begin(), b.Begin()), compareFacts(a.Facts[0], b.Facts[0]))
}

// CompletedWithin reports whether the attempt was completed within a span of milliseconds after its start (M23).
func (a *Attempt) CompletedWithin(span int64) bool {
	return a.Completed.Is && a.Completed.At-a.Start.At <= span
}

// Completion sums attempts of any number of learners. M22 = Completed/Starts, M24 = Passed/Judged.
type Completion struct {
	Starts, Completed int64 // M20, M21: of attempts that were not waived
	Waived            int64 // reported apart
	Matured, InTime   int64 // M23: those with time enough to be completed, and of them completed in time
	Judged, Passed    int64 // M24
}

// Add counts the attempts of one learner, taken from the facts up to asOf. maturity is N of M23 in milliseconds.
func (c *Completion) Add(attempts []Attempt, asOf, maturity int64) {
	for i := range attempts {
		a := &attempts[i]
		switch {
		case !a.Start.Is:
			continue
		case a.Waived:
			c.Waived++
			continue
		}
		c.Starts++
		c.Completed += one(a.Completed.Is)
		if a.Start.At <= asOf-maturity {
			c.Matured++
			c.InTime += one(a.CompletedWithin(maturity))
		}
		if a.Judged.Is {
			c.Judged++
			c.Passed += one(a.Passed)
		}
	}
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// MaturedRate is M23 = InTime/Matured.
func (c Completion) MaturedRate() Rate { return Rate{c.InTime, c.Matured} }

// FirstJudgedAttempts are the learner's first judged attempts, one for each activity (M25), waived ones left out. M25 = those of
// them that are Passed / all.
func FirstJudgedAttempts(attempts []Attempt) []Attempt {
	return firstPerContent(attempts, func(a *Attempt) bool { return a.Judged.Is && !a.Waived })
}

// Which of a learner's scored attempts at an activity counts (M26).
type Which uint8

// The choices; First unless a report says otherwise.
const (
	First Which = iota
	Best
	Latest
)

// Scored is the scored attempt of the learner at each activity whose Score counts (M26). Of attempts with one best score it is
// the first.
func Scored(attempts []Attempt, which Which) []Attempt {
	counts := func(a *Attempt) bool { return a.Scored.Is && !a.Waived }
	scored := firstPerContent(attempts, counts)
	if which == First {
		return scored
	}
	for i := range scored {
		for _, a := range attempts {
			if a.Content != scored[i].Content || !counts(&a) {
				continue
			}
			better := which == Best && a.Score > scored[i].Score
			if better || which == Latest && compareBegins(&a, &scored[i]) > 0 {
				scored[i] = a
			}
		}
	}
	return scored
}

// firstPerContent returns, for each activity, the attempt that began first of those that fit.
func firstPerContent(attempts []Attempt, fits func(*Attempt) bool) []Attempt {
	if len(attempts) == 1 && fits(&attempts[0]) {
		return attempts[:1:1]
	}
	var at map[fact.Hash]int
	var out []Attempt
	for i := range attempts {
		a := &attempts[i]
		if !fits(a) {
			continue
		}
		if at == nil {
			at = map[fact.Hash]int{}
		}
		k, ok := at[a.Content]
		switch {
		case !ok:
			at[a.Content] = len(out)
			out = append(out, *a)
		case compareBegins(a, &out[k]) < 0:
			out[k] = *a
		}
	}
	return out
}

// ScoreBin is the bin of M26's histogram that a score in millionths falls in: 0 below 0, 1 from 0 to below 10 of 100, and so on;
// 10 from 90.
func ScoreBin(millionths int64) int {
	if millionths < 0 {
		return 0
	}
	return int(min(millionths/100_000, 9)) + 1
}

// Elapsed is M28 = t(completed) − t(started) in milliseconds; false for an attempt that was not completed, was waived, or says
// that it started after it was completed.
func (a *Attempt) Elapsed() (int64, bool) {
	if !a.Completed.Is || !a.Start.Is || a.Waived || a.Completed.At < a.Start.At {
		return 0, false
	}
	return a.Completed.At - a.Start.At, true
}

package measure

import "github.com/cairn-lrs/cairn/internal/report/fact"

// MoveOn is what an assignable unit of cmi5 asks for. Source: cmi5 13.1.4.
type MoveOn string

// The criteria.
const (
	MovePassed            MoveOn = "Passed"
	MoveCompleted         MoveOn = "Completed"
	MoveCompletedAndPass  MoveOn = "CompletedAndPassed"
	MoveCompletedOrPassed MoveOn = "CompletedOrPassed"
	MoveNotApplicable     MoveOn = "NotApplicable"
)

// Satisfies reports whether an attempt at an assignable unit meets its criterion, or was waived. Without an attempt only NotApplicable is met.
func (m MoveOn) Satisfies(a *Attempt) bool {
	if m == MoveNotApplicable {
		return true
	}
	if a == nil {
		return false
	}
	completed, passed := a.Completed.Is, false
	for _, f := range a.Facts {
		passed = passed || f.Class.Has(fact.Passed)
	}
	switch m {
	case MovePassed:
		return passed || a.Waived
	case MoveCompleted:
		return completed || a.Waived
	case MoveCompletedAndPass:
		return completed && passed || a.Waived
	case MoveCompletedOrPassed:
		return completed || passed || a.Waived
	}
	return a.Waived
}

// CourseSatisfied reports whether the LMS said that a learner satisfied a course: a satisfied event about it.
func CourseSatisfied(facts Facts, course fact.Hash) bool {
	return len(facts.Where(func(f *fact.Fact) bool { return f.Content == course && f.Class.Has(fact.Satisfied) })) > 0
}

package measure

import "github.com/cairn-lrs/cairn/internal/report/fact"

// Kinds says of what kind an activity is by all that statements said of it; KindOther when nothing.
type Kinds func(content fact.Hash) fact.Kind

// Format sums one kind of activity (M09, M30).
type Format struct {
	Kind       fact.Kind
	Learners   int64 // M09
	Completion Completion
	Active     int64   // M09: Σ M29, milliseconds
	Times      []int64 // M29 of each attempt that took any
	Scores     []int64 // M26: first scores, millionths, one per learner and activity
}

// Formats sums kinds over learners.
type Formats map[fact.Kind]*Format

// Add counts the attempts of one learner that began in a period, taken from its facts up to asOf. maturity is N of M23 in milliseconds.
func (s Formats) Add(facts Facts, kinds Kinds, period Period, asOf, maturity int64) {
	attempts := Attempts(facts)
	learner := map[fact.Kind]bool{}
	touched := map[fact.Hash]bool{}
	for _, f := range facts.In(period) {
		if f.Content != (fact.Hash{}) {
			learner[kinds(f.Content)] = true
			touched[f.Content] = true
		}
	}
	for kind := range learner {
		s.of(kind).Learners++
	}
	for i := range attempts {
		if a := &attempts[i]; period.Holds(a.Begin()) {
			s.of(kinds(a.Content)).Completion.Add(attempts[i:i+1], asOf, maturity)
		}
	}
	for _, a := range Scored(attempts, First) {
		if period.Holds(a.Begin()) {
			f := s.of(kinds(a.Content))
			f.Scores = append(f.Scores, a.Score)
		}
	}
	scopes := facts.byScope(touched)
	for content := range touched {
		f := s.of(kinds(content))
		at := AttemptsAt(scopes[content], content)
		for i, active := range ActiveTimes(at) {
			if !period.Holds(at[i].Begin()) || at[i].Waived {
				continue
			}
			f.Active += active.Milliseconds
			if active.Milliseconds > 0 {
				f.Times = append(f.Times, active.Milliseconds)
			}
		}
	}
}

func (s Formats) of(kind fact.Kind) *Format {
	if s[kind] == nil {
		s[kind] = &Format{Kind: kind}
	}
	return s[kind]
}

// Others is M23 of all other kinds together, with which M30 compares a kind.
func (s Formats) Others(kind fact.Kind) Rate {
	var r Rate
	for k, f := range s {
		if k != kind {
			r.K, r.N = r.K+f.Completion.InTime, r.N+f.Completion.Matured
		}
	}
	return r
}

// Difference is M30 = M23 of the kind − M23 of all others, by Newcombe. Learners choose formats: differences are not effects.
func (s Formats) Difference(kind fact.Kind) (difference float64, i Interval) {
	return Newcombe(s.of(kind).Completion.MaturedRate(), s.Others(kind))
}

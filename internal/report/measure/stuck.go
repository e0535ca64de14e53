package measure

import (
	"cmp"
	"math"
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

const (
	silent    = 7 * day // R1, S3
	wrongMany = 3       // S1
	enough    = 20      // S2, R3: learners to compare with
)

// Kinds says of what kind an activity is by all that statements said of it; KindOther when nothing.
type Kinds func(content fact.Hash) fact.Kind

// Sign is how one learner got on with one element: a question, page, video or module.
type Sign struct {
	Element fact.Hash
	Wrong   bool  // S1: three or more wrong responses and none right after them
	Left    bool  // S3: not got past, and the last one of an attempt that was not completed and is silent for 7 days
	Past    bool  // completed, passed, waived, or answered correctly
	Active  int64 // milliseconds at the element: M29, of a question M69 of all responses
}

// Signs are one learner's signs at the elements that it reached in a period, taken from its facts up to now.
func Signs(facts Facts, kinds Kinds, period Period, now int64) []Sign {
	left, answering, scopes := lastElements(facts, now), timeAnswering(facts), facts.byScope()
	var out []Sign
	facts.eachContent(func(e fact.Hash, own Facts) {
		kind := kinds(e)
		if kind != fact.KindQuestion && kind != fact.KindModule && kind != fact.KindVideo || len(own.In(period)) == 0 {
			return
		}
		s := Sign{Element: e}
		for _, f := range own {
			correct, judged := judge(f)
			s.Past = s.Past || f.Class.Any(fact.Completed|fact.Passed|fact.Waived) || f.Class.Has(fact.Answered) && judged && correct
		}
		for _, a := range AnswersOf(own) {
			s.Wrong = a.WrongSince >= wrongMany
		}
		s.Left = left[e] && !s.Past
		if kind == fact.KindQuestion {
			s.Active = answering[e]
		} else {
			for _, a := range ActiveTimes(AttemptsAt(scopes[e], e)) {
				s.Active += a.Milliseconds
			}
		}
		out = append(out, s)
	})
	return out
}

// timeAnswering is M69 of all responses, by item.
func timeAnswering(facts Facts) map[fact.Hash]int64 {
	out := map[fact.Hash]int64{}
	for i, f := range facts {
		if f.Class.Has(fact.Answered) {
			out[f.Content] += max(0, timeOn(facts, i))
		}
	}
	return out
}

// run is what S3 calls an attempt: what happened under one parent, or at an element without one, with one registration.
type run struct {
	started, completed bool
	last               int64
	element            fact.Hash
}

// lastElements are the elements at which runs ended that were started, not completed, and are silent for 7 days.
func lastElements(facts Facts, now int64) map[fact.Hash]bool {
	type key struct {
		root         fact.Hash
		registration [16]byte
	}
	runs := map[key]*run{}
	under := map[fact.Hash]int64{} // the last event in the scope of an activity
	touch := func(root fact.Hash, f *fact.Fact) {
		k := key{root, f.Registration}
		r := runs[k]
		if r == nil {
			r = &run{}
			runs[k] = r
		}
		r.last = f.T
		r.started = r.started || f.Class&^fact.Launched != 0
		if f.Content == root {
			r.completed = r.completed || f.Class.Any(fact.Completed|fact.Passed|fact.Waived|fact.Satisfied)
		}
		if f.Content != root || f.Parent == (fact.Hash{}) && r.element == (fact.Hash{}) {
			r.element = f.Content
		}
	}
	for _, f := range facts {
		if f.Content == (fact.Hash{}) {
			continue
		}
		for _, scope := range append([]fact.Hash{f.Content, f.Parent}, f.Groupings...) {
			under[scope] = f.T
		}
		touch(f.Content, f)
		if f.Parent != (fact.Hash{}) {
			touch(f.Parent, f)
		}
	}
	out := map[fact.Hash]bool{}
	for _, r := range runs {
		if r.started && !r.completed && now-max(r.last, under[r.element]) >= silent {
			out[r.element] = true
		}
	}
	return out
}

// Sticking sums the signs of learners at one element (M70 to M72).
type Sticking struct {
	Element, Parent                   fact.Hash
	Reached, Wrong, Slow, Left, Stuck int64   // learners; S1, S2, S3 and their union (M70)
	ExcessLeft                        float64 // M72 = Left/Reached − the median of the siblings; NaN without siblings
}

// Rate is M71 = Stuck/Reached, with Wilson's interval.
func (s *Sticking) Rate() Rate { return Rate{s.Stuck, s.Reached} }

// Element collects the signs of learners at one element.
type Element []Sign

// Elements collects signs by element.
type Elements map[fact.Hash]Element

// Add takes in the signs of one learner.
func (e Elements) Add(signs []Sign) {
	for _, s := range signs {
		e[s.Element] = append(e[s.Element], s)
	}
}

// Sticking sums one element: S2 is an active time above the 90th percentile of those who got past it and above three times their
// median, of a learner who did not; it needs 20 who got past.
func (e Element) Sticking() Sticking {
	var s Sticking
	var past []int64
	for _, sign := range e {
		if sign.Past {
			past = append(past, sign.Active)
		}
	}
	slices.Sort(past)
	p90, median := Quantile(past, 0.9), Quantile(past, 0.5)
	for _, sign := range e {
		slow := len(past) >= enough && !sign.Past && float64(sign.Active) > p90 && float64(sign.Active) > 3*median
		s.Element = sign.Element
		s.Reached++
		s.Wrong += one(sign.Wrong)
		s.Slow += one(slow)
		s.Left += one(sign.Left)
		s.Stuck += one(sign.Wrong || slow || sign.Left)
	}
	return s
}

// Points are the sticking points: all elements, worst first by the lower bound of Wilson's interval, so that 2 of 2 does not beat
// 60 of 100; ties by count, then by element.
func (e Elements) Points(parents Parents) []Sticking {
	var out []Sticking
	left := map[fact.Hash][]Sticking{} // by parent
	for _, element := range e {
		s := element.Sticking()
		s.Parent = parents.Of(s.Element)
		out = append(out, s)
		left[s.Parent] = append(left[s.Parent], s)
	}
	for i := range out {
		out[i].ExcessLeft = excess(&out[i], left[out[i].Parent])
	}
	slices.SortFunc(out, func(a, b Sticking) int {
		return cmp.Or(
			cmp.Compare(b.Rate().Wilson().Low, a.Rate().Wilson().Low),
			cmp.Compare(b.Stuck, a.Stuck),
			compareHashes(a.Element, b.Element),
		)
	})
	return out
}

// excess is M72; elements without a parent have no siblings.
func excess(s *Sticking, family []Sticking) float64 {
	if s.Parent == (fact.Hash{}) || len(family) < 2 {
		return math.NaN()
	}
	var others []float64
	for _, x := range family {
		if x.Element != s.Element {
			others = append(others, Rate{x.Left, x.Reached}.Value())
		}
	}
	slices.Sort(others)
	n := len(others)
	return Rate{s.Left, s.Reached}.Value() - (others[(n-1)/2]+others[n/2])/2
}

package measure

import (
	"math/bits"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// Step is one step of a funnel.
type Step struct {
	Events   func(Facts) Facts // those of a learner's facts that are the step, in order
	Again    bool              // needs another event than the steps before it: for "did X, and X again"
	Optional bool              // left out when nobody took it; at most maxOptional steps are
}

const maxOptional = 6

// Funnel is M27: how many learners who reach the first step in a period go on to the next ones within a window. A step needs an
// event at or after the event of the step before, and no later than the window after the first; of those the earliest counts.
type Funnel struct {
	Steps  []Step
	Period Period // of the first step
	Window int64  // W in milliseconds

	seen    uint             // optional steps, by index, that anybody took
	reached map[uint][]int64 // by set of optional steps that are in: learners at each step
}

// Add counts one learner by its facts in the scope.
func (f *Funnel) Add(facts Facts) {
	var optional uint
	events := make([]Facts, len(f.Steps))
	for i, s := range f.Steps {
		events[i] = s.Events(facts)
		if s.Optional {
			optional |= 1 << i
			f.seen |= uint(one(len(events[i]) > 0)) << i
		}
	}
	if bits.OnesCount(optional) > maxOptional {
		panic("measure: a funnel has more optional steps than can be told apart")
	}
	if f.reached == nil {
		f.reached = map[uint][]int64{}
	}
	for set := optional; ; set = (set - 1) & optional { // each subset of the optional steps, the empty one last
		if f.reached[set] == nil {
			f.reached[set] = make([]int64, len(f.Steps))
		}
		for _, i := range f.walk(events, optional&^set) {
			f.reached[set][i]++
		}
		if set == 0 {
			return
		}
	}
}

// walk returns the steps that a learner reached; without is the set of steps that are left out.
func (f *Funnel) walk(events []Facts, without uint) (reached []int) {
	used := map[*fact.Fact]bool{}
	var first, last int64
	for i, step := range f.Steps {
		if without&(1<<i) != 0 {
			continue
		}
		var found *fact.Fact
		for _, x := range events[i] {
			if len(reached) == 0 && !f.Period.Holds(x.T) || len(reached) > 0 && (x.T < last || x.T-first > f.Window) {
				continue
			}
			if !(step.Again && used[x]) {
				found = x
				break
			}
		}
		if found == nil {
			return reached
		}
		if len(reached) == 0 {
			first = found.T
		}
		last, used[found] = found.T, true
		reached = append(reached, i)
	}
	return reached
}

// FunnelStep is a step with its learners.
type FunnelStep struct {
	Step     int // index in Steps
	Learners int64
	Previous Rate // of those at the step before
	First    Rate // of those at the first step
}

// Result is the funnel without the optional steps that nobody took: they are not shown as 0.
func (f *Funnel) Result() []FunnelStep {
	var out []FunnelStep
	counts := f.reached[f.seen]
	for i, s := range f.Steps {
		if s.Optional && f.seen&(1<<i) == 0 {
			continue
		}
		step := FunnelStep{Step: i}
		if counts != nil {
			step.Learners = counts[i]
		}
		previous, first := step.Learners, step.Learners
		if len(out) > 0 {
			previous, first = out[len(out)-1].Learners, out[0].Learners
		}
		step.Previous, step.First = Rate{step.Learners, previous}, Rate{step.Learners, first}
		out = append(out, step)
	}
	return out
}

package measure_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
)

// defaultSteps are M27's: launched? → started → 50 % progress? → completed → passed?
var defaultSteps = []measure.Step{
	{Events: where(isClass(fact.Launched)), Optional: true},
	{Events: measure.StartFacts},
	{Events: where(func(f *fact.Fact) bool { return f.Progress >= 500_000 }), Optional: true},
	{Events: where(isClass(fact.Completed))},
	{Events: where(isClass(fact.Passed)), Optional: true},
}

// where is a step's Events: the facts for which is is true.
func where(is func(*fact.Fact) bool) func(measure.Facts) measure.Facts {
	return func(facts measure.Facts) measure.Facts { return facts.Where(is) }
}

func isClass(c fact.Class) func(*fact.Fact) bool {
	return func(f *fact.Fact) bool { return f.Class.Has(c) }
}

func isAbout(content fact.Hash) func(measure.Facts) measure.Facts {
	return func(facts measure.Facts) measure.Facts { return facts.About(content) }
}

func TestFunnel(t *testing.T) {
	period := measure.Period{From: 0, To: 10 * dayMS}
	progressed := func(f *fact.Fact) { f.Progress = 500_000 }
	type steps [][3]int64 // step, learners, previous
	tests := []struct {
		name     string
		steps    []measure.Step
		learners [][]fact.Fact
		want     steps
	}{
		{"default, with what there is", defaultSteps, [][]fact.Fact{
			{event(0, fact.Started), event(1, fact.Progressed, progressed), event(2, fact.Completed)},
			{event(0, fact.Started), event(2, fact.Completed)}, // no progress told: it ends there
			{event(0, fact.Started)},
		}, steps{{1, 3, 3}, {2, 1, 3}, {3, 1, 1}}},
		{"without progress told by anybody", defaultSteps, [][]fact.Fact{
			{event(0, fact.Started), event(2, fact.Completed)},
			{event(0, fact.Launched), event(0, fact.Started)},
			{event(0, fact.Started)}, // not launched
		}, steps{{0, 1, 1}, {1, 1, 1}, {3, 0, 1}}},
		{"one statement may be two steps", defaultSteps, [][]fact.Fact{{event(0, fact.Completed|fact.Passed)}}, steps{{1, 1, 1}, {3, 1, 1}, {4, 1, 1}}},
		{"the window", defaultSteps, [][]fact.Fact{
			{event(0, fact.Started), event(30*dayMS, fact.Completed)},
			{event(1, fact.Started), event(30*dayMS+2, fact.Completed)},
			{event(10*dayMS, fact.Started), event(10*dayMS+1, fact.Completed)}, // began after the period
		}, steps{{1, 2, 2}, {3, 1, 2}}},
		{"in order", []measure.Step{{Events: isAbout(video)}, {Events: isAbout(module)}, {Events: isAbout(video), Again: true}}, [][]fact.Fact{
			{event(0, 0), event(1, 0, about(module)), event(2, 0)},
			{event(0, 0), event(0, 0, about(module))}, // the first video is used
			{event(0, 0, about(module)), event(1, 0)},
		}, steps{{0, 3, 3}, {1, 2, 3}, {2, 1, 2}}},
		{"starts again", []measure.Step{{Events: where(isClass(fact.Completed))}, {Events: measure.StartFacts}}, [][]fact.Fact{
			{event(0, fact.Started), event(1, fact.Completed), event(2, fact.Passed)}, // what follows is no start
			{event(0, fact.Started), event(1, fact.Completed), event(2, fact.Started)},
		}, steps{{0, 2, 2}, {1, 1, 2}}},
		{"nobody", defaultSteps, nil, steps{{1, 0, 0}, {3, 0, 0}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := measure.Funnel{Steps: test.steps, Period: period, Window: 30 * dayMS}
			for _, facts := range test.learners {
				f.Add(measure.Of(facts))
			}
			var got steps
			for _, s := range f.Result() {
				got = append(got, [3]int64{int64(s.Step), s.Learners, s.Previous.N})
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

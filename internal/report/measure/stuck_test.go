package measure_test

import (
	"math"
	"testing"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
)

func stuckKinds(h fact.Hash) fact.Kind {
	switch {
	case h == course:
		return fact.KindCourse
	case h[0] == 9:
		return fact.KindQuestion
	}
	return fact.KindModule
}

func TestSigns(t *testing.T) {
	always := measure.Period{From: 0, To: 1 << 60}
	now := 30 * dayMS
	in := below(course)
	tests := []struct {
		name              string
		facts             []fact.Fact
		element           fact.Hash
		wrong, left, past bool
	}{
		{"left in the middle", []fact.Fact{event(0, fact.Started, about(course)), event(1, 0, in)}, video, false, true, false},
		{"not yet silent for long", []fact.Fact{event(0, fact.Started, about(course)), event(now-7*dayMS+1, 0, in)}, video, false, false, false},
		{"silent for 7 days", []fact.Fact{event(0, fact.Started, about(course)), event(now-7*dayMS, 0, in)}, video, false, true, false},
		{"went on", []fact.Fact{event(0, fact.Started, in), event(1, 0, about(module), in)}, video, false, false, false},
		{"the course was completed", []fact.Fact{event(0, fact.Started, about(course)), event(1, 0, in), event(2, fact.Completed, about(course))}, video, false, false, false},
		{"the element was completed", []fact.Fact{event(0, fact.Started, about(course)), event(1, fact.Completed, in)}, video, false, false, true},
		{"never started", []fact.Fact{event(1, 0, in)}, video, false, false, false},
		{"no parent", []fact.Fact{event(1, fact.Started)}, video, false, true, false},
		{"busy below it", []fact.Fact{event(0, fact.Started, in), event(now-1, 0, about(module), below(video))}, video, false, false, false},
		{"another registration goes on", []fact.Fact{event(0, fact.Started, in, registered(1)), event(1, fact.Started, about(module), in, registered(2))}, video, false, true, false},
		{"three wrong", []fact.Fact{response(1, 1, fact.No), response(2, 1, fact.No), response(now, 1, fact.No)}, fact.Hash{9, 1}, true, false, false},
		{"two wrong", []fact.Fact{response(1, 1, fact.No), response(now, 1, fact.No)}, fact.Hash{9, 1}, false, false, false},
		{"right in the end", []fact.Fact{response(1, 1, fact.No), response(2, 1, fact.No), response(3, 1, fact.No), response(now, 1, fact.Yes)}, fact.Hash{9, 1}, false, false, true},
		{"right in between", []fact.Fact{response(1, 1, fact.No), response(2, 1, fact.No), response(3, 1, fact.Yes), response(now, 1, fact.No)}, fact.Hash{9, 1}, false, false, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			found := false
			for _, s := range measure.Signs(measure.Of(test.facts), stuckKinds, always, now) {
				if s.Element == test.element {
					found = true
					if s.Wrong != test.wrong || s.Left != test.left || s.Past != test.past {
						t.Errorf("%+v", s)
					}
				}
				if s.Element == course {
					t.Error("a course is no element")
				}
			}
			if !found {
				t.Error("no sign")
			}
		})
	}
	if got := measure.Signs(measure.Of([]fact.Fact{event(5, 0)}), stuckKinds, measure.Period{From: 0, To: 5}, now); got != nil {
		t.Errorf("reached outside of the period: %+v", got)
	}
}

func TestSticking(t *testing.T) {
	var e measure.Element
	for i := range 20 { // with the 90 s below the median is 21 s and P90 30 s
		e = append(e, measure.Sign{Element: video, Past: true, Active: int64(i+11) * second})
	}
	e = append(e,
		measure.Sign{Element: video, Active: 64 * second},             // slow
		measure.Sign{Element: video, Active: 63 * second},             // not: three times the median exactly
		measure.Sign{Element: video, Active: 90 * second, Past: true}, // got past
		measure.Sign{Element: video, Wrong: true, Left: true},
		measure.Sign{Element: video, Left: true},
	)
	s := e.Sticking()
	if s.Reached != 25 || s.Slow != 1 || s.Wrong != 1 || s.Left != 2 || s.Stuck != 3 {
		t.Errorf("%+v", s)
	}
	few := append(measure.Element{}, e[:19]...)
	few = append(few, measure.Sign{Element: video, Active: hour})
	if s := few.Sticking(); s.Slow != 0 {
		t.Errorf("19 got past, and yet %+v", s)
	}
}

func TestStickingPoints(t *testing.T) {
	elements, parents := measure.Elements{}, measure.Parents{}
	add := func(e fact.Hash, stuck, reached int) {
		for i := range reached {
			elements.Add([]measure.Sign{{Element: e, Left: i < stuck}})
		}
		parents.Add(measure.Of([]fact.Fact{{T: 2, Content: e, Parent: course}, {T: 3, Content: e}}))
		parents.Add(measure.Of([]fact.Fact{{T: 1, Content: e, Parent: hashOf(99)}})) // by another learner, and before
	}
	add(hashOf(10), 2, 2)
	add(hashOf(11), 60, 100)
	add(hashOf(12), 0, 50)
	elements.Add([]measure.Sign{{Element: hashOf(13)}})
	points := elements.Points(parents)
	if len(points) != 4 || points[0].Element != hashOf(11) || points[1].Element != hashOf(10) || points[2].Element != hashOf(12) || points[3].Element != hashOf(13) {
		t.Fatalf("%+v", points)
	}
	for i, want := range []float64{0.6 - 0.5, 1 - 0.3, 0 - 0.8, math.NaN()} {
		if got := points[i].ExcessLeft; !near(got, want) {
			t.Errorf("excess of %d: %v, want %v", i, got, want)
		}
	}
}

func TestSupport(t *testing.T) {
	now := 30 * dayMS
	progress := func(p int32) func(*fact.Fact) { return func(f *fact.Fact) { f.Progress = p } }
	soon := measure.Time{At: now + 7*dayMS, Is: true}
	peers := measure.Peers{Now: now}
	for i := range 20 { // after 10 days: 5 % to 100 %, so that the quarter is 28.75 %
		peers.Add(measure.CourseOf(measure.Of([]fact.Fact{event(0, fact.Started), event(10*dayMS, 0, progress(int32(i+1)*50_000))}), video))
	}
	if got, ok := peers.Quarter(10); !ok || !near(got, 287_500) {
		t.Errorf("quarter %v, %v", got, ok)
	}
	if got, ok := peers.Quarter(9); !ok || got != 0 {
		t.Errorf("quarter of day 9: %v, %v", got, ok)
	}
	if _, ok := peers.Quarter(31); ok {
		t.Error("nobody started 31 days ago")
	}
	tests := []struct {
		name  string
		facts []fact.Fact
		due   measure.Time
		want  measure.Reason
	}{
		{"silent", []fact.Fact{event(0, fact.Started)}, measure.Time{}, measure.Silent},
		{"not started", []fact.Fact{event(0, fact.Launched)}, measure.Time{}, 0},
		{"done", []fact.Fact{event(0, fact.Started), event(1, fact.Completed)}, measure.Time{}, 0},
		{"done in another attempt", []fact.Fact{event(0, fact.Passed, registered(1)), event(1, fact.Started, registered(2))}, measure.Time{}, 0},
		{"waived", []fact.Fact{event(0, fact.Waived)}, measure.Time{}, 0},
		{"failed", []fact.Fact{event(0, fact.Started), event(now, fact.Failed)}, measure.Time{}, measure.Failed},
		{"three wrong answers under it", []fact.Fact{event(0, fact.Started), wrong(now - 2), wrong(now - 1), wrong(now)}, measure.Time{}, measure.Failed},
		{"behind", []fact.Fact{event(20*dayMS, fact.Started), event(now, 0, progress(287_499))}, measure.Time{}, measure.Behind},
		{"not behind", []fact.Fact{event(20*dayMS, fact.Started), event(now, 0, progress(287_500))}, measure.Time{}, 0},
		{"due soon", []fact.Fact{event(20*dayMS, fact.Started), event(now, 0, progress(499_999))}, soon, measure.DueSoon},
		{"half done and due soon", []fact.Fact{event(20*dayMS, fact.Started), event(now, 0, progress(500_000))}, soon, 0},
		{"due later", []fact.Fact{event(20*dayMS, fact.Started), event(now, 0, progress(499_999))}, measure.Time{At: soon.At + 1, Is: true}, 0},
		{"no progress told", []fact.Fact{event(now, fact.Started)}, soon, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := measure.CourseOf(measure.Of(test.facts), video)
			if got := peers.Reasons(&c, test.due); got != test.want {
				t.Errorf("reasons %b, want %b", got, test.want)
			}
		})
	}
}

func wrong(t int64) fact.Fact {
	f := response(t, 1, fact.No)
	f.Parent = video
	return f
}

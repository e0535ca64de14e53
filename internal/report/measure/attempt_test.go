package measure_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
)

const (
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
	dayMS  = 24 * hour
)

// event is a fact about the video at a moment, with the parts that a test changes.
func event(t int64, class fact.Class, change ...func(*fact.Fact)) fact.Fact {
	f := fact.Fact{ID: uint64(t)*31 + uint64(class), T: t, Stored: t, Content: video, Class: class, Duration: -1, Progress: -1}
	for _, c := range change {
		c(&f)
	}
	return f
}

func registered(r byte) func(*fact.Fact) { return func(f *fact.Fact) { f.Registration[0] = r } }
func lasting(ms int64) func(*fact.Fact)  { return func(f *fact.Fact) { f.Duration = ms } }
func scored(score int64) func(*fact.Fact) {
	return func(f *fact.Fact) { f.HasScore, f.Score = true, score }
}
func about(content fact.Hash) func(*fact.Fact) { return func(f *fact.Fact) { f.Content = content } }
func below(parent fact.Hash) func(*fact.Fact)  { return func(f *fact.Fact) { f.Parent = parent } }
func session(id uint64) func(*fact.Fact)       { return func(f *fact.Fact) { f.Session = id } }

func TestAttempts(t *testing.T) {
	type attempt struct {
		facts            int
		start, completed int64 // -1: none
		judged, passed   bool
		waived           bool
	}
	tests := []struct {
		name  string
		facts []fact.Fact
		want  []attempt
	}{
		{"none", nil, nil},
		{"launched is not started", []fact.Fact{event(1, fact.Launched)}, []attempt{{1, -1, -1, false, false, false}}},
		{"started", []fact.Fact{event(1, fact.Launched), event(2, fact.Started), event(3, fact.Completed)}, []attempt{{3, 2, 3, false, false, false}}},
		{"without a start the first event of another class", []fact.Fact{event(1, 0), event(2, fact.Launched), event(3, fact.Progressed), event(4, fact.Completed)}, []attempt{{4, 3, 4, false, false, false}}},
		{"a start goes before what happened earlier", []fact.Fact{event(1, fact.Progressed), event(2, fact.Started)}, []attempt{{2, 2, -1, false, false, false}}},
		{"the first completion counts", []fact.Fact{event(1, fact.Started), event(2, fact.Completed), event(3, fact.Completed)}, []attempt{{3, 1, 2, false, false, false}}},
		{"the last of pass and fail decides", []fact.Fact{event(1, fact.Failed), event(2, fact.Passed), event(3, fact.Failed)}, []attempt{{3, 1, -1, true, false, false}}},
		{"waived", []fact.Fact{event(1, fact.Waived|fact.Completed|fact.Passed)}, []attempt{{1, 1, 1, true, true, true}}},
		{"a start after a completion is a new attempt", []fact.Fact{event(1, fact.Started), event(2, fact.Started), event(3, fact.Completed), event(4, 0), event(5, fact.Started), event(6, fact.Passed), event(7, fact.Started)}, []attempt{{4, 1, 3, false, false, false}, {2, 5, -1, true, true, false}, {1, 7, -1, false, false, false}}},
		{"not within a registration", []fact.Fact{event(1, fact.Started, registered(1)), event(3, fact.Completed, registered(1)), event(5, fact.Started, registered(1)), event(6, fact.Started, registered(2))}, []attempt{{3, 1, 3, false, false, false}, {1, 6, -1, false, false, false}}},
		{"started and completed at once is one attempt", []fact.Fact{event(1, fact.Started|fact.Completed)}, []attempt{{1, 1, 1, false, false, false}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []attempt
			for _, a := range measure.Attempts(measure.Of(test.facts)) {
				x := attempt{len(a.Facts), -1, -1, a.Judged.Is, a.Passed, a.Waived}
				if a.Start.Is {
					x.start = a.Start.At
				}
				if a.Completed.Is {
					x.completed = a.Completed.At
				}
				got = append(got, x)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(attempt{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCompletion(t *testing.T) {
	facts := []fact.Fact{
		event(0, fact.Started, registered(1)), event(10*dayMS, fact.Completed|fact.Passed, registered(1)), // in time
		event(1, fact.Started, registered(2)), event(40*dayMS, fact.Completed, registered(2)), // late
		event(2, fact.Started, registered(3)), event(3, fact.Failed, registered(3)),
		event(4, fact.Waived|fact.Completed, registered(4)),
		event(39*dayMS, fact.Started, registered(5)), event(39*dayMS+1, fact.Completed, registered(5)), // not matured
		event(5, fact.Launched, registered(6)),
	}
	var c measure.Completion
	c.Add(measure.Attempts(measure.Of(facts)), 50*dayMS, 30*dayMS)
	want := measure.Completion{Starts: 4, Completed: 3, Waived: 1, Matured: 3, InTime: 1, Judged: 2, Passed: 1}
	if c != want {
		t.Errorf("got %+v, want %+v", c, want)
	}
	if r := c.MaturedRate(); r != (measure.Rate{K: 1, N: 3}) {
		t.Errorf("matured %v", r)
	}
}

func TestScoredAndFirstJudged(t *testing.T) {
	facts := []fact.Fact{
		event(1, fact.Started, registered(1)),
		event(2, fact.Failed, registered(1), scored(400_000)),
		event(3, fact.Failed, registered(1), scored(500_000)), // the attempt's score is its last
		event(4, fact.Passed, registered(2), scored(900_000)),
		event(5, 0, registered(3), scored(700_000)), // never started
		event(6, fact.Waived, registered(4), scored(1_000_000)),
		event(7, fact.Passed, registered(1), about(module)),
	}
	attempts := measure.Attempts(measure.Of(facts))
	for which, want := range map[measure.Which]int64{measure.First: 500_000, measure.Best: 900_000, measure.Latest: 700_000} {
		got := measure.Scored(attempts, which)
		if len(got) != 1 || got[0].Score != want {
			t.Errorf("choice %d: %+v, want one of %d", which, got, want)
		}
	}
	judged := measure.FirstJudgedAttempts(attempts)
	if len(judged) != 2 || judged[0].Passed || judged[0].Content != video || !judged[1].Passed {
		t.Errorf("first judged: %+v", judged)
	}
}

func TestScoreBins(t *testing.T) {
	for score, want := range map[int64]int{-1_000_000: 0, -1: 0, 0: 1, 99_999: 1, 100_000: 2, 899_999: 9, 900_000: 10, 1_000_000: 10, 5_000_000: 10} {
		if got := measure.ScoreBin(score); got != want {
			t.Errorf("bin of %d is %d, want %d", score, got, want)
		}
	}
}

func TestElapsed(t *testing.T) {
	one := func(facts ...fact.Fact) measure.Attempt { return measure.Attempts(measure.Of(facts))[0] }
	a := one(event(1000, fact.Started), event(5000, fact.Completed))
	if ms, ok := a.Elapsed(); !ok || ms != 4000 {
		t.Errorf("%d, %v", ms, ok)
	}
	for _, a := range []measure.Attempt{one(event(1, fact.Started)), one(event(1, fact.Completed|fact.Waived)), one(event(1, fact.Completed, registered(1)), event(2, fact.Started, registered(1)))} {
		if ms, ok := a.Elapsed(); ok {
			t.Errorf("%+v took %d", a, ms)
		}
	}
}

// TestAttemptsHoldEachFactOnce: attempts are a partition of the facts about activities, and no measure of them depends on the
// order in which facts came.
func TestAttemptsHoldEachFactOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts := rapid.SliceOfNDistinct(drawFact(), 0, 40, func(f fact.Fact) uint64 { return f.ID }).Draw(t, "facts")
		shuffled := rapid.Permutation(facts).Draw(t, "shuffled")
		attempts := measure.Attempts(measure.Of(facts))
		held := map[uint64]int{}
		for _, a := range attempts {
			for _, f := range a.Facts {
				held[f.ID]++
			}
		}
		for _, f := range facts {
			want := 1
			if f.Content == (fact.Hash{}) {
				want = 0
			}
			if held[f.ID] != want {
				t.Fatalf("fact %d is in %d attempts, want %d", f.ID, held[f.ID], want)
			}
		}
		if diff := cmp.Diff(attempts, measure.Attempts(measure.Of(shuffled))); diff != "" {
			t.Errorf("in another order (-one +other):\n%s", diff)
		}
	})
}

func TestElapsedOfMaturedAttempts(t *testing.T) {
	var s measure.Elapsed
	s.Add(measure.Attempts(measure.Of([]fact.Fact{
		event(0, fact.Started, registered(1)), event(hour, fact.Completed, registered(1)),
		event(0, fact.Started, registered(2)),
		event(1, fact.Started, registered(6)), event(31*dayMS, fact.Completed, registered(6)), // late
		event(0, fact.Waived, registered(3)),
		event(0, fact.Launched, registered(4)),
		event(11*dayMS, fact.Started, registered(5)), event(11*dayMS+1, fact.Completed, registered(5)), // not matured
	})), 40*dayMS, 30*dayMS)
	if diff := cmp.Diff(measure.Elapsed{Times: []int64{hour}, Matured: 3}, s); diff != "" {
		t.Error(diff)
	}
}

package measure_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
)

// list makes a statement with played-segments, in seconds.
func list(t int64, registration byte, length int64, text string) fact.Fact {
	f := event(t, 0, registered(registration))
	segments, _ := fact.ParseSegments(text)
	f.Kind, f.Video = fact.KindVideo, &fact.Video{Length: length * second, Time: -1, From: -1, To: -1, Threshold: -1, Speed: -1, Segments: segments}
	return f
}

// viewingsOf are a learner's viewings of all time.
func viewingsOf(facts measure.Facts) []measure.Viewing {
	return measure.ViewingsIn(facts, measure.Period{From: math.MinInt64, To: math.MaxInt64})
}

// watch is what one learner watched of the one video.
func watch(t *testing.T, facts ...fact.Fact) measure.Watch {
	t.Helper()
	viewings := viewingsOf(measure.Of(facts))
	if len(viewings) != 1 {
		t.Fatalf("%d viewings", len(viewings))
	}
	return viewings[0].Watch(viewings[0].Length)
}

func TestWatchTime(t *testing.T) {
	tests := []struct {
		name          string
		facts         []fact.Fact
		watch, unique int64 // seconds
		coverage      float64
	}{
		{"golden 1", []fact.Fact{list(1, 0, 0, "0.000[.]12.000[,]14.000[.]21.000[,]18.000[.]30.000")}, 31, 28, math.NaN()},
		{"golden 2: a list that grows", []fact.Fact{list(1, 0, 40, "0[.]10"), list(2, 0, 40, "0[.]10[,]10[.]20[,]15[.]25")}, 30, 25, 0.625},
		{"golden 2: a session that restarts its list", []fact.Fact{list(1, 0, 40, "0[.]10"), list(2, 0, 40, "0[.]10[,]10[.]20[,]15[.]25"), list(3, 0, 40, "20[.]45")}, 50, 40, 1},
		{"the last segment grows", []fact.Fact{list(1, 0, 40, "0[.]4"), list(2, 0, 40, "0[.]10")}, 10, 10, 0.25},
		{"a segment in the middle that differs", []fact.Fact{list(1, 0, 40, "0[.]4[,]5[.]6"), list(2, 0, 40, "0[.]10[,]5[.]6")}, 16, 10, 0.25},
		{"a millisecond apart", []fact.Fact{list(1, 0, 40, "0[.]4.001[,]5[.]6"), list(2, 0, 40, "0.001[.]4[,]5[.]7")}, 5 + 1, 6, 0.15},
		{"two registrations add up", []fact.Fact{list(1, 1, 40, "0[.]10"), list(2, 2, 40, "0[.]10")}, 20, 10, 0.25},
		{"two sessions with one list count once", []fact.Fact{list(1, 0, 40, "0[.]10"), list(2, 0, 40, "0[.]10")}, 10, 10, 0.25},
		{"beyond the end", []fact.Fact{list(1, 0, 40, "30[.]50[,]50[.]60")}, 10, 10, 0.25},
		{"clipped before lists are compared", []fact.Fact{list(1, 0, 40, "0[.]10[,]50[.]60"), list(2, 0, 40, "0[.]10[,]20[.]30")}, 20, 20, 0.5},
		{"an empty list", []fact.Fact{list(1, 0, 40, "")}, 0, 0, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := watch(t, test.facts...)
			if abs(w.WatchTime-test.watch*second) > 2 || abs(w.Unique-test.unique*second) > 2 {
				t.Errorf("watched %d, unique %d; want %d, %d s", w.WatchTime, w.Unique, test.watch, test.unique)
			}
			if got := w.Coverage().Value(); !near(got, test.coverage) && !(math.Abs(got-test.coverage) < 1e-4) {
				t.Errorf("coverage %v, want %v", got, test.coverage)
			}
		})
	}
}

func abs(x int64) int64 { return max(x, -x) }

func TestVideoCompletion(t *testing.T) {
	threshold := func(f fact.Fact, millionths int64) fact.Fact { f.Video.Threshold = millionths; return f }
	completed := func(f fact.Fact) fact.Fact { f.Class = fact.Completed; return f }
	tests := []struct {
		name                       string
		facts                      []fact.Fact
		measured, reported, inFull bool
	}{
		{"all of it", []fact.Fact{list(1, 0, 100, "0[.]100")}, true, false, true},
		{"almost", []fact.Fact{list(1, 0, 100, "0[.]99.9")}, false, false, true},
		{"95 %", []fact.Fact{list(1, 0, 100, "0[.]95")}, false, false, true},
		{"a lower threshold, the latest", []fact.Fact{threshold(list(1, 0, 100, "0[.]50"), 900_000), threshold(list(2, 0, 100, "0[.]50"), 500_000)}, true, false, false},
		{"reported only", []fact.Fact{completed(list(1, 0, 100, "0[.]1"))}, false, true, false},
		{"no length", []fact.Fact{list(1, 0, 0, "0[.]100")}, false, false, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := watch(t, test.facts...)
			if w.Completed() != test.measured || w.Reported != test.reported || w.InFull() != test.inFull {
				t.Errorf("measured %v, reported %v, in full %v", w.Completed(), w.Reported, w.InFull())
			}
		})
	}
}

func TestTheLatestLengthCounts(t *testing.T) {
	a := viewingsOf(measure.Of([]fact.Fact{list(1, 0, 40, "0[.]1"), list(3, 0, 50, "0[.]1")}))[0].Length
	b := viewingsOf(measure.Of([]fact.Fact{list(2, 0, 60, "0[.]1")}))[0].Length
	none := viewingsOf(measure.Of([]fact.Fact{list(9, 0, 0, "0[.]1")}))[0].Length
	for _, got := range []measure.Length{a.Later(b), b.Later(a), a.Later(none), none.Later(a)} {
		if got.Milliseconds != 50*second {
			t.Errorf("%+v", got)
		}
	}
}

func TestEstimatedSegments(t *testing.T) {
	at := func(t int64, action fact.Action, place int64, change ...func(*fact.Fact)) fact.Fact {
		f := event(t*second, 0, change...)
		f.Kind, f.Video = fact.KindVideo, &fact.Video{Action: action, Length: 100 * second, Time: place * second, From: -1, To: -1, Threshold: -1, Speed: -1}
		if action == fact.Seeked {
			f.Video.From, f.Video.Time = f.Video.Time, -1
		}
		return f
	}
	fast := func(f fact.Fact) fact.Fact { f.Video.Speed = 2000; return f }
	ended := func(t, place int64) fact.Fact { f := at(t, fact.NoAction, place); f.Class = fact.Ended; return f }
	tests := []struct {
		name  string
		facts []fact.Fact
		want  int64 // seconds
	}{
		{"played, paused", []fact.Fact{at(0, fact.Played, 0), at(10, fact.Paused, 10)}, 10},
		{"played, seeked", []fact.Fact{at(0, fact.Played, 5), at(10, fact.Seeked, 15)}, 10},
		{"played, terminated", []fact.Fact{at(0, fact.Played, 5), ended(10, 15)}, 10},
		{"played alone", []fact.Fact{at(0, fact.Played, 5)}, 0},
		{"played twice", []fact.Fact{at(0, fact.Played, 0), at(10, fact.Played, 10), at(15, fact.Paused, 15)}, 5},
		{"backwards", []fact.Fact{at(0, fact.Played, 10), at(10, fact.Paused, 5)}, 0},
		{"faster than time: 1.1·10 s + 2 s at most", []fact.Fact{at(0, fact.Played, 0), at(10, fact.Paused, 13)}, 13},
		{"too fast", []fact.Fact{at(0, fact.Played, 0), at(10, fact.Paused, 14)}, 0},
		{"at double speed", []fact.Fact{fast(at(0, fact.Played, 0)), at(10, fact.Paused, 24)}, 24},
		{"in two sessions", []fact.Fact{at(0, fact.Played, 0, session(1)), at(1, fact.Played, 50, session(2)), at(5, fact.Paused, 5, session(1)), at(6, fact.Paused, 55, session(2))}, 10},
		{"a pause that says no time", []fact.Fact{at(0, fact.Played, 0), at(5, fact.Paused, -1), at(9, fact.Paused, 9)}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := watch(t, test.facts...)
			if w.WatchTime != test.want*second || w.Estimated != (test.want > 0) {
				t.Errorf("watched %d ms, estimated %v; want %d s", w.WatchTime, w.Estimated, test.want)
			}
		})
	}
	told := watch(t, at(0, fact.Played, 0), at(10, fact.Paused, 10), list(11, 0, 100, "0[.]3"))
	if told.Estimated || told.WatchTime != 3*second {
		t.Errorf("where segments are told nothing is estimated: %+v", told)
	}
	again := []fact.Fact{at(0, fact.Played, 0), at(10, fact.Paused, 10), at(100, fact.Played, 0)}
	for _, period := range []measure.Period{{From: 0, To: 50 * second}, {From: 50 * second, To: 200 * second}} {
		v := measure.ViewingsIn(measure.Of(again), period)[0]
		if w := v.Watch(v.Length); w.Estimated != (period.From == 0) || w.WatchTime > 0 != w.Estimated {
			t.Errorf("in %+v: %+v", period, w)
		}
	}
}

func TestHeatMap(t *testing.T) { // golden 2
	w := watch(t, list(1, 0, 40, "0[.]10"), list(2, 0, 40, "0[.]10[,]10[.]20[,]15[.]25"), list(3, 0, 40, "20[.]45"))
	h := measure.NewHeat(40*second, 5*second)
	h.Add(&w)
	var passes, viewers []int64
	for _, b := range h.Bins {
		passes, viewers = append(passes, b.Passes), append(viewers, b.Viewers)
	}
	if !slices.Equal(passes, []int64{1, 1, 1, 2, 2, 1, 1, 1}) || !slices.Equal(viewers, []int64{1, 1, 1, 1, 1, 1, 1, 1}) {
		t.Errorf("passes %v, viewers %v", passes, viewers)
	}
	for length, width := range map[int64]int64{40: 1, 100: 1, 101: 2, 903: 10, 0: 1} {
		if h := measure.NewHeat(length*second, 0); h.Width != width*second || int64(len(h.Bins)) != (length+width-1)/width {
			t.Errorf("%d s: %d bins of %d ms", length, len(h.Bins), h.Width)
		}
	}
}

func TestRetentionAndSpots(t *testing.T) {
	h := measure.NewHeat(100*second, 5*second)
	add := func(text string) {
		w := watch(t, list(1, 0, 100, text))
		h.Add(&w)
	}
	for range 4 {
		add("0[.]100")
	}
	add("0[.]50[,]20[.]25[,]20[.]25[,]20[.]25[,]20[.]25[,]20[.]25[,]20[.]25")
	add("0[.]30")
	add("0[.]30")
	add("")
	if h.Learners != 7 {
		t.Errorf("%d learners", h.Learners)
	}
	if h.Bins[0].Viewers != 7 || h.Bins[6].Viewers != 5 || h.Bins[19].Viewers != 4 {
		t.Errorf("viewers by bin %v", h.Bins)
	}
	if got := h.HotSpots(5); !slices.Equal(got, []int{4}) {
		t.Errorf("hot spots %v", got)
	}
	if got := h.HotSpots(8); got != nil {
		t.Errorf("hot spots of fewer viewers than k: %v", got)
	}
	if got := h.DropSpots(); !slices.Equal(got, []int{6, 10}) {
		t.Errorf("drop spots %v", got)
	}
	if got := measure.NewHeat(0, 0); got.HotSpots(1) != nil || len(got.DropSpots()) != 0 {
		t.Error("spots of nothing")
	}
}

// TestViewingLaws: the order and repetition of statements change nothing; a list that goes on changes nothing but what it adds;
// watch time is at least unique time, which is at most the length.
func TestViewingLaws(t *testing.T) {
	draw := rapid.Custom(func(t *rapid.T) fact.Segment {
		from := rapid.Int64Range(0, 20).Draw(t, "from")
		return fact.Segment{From: from * 1000, To: 1000*from + rapid.Int64Range(1, 9000).Draw(t, "for")}
	})
	rapid.Check(t, func(t *rapid.T) {
		var facts []fact.Fact
		for i := range rapid.IntRange(1, 8).Draw(t, "statements") {
			f := list(int64(i), rapid.Byte().Draw(t, "registration")%2, 0, "")
			f.Video.Segments = rapid.SliceOfN(draw, 0, 4).Draw(t, "segments")
			f.Video.Length = rapid.Int64Range(0, 25).Draw(t, "length") * 1000
			facts = append(facts, f)
			if n := len(f.Video.Segments); n > 0 && rapid.Bool().Draw(t, "grew from shorter") {
				g := f
				g.ID++
				g.Video = &fact.Video{Length: f.Video.Length, Threshold: -1, Segments: slices.Clone(f.Video.Segments)}
				g.Video.Segments[n-1].To -= rapid.Int64Range(0, g.Video.Segments[n-1].To-g.Video.Segments[n-1].From-1).Draw(t, "shorter")
				facts = append(facts, g)
			}
		}
		measured := func(facts []fact.Fact) measure.Watch {
			v := viewingsOf(measure.Of(facts))[0]
			return v.Watch(v.Length)
		}
		w := measured(facts)
		if w.Unique > w.WatchTime || w.Length > 0 && w.Unique > w.Length {
			t.Errorf("watched %d, unique %d of %d", w.WatchTime, w.Unique, w.Length)
		}
		other := rapid.Permutation(append(slices.Clone(facts), facts...)).Draw(t, "repeated and shuffled")
		if got := measured(other); got.WatchTime != w.WatchTime || got.Unique != w.Unique || got.Length != w.Length {
			t.Errorf("in another order %d and %d of %d, want %d and %d of %d", got.WatchTime, got.Unique, got.Length, w.WatchTime, w.Unique, w.Length)
		}
		if w.Length == 0 {
			return
		}
		h := measure.NewHeat(w.Length, rapid.SampledFrom([]int64{0, 700, 3000}).Draw(t, "width"))
		h.Add(&w)
		for i, b := range h.Bins {
			if b.Viewers > 1 || b.Repeats() < 0 {
				t.Errorf("bin %d of one learner: %+v", i, b)
			}
		}
	})
}

func TestAudience(t *testing.T) {
	var s measure.Audience
	for _, text := range []string{"0[.]100", "0[.]50[,]0[.]50", ""} {
		w := watch(t, list(1, 0, 100, text))
		s.Add(&w)
	}
	want := measure.Audience{Learners: 3, WatchTime: 200 * second, Unique: 150 * second, Measured: 1, InFull: 1, Coverages: []int64{1_000_000, 500_000, 0}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	if !near(s.Rewatch(), 1.0/3) || !math.IsNaN((&measure.Audience{}).Rewatch()) {
		t.Errorf("rewatch ratio %v", s.Rewatch())
	}
}

func TestViewingsInAPeriod(t *testing.T) {
	facts := []fact.Fact{
		list(1, 0, 100, "0[.]10"),
		list(2, 0, 100, "0[.]10[,]20[.]25"),
		list(5, 0, 100, "0[.]10[,]20[.]30[,]40[.]50"), // goes on
		list(6, 0, 100, "0[.]5"),                      // restarts, within what was played
		list(7, 0, 100, "60[.]70"),                    // restarts
		list(9, 0, 100, "0[.]10[,]20[.]30[,]40[.]50[,]80[.]90"),
	}
	tests := []struct {
		name            string
		period          measure.Period
		watched, unique int64
	}{
		{"all", measure.Period{From: 0, To: 10}, 10 + 10 + 10 + 10 + 10, 50},
		{"the beginning", measure.Period{From: 0, To: 3}, 15, 15},
		{"what was added", measure.Period{From: 3, To: 8}, 5 + 10 + 10, 25},
		{"the end", measure.Period{From: 8, To: 10}, 10, 10},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := measure.ViewingsIn(measure.Of(facts), test.period)
			if len(v) != 1 {
				t.Fatalf("%d viewings", len(v))
			}
			if w := v[0].Watch(v[0].Length); w.WatchTime != test.watched*second || w.Unique != test.unique*second {
				t.Errorf("watched %d, unique %d; want %d, %d s", w.WatchTime, w.Unique, test.watched, test.unique)
			}
		})
	}
	if got := measure.ViewingsIn(measure.Of(facts), measure.Period{From: 3, To: 5}); got != nil {
		t.Errorf("nothing was sent, and yet %d viewings", len(got))
	}
	var reported []bool
	done := event(4, fact.Completed)
	done.Video = &fact.Video{Length: -1, Threshold: -1}
	for _, p := range []measure.Period{{From: 0, To: 4}, {From: 4, To: 5}, {From: 5, To: 9}} {
		reported = append(reported, measure.ViewingsIn(measure.Of(append(slices.Clone(facts), done)), p)[0].Reported)
	}
	if !slices.Equal(reported, []bool{false, true, false}) {
		t.Errorf("reported %v", reported)
	}
}

// TestPeriodsAddUp: two periods that touch add up to both together, and so do single statements.
func TestPeriodsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var facts []fact.Fact
		segment := rapid.Custom(func(t *rapid.T) fact.Segment {
			from := rapid.Int64Range(0, 3).Draw(t, "from") * 10
			return fact.Segment{From: from, To: from + rapid.Int64Range(1, 3).Draw(t, "for")*10}
		})
		var lists [][]fact.Segment
		for i := range rapid.IntRange(1, 12).Draw(t, "statements") {
			var l []fact.Segment
			if len(lists) > 0 { // most go on from an earlier list
				l = slices.Clone(rapid.SampledFrom(lists).Draw(t, "earlier"))
				l = l[:rapid.IntRange(0, len(l)).Draw(t, "of it")]
			}
			l = append(l, rapid.SliceOfN(segment, 0, 2).Draw(t, "more")...)
			lists = append(lists, l)
			f := list(int64(i), rapid.Byte().Draw(t, "registration")%2, 0, "")
			f.Video.Segments, f.Video.Length = l, 0
			facts = append(facts, f)
		}
		watched := func(from, to int64) (ms int64) {
			for _, v := range measure.ViewingsIn(measure.Of(facts), measure.Period{From: from, To: to}) {
				w := v.Watch(v.Length)
				ms += w.WatchTime
			}
			return ms
		}
		cut := rapid.Int64Range(0, 12).Draw(t, "cut")
		if got, want := watched(0, cut)+watched(cut, 12), watched(0, 12); got != want {
			t.Errorf("%d before and after %d, %d in all", got, cut, want)
		}
		var sum int64
		for _, ms := range measure.WatchTimes(measure.Of(facts)) {
			sum += ms
		}
		if want := watched(0, 12); sum != want {
			t.Errorf("statements add %d, %d in all", sum, want)
		}
	})
}

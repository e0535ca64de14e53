package measure_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
)

// The definitions written down again without any thought of time: what is fast must say the same.

// naiveWatchTime is M41 of one registration by M40's words: clip, leave out the lists that are a prefix of another, add up.
func naiveWatchTime(lists [][]fact.Segment, length int64) (sum int64) {
	var clipped [][]fact.Segment
	for _, list := range lists {
		var c []fact.Segment
		for _, s := range list {
			if to := min(s.To, length); s.From < to {
				c = append(c, fact.Segment{From: s.From, To: to})
			}
		}
		if !slices.ContainsFunc(clipped, func(x []fact.Segment) bool { return slices.Equal(x, c) }) {
			clipped = append(clipped, c)
		}
	}
	for i, a := range clipped {
		if slices.ContainsFunc(clipped, func(b []fact.Segment) bool { return !slices.Equal(a, b) && naivePrefix(a, b) }) {
			continue
		}
		for _, s := range clipped[i] {
			sum += s.To - s.From
		}
	}
	return sum
}

func naivePrefix(a, b []fact.Segment) bool {
	if len(a) > len(b) {
		return false
	}
	for i := range a {
		last := i == len(a)-1
		if a[i].From != b[i].From || a[i].To != b[i].To && !(last && a[i].To < b[i].To) {
			return false
		}
	}
	return true
}

func TestWatchTimeIsWhatTheDefinitionSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Places lie 10 ms apart, where the tolerance of 1 ms changes nothing, and are few, so that lists often begin alike.
		segment := rapid.Custom(func(t *rapid.T) fact.Segment {
			from := rapid.Int64Range(0, 3).Draw(t, "from") * 10
			return fact.Segment{From: from, To: from + rapid.Int64Range(1, 3).Draw(t, "for")*10}
		})
		lists := rapid.SliceOfN(rapid.SliceOfN(segment, 0, 4), 1, 8).Draw(t, "lists")
		length := rapid.Int64Range(1, 6).Draw(t, "length") * 10
		var facts []fact.Fact
		for i, l := range lists {
			f := list(int64(i), 0, 0, "")
			f.Video.Segments, f.Video.Length = l, length
			facts = append(facts, f)
		}
		v := viewingsOf(measure.Of(facts))[0]
		if got, want := v.Watch(v.Length).WatchTime, naiveWatchTime(lists, length); got != want {
			t.Errorf("watched %d, want %d", got, want)
		}
	})
}

// naiveSessions counts M10's connected events: each with the one before it within 30 minutes, and each with each of its session
// id.
func naiveSessions(facts []fact.Fact) (n int) {
	group := make([]int, len(facts))
	for i := range group {
		group[i] = i
	}
	for again := true; again; {
		again = false
		for i := range facts {
			for j := range i {
				together := j == i-1 && facts[i].T-facts[j].T <= 30*minute || facts[i].Session != 0 && facts[i].Session == facts[j].Session
				if low := min(group[i], group[j]); together && group[i] != group[j] {
					group[i], group[j], again = low, low, true
				}
			}
		}
	}
	slices.Sort(group)
	return len(slices.Compact(group))
}

func TestSessionsAreWhatTheDefinitionSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts := order(rapid.SliceOfNDistinct(drawFact(), 0, 20, func(f fact.Fact) uint64 { return f.ID }).Draw(t, "facts"))
		sessions := measure.Sessions(measure.Of(facts))
		events := 0
		for i, s := range sessions {
			events += s.Events
			if s.Start > s.End || i > 0 && s.Start < sessions[i-1].Start {
				t.Errorf("%+v", sessions)
			}
		}
		if want := naiveSessions(facts); len(sessions) != want || events != len(facts) {
			t.Errorf("%d sessions of %d events, want %d of %d", len(sessions), events, want, len(facts))
		}
	})
}

// naiveFunnel tries every event for each step after the first.
func naiveFunnel(facts []fact.Fact, steps []measure.Step, step int, last, first, window int64) (reached int) {
	if step == len(steps) {
		return 0
	}
	for i := range facts {
		f := &facts[i]
		if isStep(steps[step], f) && f.T >= last && f.T-first <= window {
			reached = max(reached, 1+naiveFunnel(facts, steps, step+1, f.T, first, window))
		}
	}
	return reached
}

func isStep(s measure.Step, f *fact.Fact) bool { return len(s.Events(measure.Facts{f})) > 0 }

func TestFunnelIsWhatTheDefinitionSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		facts := order(rapid.SliceOfNDistinct(drawFact(), 1, 12, func(f fact.Fact) uint64 { return f.ID }).Draw(t, "facts"))
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) measure.Step {
			return measure.Step{Events: isAbout(hashOf(rapid.Byte().Draw(t, "content") % 4))}
		}), 1, 4).Draw(t, "steps")
		window := rapid.Int64Range(0, 20).Draw(t, "window") * dayMS
		funnel := measure.Funnel{Steps: steps, Period: measure.Period{From: 0, To: 1 << 60}, Window: window}
		funnel.Add(measure.Of(facts))
		want := 0
		if i := slices.IndexFunc(facts, func(f fact.Fact) bool { return isStep(steps[0], &f) }); i >= 0 {
			want = 1 + naiveFunnel(facts, steps, 1, facts[i].T, facts[i].T, window)
		}
		got := 0
		for _, s := range funnel.Result() {
			got += int(s.Learners)
		}
		if got != want {
			t.Errorf("reached %d steps, want %d", got, want)
		}
	})
}

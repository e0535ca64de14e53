package measure_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
)

func active(t *testing.T, facts []fact.Fact) measure.Active {
	t.Helper()
	times := measure.ActiveTimes(measure.AttemptsAt(measure.Of(facts), video))
	if len(times) != 1 {
		t.Fatalf("%d attempts", len(times))
	}
	return times[0]
}

func TestActiveTime(t *testing.T) {
	played := func(segments ...fact.Segment) func(*fact.Fact) {
		return func(f *fact.Fact) { f.Kind, f.Video = fact.KindVideo, &fact.Video{Segments: segments, Length: 100_000} }
	}
	tests := []struct {
		name  string
		facts []fact.Fact
		want  measure.Active
	}{
		{"golden 8: gaps", []fact.Fact{event(0, fact.Started), event(20*second, 0), event(50*second, 0), event(400*second, 0), event(410*second, 0), event(3000*second, 0)}, measure.Active{Milliseconds: 360 * second, Source: measure.FromGaps}},
		{"golden 9: a cmi5 session", []fact.Fact{event(0, fact.Started, session(1)), event(1, fact.Passed, session(1), lasting(5*minute)), event(2, fact.Completed, session(1), lasting(5*minute)), event(3, fact.Ended, session(1), lasting(6*minute))}, measure.Active{Milliseconds: 360 * second, Source: measure.FromEnded}},
		{"one event", []fact.Fact{event(0, fact.Started)}, measure.Active{Source: measure.FromGaps}},
		{"two sessions, one ended twice", []fact.Fact{event(0, fact.Ended, session(1), lasting(minute)), event(1, fact.Ended|fact.Abandoned, session(1), lasting(2*minute)), event(2, fact.Ended, session(2), lasting(minute))}, measure.Active{Milliseconds: 3 * minute, Source: measure.FromEnded}},
		{"ends without a session id", []fact.Fact{event(0, fact.Ended, lasting(minute)), event(0, fact.Ended|fact.Abandoned, lasting(minute)), event(9, fact.Ended, lasting(minute))}, measure.Active{Milliseconds: 2 * minute, Source: measure.FromEnded}},
		{"a night", []fact.Fact{event(0, fact.Ended, lasting(9*hour))}, measure.Active{Milliseconds: 4 * hour, Source: measure.FromEnded, Capped: true}},
		{"an ended statement without a duration", []fact.Fact{event(0, fact.Started), event(minute, fact.Ended)}, measure.Active{Milliseconds: minute, Source: measure.FromGaps}},
		{"a video", []fact.Fact{event(0, fact.Started, played()), event(9, 0, played(fact.Segment{From: 0, To: 30_000}, fact.Segment{From: 0, To: 10_000}))}, measure.Active{Milliseconds: 40_000, Source: measure.FromVideo}},
		{"ended goes before video", []fact.Fact{event(9, fact.Ended, lasting(7), played(fact.Segment{From: 0, To: 30_000}))}, measure.Active{Milliseconds: 7, Source: measure.FromEnded}},
		{"leaves", []fact.Fact{event(0, fact.Completed, lasting(hour)), event(1, 0, about(module), below(video), lasting(minute)), event(1, 1, about(module), below(video), lasting(2*minute)), event(2, 0, about(course), below(video), lasting(minute))}, measure.Active{Milliseconds: 3 * minute, Source: measure.FromLeaves}},
		{"itself, when nothing is below it", []fact.Fact{event(0, fact.Completed, lasting(hour))}, measure.Active{Milliseconds: hour, Source: measure.FromLeaves}},
		{"gaps between what is below", []fact.Fact{event(0, fact.Started), event(2*minute, 0, about(module), below(video)), event(4*minute, 0, about(course), below(video))}, measure.Active{Milliseconds: 4 * minute, Source: measure.FromGaps}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := active(t, test.facts); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

// TestAttemptsAtAVideoAddUp: without a registration lists go on where the attempt before ended; what attempts watched adds up
// to M41.
func TestAttemptsAtAVideoAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var facts []fact.Fact
		var list []fact.Segment
		for i := range rapid.IntRange(0, 12).Draw(t, "statements") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0: // the player starts a new list
				list = nil
			case 1:
				list = append(list[:len(list):len(list)], fact.Segment{From: 0, To: 10 * rapid.Int64Range(1, 20).Draw(t, "to")}) // 10 ms apart: the tolerance of 1 ms is not transitive
			}
			f := event(int64(i), rapid.SampledFrom([]fact.Class{0, fact.Started, fact.Completed}).Draw(t, "class"))
			f.Kind, f.Video = fact.KindVideo, &fact.Video{Segments: list, Length: 10 * rapid.Int64Range(0, 15).Draw(t, "length")}
			facts = append(facts, f)
		}
		sum := int64(0)
		for _, a := range measure.ActiveTimes(measure.AttemptsAt(measure.Of(facts), video)) {
			if a.Source == measure.FromVideo {
				sum += a.Milliseconds
			}
		}
		want := int64(0)
		for _, v := range viewingsOf(measure.Of(facts)) {
			want = v.Watch(v.Length).WatchTime
		}
		if sum != want {
			t.Errorf("attempts watched %d, the learner %d", sum, want)
		}
	})
}

func TestSessions(t *testing.T) {
	facts := []fact.Fact{
		event(0, 0), event(30*minute, 0), // 30 minutes are no gap
		event(60*minute+1, 0, session(1)),
		event(3*hour, 0),
		event(5*hour, 0, session(1)), // one session with the third
	}
	got := measure.Sessions(measure.Of(facts))
	want := []measure.Session{{0, 30 * minute, 2}, {60*minute + 1, 5 * hour, 2}, {3 * hour, 3 * hour, 1}}
	if len(got) != len(want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("session %d: got %+v, want %+v", i, got[i], want[i])
		}
	}
	if measure.Sessions(nil) != nil {
		t.Error("sessions of nobody")
	}
}

// TestSessionsBelongWhereTheyBegin: the sessions of periods that touch add up, none is cut in two, and its time is counted once.
func TestSessionsBelongWhereTheyBegin(t *testing.T) {
	facts := measure.Of([]fact.Fact{event(0, 0), event(10*minute, 0), event(14*minute, 0), event(3*hour, 0), event(3*hour+2*minute, 0)})
	for _, test := range []struct {
		period  measure.Period
		n, time int64
	}{
		{measure.Period{From: 0, To: 12 * minute}, 1, 9 * minute}, {measure.Period{From: 12 * minute, To: 2 * hour}, 0, 0},
		{measure.Period{From: 2 * hour, To: 4 * hour}, 1, 2 * minute},
	} {
		if n, time := measure.SessionsIn(facts, test.period); n != test.n || time != test.time {
			t.Errorf("%+v: %d sessions of %d ms", test.period, n, time)
		}
	}
}

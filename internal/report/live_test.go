package report_test

import (
	"testing"
	"time"
)

// TestLiveTellsNoPartOfACrowd: of more than it looks at, it counts neither learners nor minutes that it saw in part.
func TestLiveTellsNoPartOfACrowd(t *testing.T) {
	w := newWorld(t, 0)
	for i := range 1500 {
		w.fold(said{learner: i, verb: "completed", content: "a", at: today.Add(time.Duration(i-1600) * 50 * time.Millisecond)})
	}
	live, err := w.reports.Live(t.Context(), w.store, "")
	if err != nil {
		t.Fatal(err)
	}
	if live.Learners.Value != nil || live.Learners.Suppressed != "" || live.PerMinute[58].Value != nil || live.Delayed != 1000 {
		t.Errorf("learners %+v, minute %+v, delay of %d", live.Learners, live.PerMinute[58], live.Delayed)
	}
}

// How late the statements of a few learners come is told as little as how many they are.
func TestDelayOfFewIsNotTold(t *testing.T) {
	for learners, told := range map[int]bool{1: false, 4: false, 5: true} {
		w := newWorld(t, 0)
		for i := range 20 {
			w.fold(said{learner: i % learners, verb: "completed", content: "a", at: today.Add(time.Duration(i-30) * time.Second)})
		}
		live, err := w.reports.Live(t.Context(), w.store, "")
		if err != nil {
			t.Fatal(err)
		}
		if (live.Delay != nil) != told || (live.Delayed != 0) != told {
			t.Errorf("of %d learners: delay %v of %d", learners, live.Delay, live.Delayed)
		}
	}
}

// TestLive: sentences come once each, in the order in which they were stored; minutes and learners are counted, and few are not
// told.
func TestLive(t *testing.T) {
	w := newWorld(t, 0)
	for i := range 30 {
		w.fold(said{learner: i % 6, verb: "completed", content: "a", at: today.Add(time.Duration(i-30) * 10 * time.Second)})
	}
	live, err := w.reports.Live(t.Context(), w.store, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(live.Sentences) != 20 || live.Sentences[19].Actor != "Person 5" || live.Learners.Value == nil || *live.Learners.Value != 6 || live.Delay == nil || *live.Delay != 1 {
		t.Errorf("got %d sentences, learners %+v, delay %v", len(live.Sentences), live.Learners, live.Delay)
	}
	if last := live.PerMinute[58]; len(live.PerMinute) != 60 || last.Value == nil || *last.Value != 6 {
		t.Errorf("the minute before this one: %+v", last)
	}
	seen := map[string]bool{}
	for _, s := range live.Sentences {
		seen[s.ID] = true
	}
	for i := range 5 { // two at a time, and the clock goes on
		w.fold(said{learner: 7, verb: "completed", content: "b", at: w.now.Add(-time.Second)}, said{learner: 8, verb: "completed", content: "b", at: w.now.Add(-time.Second)})
		w.now = w.now.Add(2 * time.Second)
		if live, err = w.reports.Live(t.Context(), w.store, live.Cursor); err != nil {
			t.Fatal(err)
		}
		if len(live.Sentences) != 2 || live.Skipped {
			t.Fatalf("poll %d: %d sentences, skipped %v", i, len(live.Sentences), live.Skipped)
		}
		for _, s := range live.Sentences {
			if seen[s.ID] {
				t.Errorf("%s comes twice", s.ID)
			}
			seen[s.ID] = true
		}
	}
	w.now = w.now.Add(2 * time.Hour)
	if live, err = w.reports.Live(t.Context(), w.store, live.Cursor); err != nil || len(live.Sentences) != 0 || *live.Learners.Value != 0 || live.Delay != nil {
		t.Errorf("two hours later: %d sentences, %+v, %v", len(live.Sentences), live.Learners, err)
	}
	if _, err := w.reports.Live(t.Context(), w.store, "AAAA"); err == nil {
		t.Error("any text is a cursor")
	}
}

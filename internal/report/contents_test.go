package report_test

import (
	"slices"
	"testing"
	"time"
)

// TestUseUnderTheParent: of a content that was met under several parents, or without one, who touched it under the one that was
// told last counts (M07), so that no share is larger than 1. Which learner told it does not matter.
func TestUseUnderTheParent(t *testing.T) {
	w := newWorld(t, 1000)
	at := today.Add(-time.Hour)
	var statements []said
	for learner := range 20 {
		statements = append(statements, said{learner: learner, verb: "experienced", content: "page", parent: "old", at: at.Add(-time.Hour)})
	}
	for learner := range 20 {
		statements = append(statements, said{learner: learner, verb: "experienced", content: "other", parent: "new", at: at})
	}
	for learner := range 12 {
		statements = append(statements, said{learner: learner, verb: "experienced", content: "page", parent: "new", at: at})
	}
	statements = append(statements, said{learner: 30, verb: "experienced", content: "page", at: at.Add(time.Minute)})
	w.fold(statements...)
	var got []string
	for _, row := range csv(w.ask("contents", map[string]string{"range": "all"})) {
		if row["content"] == contents+"page" {
			got = append(got, row["learners"]+" learners, "+row["use.count"]+" of "+row["use.of"])
		}
	}
	if want := []string{"21 learners, 12 of 20"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

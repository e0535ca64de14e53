package report_test

import (
	"fmt"
	"testing"
	"time"
)

// TestAnswersOfTheBestAndTheWeakest: who is strong is told by the other questions of the parent, which lie outside of the
// question's own scope.
func TestAnswersOfTheBestAndTheWeakest(t *testing.T) {
	w := newWorld(t, 1000)
	at := today.Add(-24 * time.Hour)
	var statements []said
	for learner := range 40 {
		for item := range 6 {
			right := learner >= 6*item // learner 39 answers all of them right, learner 0 the first
			statements = append(statements, said{
				learner: learner, verb: "answered", content: fmt.Sprint("q", item), parent: "quiz", at: at.Add(time.Duration(learner*10+item) * time.Minute),
				result: fmt.Sprintf(`"success":%v,"response":"%v"`, right, right),
			})
		}
	}
	w.fold(statements...)
	rows := csv(w.ask("question-answers", map[string]string{"content": contents + "q3", "range": "all"}))
	if len(rows) != 2 {
		t.Fatalf("rows %v", rows)
	}
	for _, row := range rows {
		want := map[string]string{"true": "1", "false": "0"}[row["option"]]
		if row["top"] != want || row["bottom"] == want {
			t.Errorf("option %s: %v", row["option"], row)
		}
	}
}

package e2e

import (
	"compress/gzip"
	"encoding/json/v2"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// questionsOfSurvey is how many questions the survey of the simulated course has.
const questionsOfSurvey = 16

// writeQuizzes turns the survey of the simulated course, in which no verb is "answered", into the statements of four
// questionnaires, writes them with all the others to a file and returns its path. The responses stay as they were:
//
//   - a quiz, questions 1 to 5: choices with a key, judged by their score, tried again and again by few;
//   - an exam, 6 to 10: the same, judged by success, and each registration a learner;
//   - a survey, 11 to 13: likert;
//   - a poll, 14 to 16: choices without a key and not judged.
func writeQuizzes(t *testing.T, file string) string {
	t.Helper()
	compressed, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer compressed.Close()
	reader, err := gzip.NewReader(compressed)
	if err != nil {
		t.Fatal(err)
	}
	var statements []map[string]any
	if err := json.UnmarshalRead(reader, &statements); err != nil {
		t.Fatal(err)
	}
	changed := 0
	for _, s := range statements {
		object := s["object"].(map[string]any)
		survey, number, ok := strings.Cut(object["id"].(string), "#question-")
		if !ok {
			continue
		}
		question, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		answerQuestion(s, survey, question)
		changed++
	}
	if changed%questionsOfSurvey != 0 || changed == 0 {
		t.Fatalf("%d statements about questions, want a multiple of %d", changed, questionsOfSurvey)
	}
	text, err := json.Marshal(statements, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "quizzes.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// answerQuestion makes a statement about a question of the survey one of the four questionnaires.
func answerQuestion(s map[string]any, survey string, question int) {
	about, result := s["context"].(map[string]any), s["result"].(map[string]any)
	definition := maps.Clone(s["object"].(map[string]any)["definition"].(map[string]any))
	s["object"].(map[string]any)["definition"] = definition
	s["verb"] = map[string]any{"id": "http://adlnet.gov/expapi/verbs/answered"}
	raw := result["score"].(map[string]any)["raw"].(float64)
	if raw > 0 {
		result["response"] = fmt.Sprintf("likert_%d", int(raw))
	} else {
		result["response"] = "skipped"
	}
	name := "survey"
	if question <= 10 || question > 13 {
		definition["interactionType"], definition["choices"] = "choice", definition["scale"]
		delete(definition, "scale")
	}
	switch {
	case question <= 5:
		name = "quiz"
		definition["correctResponsesPattern"] = []string{"likert_5"}
	case question <= 10:
		name = "exam"
		definition["correctResponsesPattern"] = []string{"likert_2[,]likert_3"} // only displayed: success decides
		delete(result, "score")
		result["success"] = raw >= 3 || raw >= 2 && question > 6 // so that of three questions the best and the weakest (M65) are told apart by score alone
		s["actor"] = map[string]any{"mbox": "mailto:" + about["registration"].(string) + "@example.org"}
	case question > 13:
		name = "poll"
		delete(result, "score")
	}
	activities := maps.Clone(about["contextActivities"].(map[string]any))
	activities["parent"] = []any{map[string]any{"id": survey + "#" + name}}
	about["contextActivities"] = activities
}

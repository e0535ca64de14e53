package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"
)

// allReports are those of the catalogue, with parameters by which each shows something of classwork.
var allReports = []struct {
	name   string
	params url.Values
}{
	{"overview", url.Values{"range": {"all"}}}, {"activity", url.Values{"from": {"2025-01-01"}, "to": {"2025-03-31"}}},
	{"activity", url.Values{"from": {"2025-01-01"}, "to": {"2025-03-31"}, "by": {"week"}, "content": {"http://example.org/course"}}},
	{"retention", url.Values{"from": {"2025-01-01"}, "to": {"2025-03-31"}}}, {"contents", url.Values{"range": {"all"}}}, {"kinds", url.Values{"range": {"all"}}},
	{"content", url.Values{"range": {"all"}, "content": {"http://example.org/course"}}}, {"funnel", url.Values{"range": {"all"}, "content": {"http://example.org/course"}}},
	{"scores", url.Values{"range": {"all"}}}, {"videos", url.Values{"range": {"all"}}}, {"video-heatmap", url.Values{"range": {"all"}, "content": {"http://example.org/video"}}},
	{"video-coverage", url.Values{"range": {"all"}, "content": {"http://example.org/video"}}}, {"questions", url.Values{"range": {"all"}}},
	{"question-answers", url.Values{"range": {"all"}, "content": {"http://example.org/question1"}}}, {"stuck", url.Values{"range": {"all"}}},
	{"sessions", url.Values{"range": {"all"}}}, {"support", url.Values{"range": {"all"}}}, {"learners", url.Values{"range": {"all"}}}, {"data-quality", url.Values{"range": {"all"}}},
	{"unused", url.Values{"from": {"2025-06-01"}, "to": {"2025-06-30"}}}, {"learner", url.Values{"range": {"all"}, "learner": {`{"mbox":"mailto:p3@example.org"}`}}},
	{"kpi-link", url.Values{"range": {"all"}, "kpi": {"sales"}, "measure": {"statements"}}}, {"kpi-points", url.Values{"range": {"all"}, "kpi": {"sales"}, "measure": {"statements"}}},
}

// sales is a KPI of the learners of classwork.
func sales(learners int) string {
	var file strings.Builder
	file.WriteString("learner,date,value\n")
	for learner := range learners {
		fmt.Fprintf(&file, "p%d@example.org,2025-03-01,%d\n", learner, learner*learner%17)
	}
	return file.String()
}

// classwork are statements of some learners at a course with a video and three questions, and voids of some of them (isVoid).
// Some scores have no scaled value, which is odd.
func classwork(random *rand.Rand, learners int) []string {
	const adl, video = "http://adlnet.gov/expapi/verbs/", "https://w3id.org/xapi/video/"
	var all []string
	n := 0
	say := func(learner int, at time.Time, verb, object, definition, more string) (id string) {
		n++
		id = fmt.Sprintf("%08x-0000-4000-8000-%012x", n, learner)
		parent := `"contextActivities":{"parent":[{"id":"http://example.org/course"}]}`
		if object == "course" {
			parent = `"platform":"web"`
		}
		all = append(all, fmt.Sprintf(`{"id":%q,"actor":{"mbox":"mailto:p%d@example.org"},"verb":{"id":%q},"object":{"id":"http://example.org/%s","definition":{"type":%q}},"timestamp":%q,"context":{%s%s`,
			id, learner, verb, object, definition, at.UTC().Format(time.RFC3339Nano), parent, more))
		return id
	}
	for learner := range learners {
		at := time.Date(2025, 1, 6+random.IntN(60), random.IntN(24), random.IntN(60), 0, 0, time.UTC)
		say(learner, at, adl+"initialized", "course", "http://adlnet.gov/expapi/activities/course", "}}")
		watched := ""
		for part := range 1 + random.IntN(4) {
			from := random.IntN(50)
			watched = strings.TrimPrefix(fmt.Sprintf("%s[,]%d[.]%d", watched, from, from+5+random.IntN(20)), "[,]")
			say(learner, at.Add(time.Duration(part+1)*time.Minute), video+"verbs/paused", "video", video+"activity-type/video",
				fmt.Sprintf(`,"extensions":{"%sextensions/length":60}},"result":{"extensions":{"%sextensions/played-segments":%q}}}`, video, video, watched))
		}
		for question := range 3 {
			for try := range 1 + random.IntN(4) {
				id := say(learner, at.Add(time.Duration(10+10*question+try)*time.Minute), adl+"answered", fmt.Sprintf("question%d", question), "http://adlnet.gov/expapi/activities/cmi.interaction",
					fmt.Sprintf(`},"result":{"success":%v,"response":"%d"}}`, random.IntN(2) == 0, random.IntN(4)))
				if random.IntN(10) == 0 {
					all = append(all, fmt.Sprintf(`{"id":"ffffffff-0000-4000-8000-%012x","actor":{"mbox":"mailto:admin@example.org"},"verb":{"id":"%svoided"},"object":{"objectType":"StatementRef","id":%q}}`, n, adl, id))
				}
			}
		}
		if random.IntN(3) > 0 {
			score := fmt.Sprintf(`"scaled":%.2f`, random.Float64())
			if learner%4 == 0 {
				score = fmt.Sprintf(`"raw":%d,"max":20`, random.IntN(21))
			}
			say(learner, at.Add(time.Hour), adl+"completed", "course", "http://adlnet.gov/expapi/activities/course", fmt.Sprintf(`},"result":{"completion":true,"score":{%s},"duration":"PT40M"}}`, score))
		}
	}
	return all
}

// isVoid tells the voids among classwork.
func isVoid(statement string) bool { return strings.HasPrefix(statement, `{"id":"ffffffff-`) }

// countable counts what reports count of some classwork: what is no void, and not voided by one that is there.
func countable(work []string) (n int) {
	voided := map[string]bool{}
	for _, statement := range work {
		if isVoid(statement) {
			_, target, _ := strings.Cut(statement, `"objectType":"StatementRef","id":"`)
			voided[target[:36]] = true
		}
	}
	for _, statement := range work {
		if !isVoid(statement) && !voided[statement[len(`{"id":"`):][:36]] {
			n++
		}
	}
	return n
}

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json/v2"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/cairn-lrs/cairn/internal/httpapi/reportapi"
)

// flow is a way in which Cairn is used.
type flow struct {
	name    string
	what    string  // one sentence for the page
	per     int     // statements, or requests where it stores none, that the page reckons with
	stream  bool    // its requests are invocations by the stream: no gateway, and Lambda reads the stream for nothing
	budget  float64 // most write units for each statement (design, budgets); 0: none
	prepare func(ctx context.Context, w *world) error
	run     func(ctx context.Context, w *world) error
}

// Learners and activities of the flows; each is known before anything is counted.
const learners, contents = 20, 10

var flows = []flow{
	{
		name: "statements posted alone, the least", per: 1e6, budget: 5,
		what:    "actor, verb and object; one request each",
		prepare: known, run: posts(200, 1, least),
	},
	{
		name: "statements posted alone", per: 1e6, budget: 8,
		what:    "with a registration, a parent, a grouping and a result: %d bytes each; one request each",
		prepare: known, run: posts(200, 1, typical),
	},
	{
		name: "statements in batches of 50", per: 1e6, budget: 9,
		what:    "the same statements, 50 in a request",
		prepare: known, run: posts(500, 50, typical),
	},
	{
		name: "an active cmi5 course", per: 1e6,
		what: "sessions of 20 pages: launch data, preferences and bookmark are read, each page stores its bookmark (1,500 bytes of State) " +
			"and a statement, and the four statements of cmi5 stand around them",
		prepare: known, run: cmi5,
	},
	{
		name: "lists of 100 statements by learner", per: 1000,
		what:    "one request each, compressed",
		prepare: func(ctx context.Context, w *world) error { return posts(2000, 50, typical)(ctx, w) },
		run:     lists,
	},
	{
		name: "large attachments", per: 1000,
		what: "statements with one attachment of 20 MB each, in by an upload (ticket, signed URL, statement), and out once, by the URL " +
			"that the answer to attachments=true is",
		prepare: known, run: films,
	},
	{
		name: "counting for reports, one by one", per: 1e6, stream: true,
		what:    "what the consumer of the stream does with the second kind of statements, of 250 learners, four each, one in a batch, as where few come; the budgets of counting are held by a test of internal/report/rollup, on the mooc data",
		prepare: uncounted, run: func(ctx context.Context, w *world) error { return w.fold(ctx, 1) },
	},
	{
		name: "counting for reports, 100 at a time", per: 1e6, stream: true,
		what:    "the same, 100 in a batch",
		prepare: uncounted, run: func(ctx context.Context, w *world) error { return w.fold(ctx, 100) },
	},
	{
		name: "counting for reports, 1,000 at a time", per: 1e6, stream: true,
		what:    "the same, 1,000 in a batch, as after an import",
		prepare: uncounted, run: func(ctx context.Context, w *world) error { return w.fold(ctx, 1000) },
	},
	{
		name: "report views", per: 1000,
		what: "overview, activity and contents of 30 days in a store of 2,000 statements, by turns",
		prepare: func(ctx context.Context, w *world) error {
			if err := posts(2000, 50, typical)(ctx, w); err != nil {
				return err
			}
			return w.fold(ctx, 1000)
		},
		run: views,
	},
}

// uncounted stores what is known, counted, and 1,000 statements that are not counted yet.
func uncounted(ctx context.Context, w *world) error {
	if err := known(ctx, w); err != nil {
		return err
	}
	if err := w.fold(ctx, 1000); err != nil {
		return err
	}
	return posts(1000, 50, crowd)(ctx, w)
}

func views(ctx context.Context, w *world) error {
	for range learners {
		for _, report := range []string{"overview", "activity", "contents"} {
			if err := w.send(ctx, 200, "GET", reportapi.Base+"/"+report, url.Values{"from": {"2026-11-01"}, "to": {"2026-11-30"}}, nil, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

// known stores one statement of each learner and activity, so that names and definitions are there.
func known(ctx context.Context, w *world) error {
	if err := posts(learners*contents, 50, typical)(ctx, w); err != nil {
		return err
	}
	return cmi5(ctx, w)
}

// posts stores n statements, so many in a request.
func posts(n, together int, statement func(i int) string) func(context.Context, *world) error {
	return func(ctx context.Context, w *world) error {
		for i := 0; i < n; i += together {
			batch := make([]string, together)
			for j := range batch {
				batch[j] = statement(i + j)
			}
			body := batch[0]
			if together > 1 {
				body = "[" + strings.Join(batch, ",") + "]"
			}
			if err := w.send(ctx, 200, "POST", "/statements", nil, nil, body); err != nil {
				return err
			}
			w.used.statements += together
		}
		return nil
	}
}

func learner(i int) string {
	return fmt.Sprintf(`{"objectType":"Agent","name":"Learner %03d","mbox":"mailto:learner%03d@students.example.org"}`, i, i)
}

func content(i int) string {
	return fmt.Sprintf("https://content.example.org/course/first-aid/unit/%02d", i)
}

func registration(i int) string { return fmt.Sprintf("6f1c2d3e-0000-4000-8000-%012d", i) }

func least(i int) string {
	return fmt.Sprintf(`{"actor":%s,"verb":{"id":"http://adlnet.gov/expapi/verbs/experienced"},"object":{"id":"%s"}}`, learner(i%learners), content(i%contents))
}

func typical(i int) string { return answered(i%learners, i%contents, i) }

// crowd is typical with many learners, as reports meet them: who comes next in a batch is mostly somebody else.
func crowd(i int) string { return answered(i%250, i/250, i) }

func answered(who, what, i int) string {
	return fmt.Sprintf(`{"actor":%s,"verb":{"id":"http://adlnet.gov/expapi/verbs/answered","display":{"en":"answered"}},`+
		`"object":{"objectType":"Activity","id":"%s","definition":{"type":"http://adlnet.gov/expapi/activities/cmi.interaction","name":{"en":"Unit %02d: what to do first"},`+
		`"interactionType":"choice","correctResponsesPattern":["call"],"choices":[{"id":"call","description":{"en":"Call for help"}},{"id":"run","description":{"en":"Run away"}}]}},`+
		`"result":{"score":{"scaled":0.8,"raw":8,"min":0,"max":10},"success":true,"completion":true,"response":"call","duration":"PT12.5S"},`+
		`"context":{"registration":"%s","platform":"Example LMS 4.2","language":"en","contextActivities":{`+
		`"parent":[{"id":"https://content.example.org/course/first-aid","objectType":"Activity"}],`+
		`"grouping":[{"id":"https://content.example.org/curriculum/safety","objectType":"Activity"}]}},`+
		`"timestamp":"2026-11-26T09:%02d:%02d.250Z"}`,
		learner(who), content(what), what, registration(who), i/60%60, i%60)
}

// Of a session.
const sessions, pages, bookmark = 10, 20, 1500

// cmi5 plays sessions. Source: cmi5 specification, sections 8 to 11: what a launching system and content exchange.
func cmi5(ctx context.Context, w *world) error {
	for session := range sessions {
		state := func(id string) url.Values {
			return url.Values{"activityId": {content(session)}, "agent": {learner(session)}, "registration": {registration(session)}, "stateId": {id}}
		}
		statement := func(verb string) error {
			w.used.statements++
			return w.send(ctx, 200, "POST", "/statements", nil, nil, fmt.Sprintf(`{"actor":%s,"verb":{"id":"http://adlnet.gov/expapi/verbs/%s","display":{"en":"%s"}},`+
				`"object":{"objectType":"Activity","id":"%s"},"context":{"registration":"%s","contextActivities":{"category":[{"id":"https://w3id.org/xapi/cmi5/context/categories/cmi5"}],`+
				`"grouping":[{"id":"https://content.example.org/course/first-aid/publisher"}]},"extensions":{"https://w3id.org/xapi/cmi5/context/extensions/sessionid":"s-%04d"}},`+
				`"timestamp":"2026-11-26T09:00:00.250Z"}`, learner(session), verb, verb, content(session), registration(session), session))
		}
		place := `{"page":1,"fill":"` + strings.Repeat("x", bookmark-len(`{"page":1,"fill":""}`)) + `"}`
		steps := []func() error{
			func() error {
				return w.send(ctx, 204, "PUT", "/activities/state", state("LMS.LaunchData"), nil, `{"contextTemplate":{"contextActivities":{"grouping":[{"id":"https://content.example.org/course/first-aid/publisher"}]},`+
					`"extensions":{"https://w3id.org/xapi/cmi5/context/extensions/sessionid":"s"}},"launchMode":"Normal","moveOn":"Passed","masteryScore":0.5}`)
			},
			func() error { return w.send(ctx, 200, "GET", "/activities/state", state("LMS.LaunchData"), nil, "") },
			func() error {
				return w.send(ctx, 404, "GET", "/agents/profile", url.Values{"agent": {learner(session)}, "profileId": {"cmi5LearnerPreferences"}}, nil, "")
			},
			func() error { return statement("initialized") },
			func() error { return w.send(ctx, 204, "PUT", "/activities/state", state("bookmark"), nil, place) },
			func() error { return w.send(ctx, 200, "GET", "/activities/state", state("bookmark"), nil, "") },
		}
		for range pages {
			steps = append(steps,
				func() error { return w.send(ctx, 204, "PUT", "/activities/state", state("bookmark"), nil, place) },
				func() error { return statement("progressed") })
		}
		for _, verb := range []string{"completed", "passed", "terminated"} {
			steps = append(steps, func() error { return statement(verb) })
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
	}
	return nil
}

func lists(ctx context.Context, w *world) error {
	for i := range learners {
		if err := w.send(ctx, 200, "GET", "/statements", url.Values{"agent": {learner(i)}, "limit": {"100"}}, nil, ""); err != nil {
			return err
		}
	}
	return nil
}

// film is the size of a large attachment, in bytes.
const film = 20_000_000

// films stores statements with a large attachment each, and reads each once.
func films(ctx context.Context, w *world) error {
	for i := range 3 {
		content := bytes.Repeat([]byte{byte(i)}, film)
		sum := fmt.Sprintf("%x", sha256.Sum256(content))
		id := registration(i)
		answer, err := w.ask(ctx, http.StatusOK, "POST", "/uploads", nil, nil, fmt.Sprintf(`{"length":%d,"sha256":"%s"}`, film, sum))
		if err != nil {
			return err
		}
		var ticket struct {
			Upload, URL string
			Headers     map[string]string
		}
		if err := json.Unmarshal(answer.Body.Bytes(), &ticket, json.MatchCaseInsensitiveNames(true)); err != nil {
			return fmt.Errorf("read ticket: %w", err)
		}
		if err := w.upload(ctx, ticket.URL, ticket.Headers, content); err != nil {
			return err
		}
		attachment := fmt.Sprintf(`,"attachments":[{"usageType":"https://content.example.org/film","display":{"en":"Film"},"contentType":"video/mp4","length":%d,"sha2":"%s"}]}`, film, sum)
		statement := fmt.Sprintf(`{"id":"%s",`, id) + strings.TrimSuffix(strings.TrimPrefix(typical(i), "{"), "}") + attachment
		if err := w.send(ctx, http.StatusOK, "POST", "/statements", nil, map[string]string{"X-Cairn-Upload": ticket.Upload}, statement); err != nil {
			return err
		}
		w.used.statements++
		if answer, err = w.ask(ctx, http.StatusSeeOther, "GET", "/statements", url.Values{"statementId": {id}, "attachments": {"true"}}, nil, ""); err != nil {
			return err
		}
		if n, err := w.download(ctx, answer.Header().Get("Location")); err != nil || n < film {
			return fmt.Errorf("fetch a large answer: %d bytes, %w", n, err)
		}
	}
	return nil
}

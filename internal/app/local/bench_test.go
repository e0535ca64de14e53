package local_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/auth"
)

// benched is a data folder on the disk with a handler to ask, without sockets.
type benched struct {
	http.Handler
	key, secret string
	stored      int
}

// Sizes of the benchmark's world.
const (
	benchLearners   = 500
	benchActivities = 200
	benchStored     = 5000
)

func newBenched(b *testing.B) *benched {
	b.Helper()
	cairn, err := local.Open(b.Context(), b.TempDir(), local.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := cairn.Close(); err != nil {
			b.Error(err)
		}
	})
	key, secret, err := cairn.Directory.CreateCredential(b.Context(), auth.DefaultStore, auth.NewCredential{Scopes: auth.Scopes{auth.All}})
	if err != nil {
		b.Fatal(err)
	}
	s := &benched{Handler: cairn.Handler(), key: key, secret: secret}
	for s.stored < benchStored {
		s.do(b, http.MethodPost, "statements", s.batch(100))
	}
	return s
}

// statement is one of 1.2 KB with a registration, an instructor and three related activities. Every third is a question, so
// the types of activities come back and forth.
func (s *benched) statement() string {
	n := s.stored
	s.stored++
	learner, activity := n*7919%benchLearners, n*104729%benchActivities
	kind := `"type":"http://adlnet.gov/expapi/activities/lesson"`
	if n%3 == 0 {
		kind = `"type":"http://adlnet.gov/expapi/activities/cmi.interaction","interactionType":"choice","correctResponsesPattern":["b"],` +
			`"choices":[{"id":"a","description":{"en-US":"First option"}},{"id":"b","description":{"en-US":"Second option"}}]`
	}
	return fmt.Sprintf(`{"id":"%08x-0000-4000-8000-%012x","actor":{"objectType":"Agent","name":"Learner %d","mbox":"mailto:learner%d@students.example.edu"},`+
		`"verb":{"id":"http://adlnet.gov/expapi/verbs/verb%d","display":{"en-US":"did"}},`+
		`"object":{"objectType":"Activity","id":"https://content.example.edu/course/%d/activity/%d","definition":{"name":{"en-US":"Activity %d"},"description":{"en-US":"An activity of a benchmark"},%s}},`+
		`"result":{"completion":true,"success":true,"duration":"PT%dM","score":{"scaled":0.%d,"raw":%d,"min":0,"max":100}},`+
		`"context":{"registration":"%08x-0000-4000-8000-00000000000a","platform":"Example LMS","instructor":{"objectType":"Agent","name":"Teacher %d","mbox":"mailto:teacher%d@staff.example.edu"},`+
		`"contextActivities":{"parent":[{"id":"https://content.example.edu/course/%d"}],"grouping":[{"id":"https://content.example.edu/program"}],"category":[{"id":"https://w3id.org/xapi/cmi5/context/categories/cmi5"}]}},`+
		`"timestamp":"2026-01-05T08:00:00.000Z"}`,
		n, n, learner, learner, n%6, activity%20, activity, activity, kind, n%60, n%100, n%100, learner, activity%20, activity%20, activity%20)
}

func (s *benched) batch(n int) []byte {
	statements := make([]string, n)
	for i := range statements {
		statements[i] = s.statement()
	}
	return []byte("[" + strings.Join(statements, ",") + "]")
}

func (s *benched) do(b *testing.B, method, path string, body []byte) {
	r := httptest.NewRequest(method, "/xapi/"+path, bytes.NewReader(body))
	r.SetBasicAuth(s.key, s.secret)
	r.Header.Set("X-Experience-API-Version", "1.0.3")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code >= 300 {
		b.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
}

// BenchmarkRequests is what whole requests cost without a network, each synced to the disk where it stores something. Rollups
// are kept beside it, as they are beside the server.
func BenchmarkRequests(b *testing.B) {
	agent := func(n int) string {
		return "statements?agent=" + url.QueryEscape(fmt.Sprintf(`{"mbox":"mailto:learner%d@students.example.edu"}`, n))
	}
	state := "activities/state?stateId=bookmark&activityId=" + url.QueryEscape("https://content.example.edu/course/1") +
		"&agent=" + url.QueryEscape(`{"mbox":"mailto:learner1@students.example.edu"}`)
	content := bytes.Repeat([]byte("x"), 2048)
	for _, c := range []struct {
		name string
		ask  func(b *testing.B, s *benched, i int)
	}{
		{"post", func(b *testing.B, s *benched, _ int) { s.do(b, http.MethodPost, "statements", []byte(s.statement())) }},
		{"post50", func(b *testing.B, s *benched, _ int) { s.do(b, http.MethodPost, "statements", s.batch(50)) }},
		{"get", func(b *testing.B, s *benched, i int) {
			s.do(b, http.MethodGet, fmt.Sprintf("statements?statementId=%08[1]x-0000-4000-8000-%012[1]x", i%benchStored), nil)
		}},
		{"agent", func(b *testing.B, s *benched, i int) { s.do(b, http.MethodGet, agent(i%benchLearners), nil) }},
		{"agentAndVerb", func(b *testing.B, s *benched, i int) {
			s.do(b, http.MethodGet, agent(i%benchLearners)+"&verb=http%3A%2F%2Fadlnet.gov%2Fexpapi%2Fverbs%2Fverb1", nil)
		}},
		{"agentUnknown", func(b *testing.B, s *benched, i int) { s.do(b, http.MethodGet, agent(benchLearners+i), nil) }},
		{"verb", func(b *testing.B, s *benched, i int) {
			s.do(b, http.MethodGet, fmt.Sprintf("statements?limit=100&verb=http%%3A%%2F%%2Fadlnet.gov%%2Fexpapi%%2Fverbs%%2Fverb%d", i%6), nil)
		}},
		{"statePut", func(b *testing.B, s *benched, _ int) { s.do(b, http.MethodPut, state, content) }},
		{"stateGet", func(b *testing.B, s *benched, _ int) { s.do(b, http.MethodGet, state, nil) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := newBenched(b)
			s.do(b, http.MethodPut, state, []byte(`"x"`))
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				c.ask(b, s, i)
				i++
			}
		})
	}
}

package local_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report"
)

// benched is a data folder on the disk with a handler to ask, without sockets.
type benched struct {
	http.Handler
	cairn       *local.Cairn
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
	return benchedOver(b, cairn)
}

func benchedOver(b *testing.B, cairn *local.Cairn) *benched {
	b.Helper()
	b.Cleanup(func() {
		if err := cairn.Close(); err != nil {
			b.Error(err)
		}
	})
	key, secret, err := cairn.Directory.CreateCredential(b.Context(), auth.DefaultStore, auth.NewCredential{Scopes: auth.Scopes{auth.All}})
	if err != nil {
		b.Fatal(err)
	}
	s := &benched{Handler: cairn.Handler(), cairn: cairn, key: key, secret: secret}
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
	content := []byte(`"` + strings.Repeat("x", 2048) + `"`)
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

// countingRounds is how often each side of BenchmarkCounting posts, by turns.
const countingRounds = 9

// BenchmarkCounting says how much counting for reports slows requests that store: it posts to a folder whose changes are
// counted and to one whose are not, by turns, each time until the first has counted all. The figures are medians over the
// rounds; slower-% is that of what each round says.
func BenchmarkCounting(b *testing.B) {
	for _, c := range []struct {
		name                     string
		clients, requests, batch int
	}{{"post/clients=1", 1, 3000, 1}, {"post/clients=8", 8, 3000, 1}, {"post50/clients=1", 1, 200, 50}, {"post50/clients=8", 8, 200, 50}} {
		b.Run(c.name, func(b *testing.B) {
			bare, err := local.OpenUncounted(b.Context(), b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			sides := [2]*benched{benchedOver(b, bare), newBenched(b)}
			counted := sides[1]
			counted.counted(b)
			var rates [2][]float64
			var slower []float64
			for b.Loop() {
				for round := range countingRounds {
					var rate [2]float64
					for turn := range sides {
						side := (round + turn) % 2
						rate[side] = sides[side].postAll(b, c.clients, c.requests, c.batch)
						counted.counted(b)
					}
					for side := range sides {
						rates[side] = append(rates[side], rate[side])
					}
					slower = append(slower, 100*(1-rate[1]/rate[0]))
				}
			}
			b.ReportMetric(0, "ns/op") // of no meaning: of all rounds together
			b.ReportMetric(middle(rates[0]), "bare/s")
			b.ReportMetric(middle(rates[1]), "counted/s")
			b.ReportMetric(middle(slower), "slower-%")
		})
	}
}

func middle(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// postAll posts so many requests of a batch each and returns how many statements were stored a second.
func (s *benched) postAll(b *testing.B, clients, requests, batch int) float64 {
	bodies := make(chan []byte, requests)
	for range requests {
		if batch == 1 { // no list of one, which is stored as a group
			bodies <- []byte(s.statement())
			continue
		}
		bodies <- s.batch(batch)
	}
	close(bodies)
	var wait sync.WaitGroup
	began := time.Now()
	for range clients {
		wait.Go(func() {
			for body := range bodies {
				s.do(b, http.MethodPost, "statements", body)
			}
		})
	}
	wait.Wait()
	return float64(requests*batch) / time.Since(began).Seconds()
}

// counted waits until reports have every statement.
func (s *benched) counted(b *testing.B) {
	b.Helper()
	store, err := s.cairn.Directory.Store(b.Context(), auth.DefaultStore)
	if err != nil {
		b.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		a, err := s.cairn.Reports.Answer(b.Context(), store, report.Question{Report: "overview", Range: "all"})
		if err != nil {
			b.Fatal(err)
		}
		if int(a.Table.Rows[0][1].Value) == s.stored {
			return
		}
		if time.Since(began) > patience {
			b.Fatalf("after %v reports have %v of %d statements", patience, a.Table.Rows[0][1].Value, s.stored)
		}
	}
}

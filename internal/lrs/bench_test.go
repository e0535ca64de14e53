package lrs

import (
	"fmt"
	"testing"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// benchStatement is statement n of a course as an LMS reports it, 1.1 KB: 200 learners, 40 activities of 4 courses.
func benchStatement(n int) string {
	learner, activity := n*7919%200, n*104729%40
	verb := []string{"experienced", "answered", "completed"}[n%3]
	return fmt.Sprintf(`{"id":"%08x-1111-4111-8111-%012x","actor":{"objectType":"Agent","name":"Learner %d","mbox":"mailto:learner%d@students.example.org"},`+
		`"verb":{"id":"http://adlnet.gov/expapi/verbs/%s","display":{"en-US":"%s"}},"object":{"objectType":"Activity","id":"https://content.example.org/course/%d/activity/%d",`+
		`"definition":{"name":{"en-US":"Activity %d"},"description":{"en-US":"One activity among those of the course"},"type":"http://adlnet.gov/expapi/activities/lesson"}},`+
		`"result":{"completion":true,"duration":"PT%dM","score":{"scaled":0.%02d,"raw":%d,"min":0,"max":100}},`+
		`"context":{"registration":"%08x-2222-4222-8222-%012x","platform":"Example LMS","instructor":{"name":"Teacher %d","mbox":"mailto:teacher%d@staff.example.org"},`+
		`"contextActivities":{"parent":[{"id":"https://content.example.org/course/%d"}],"grouping":[{"id":"https://content.example.org/program/1"}],`+
		`"category":[{"id":"https://w3id.org/xapi/cmi5/context/categories/cmi5"}]}},"timestamp":"2026-01-05T08:00:00.000Z"}`,
		n, n, learner, learner, verb, verb, activity%4, activity, activity, n%60, n%100, n%100, learner, activity%4, activity%4, activity%4, activity%4)
}

// benchWorld holds 20,000 statements.
func benchWorld(b *testing.B) (*world, auth.Principal) {
	w := newWorld(b, nil)
	p := principal(storeWith("bench", 1))
	for first := 0; first < 20_000; first += MaxBatch {
		texts := make([]string, MaxBatch)
		for i := range texts {
			texts[i] = benchStatement(first + i)
		}
		w.mustStore(p, texts...)
	}
	return w, p
}

func BenchmarkQuery(b *testing.B) {
	w, p := benchWorld(b)
	learner := ifiParam(b, `{"mbox":"mailto:learner7@students.example.org"}`)
	teacher := ifiParam(b, `{"mbox":"mailto:teacher1@staff.example.org"}`)
	for _, q := range []struct {
		name string
		Query
	}{
		{"all", Query{}},
		{"agent", Query{Agent: learner}},
		{"activity", Query{Activity: "https://content.example.org/course/1/activity/1"}},
		{"agent and verb", Query{Agent: learner, Verb: "http://adlnet.gov/expapi/verbs/answered"}},
		{"related agents", Query{Agent: teacher, RelatedAgents: true}},
		{"related activities", Query{Activity: "https://content.example.org/course/1", RelatedActivities: true}},
	} {
		b.Run(q.name, func(b *testing.B) {
			b.ReportAllocs()
			q.Limit = 100
			for b.Loop() {
				page, err := w.service.Query(b.Context(), p, q.Query)
				if err != nil || len(page.Statements) == 0 {
					b.Fatalf("%d statements: %v", len(page.Statements), err)
				}
			}
		})
	}
}

func BenchmarkStore(b *testing.B) {
	for _, size := range []int{1, 50} {
		b.Run(fmt.Sprintf("requests of %d", size), func(b *testing.B) {
			w := newWorld(b, nil)
			p := principal(storeWith("bench", 1))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				batch := make([]*xapi.Statement, size)
				for i := range batch {
					batch[i] = decode(b, benchStatement(n))[0]
					n++
				}
				if _, err := w.service.Store(b.Context(), p, batch, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size)*float64(b.N)/b.Elapsed().Seconds(), "statements/s")
		})
	}
}

func BenchmarkPack(b *testing.B) {
	body := []byte(benchStatement(7))
	for name, how := range map[string]packing{"zstd": packedZstd1, "S2": packedS2} {
		packed, err := pack(how, body)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/pack", func(b *testing.B) {
			for b.Loop() {
				if _, err := pack(how, body); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(packed)), "bytes")
		})
		b.Run(name+"/unpack", func(b *testing.B) {
			for b.Loop() {
				if _, err := unpack(packed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package fact_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// BenchmarkFrom reads statements like those of a MOOC platform (1.5 KB, a list of played segments) and of a course, with the
// hash that a store has.
func BenchmarkFrom(b *testing.B) {
	segments := strings.TrimSuffix(strings.Repeat("12.345[.]23.456[,]", 20), "[,]")
	statements := []struct{ name, statement string }{
		{"video", with(vid+"verbs/paused", typed(vid+"activity-type/video"),
			`"result":{"extensions":{"`+vid+`extensions/time":389.165,"`+vid+`extensions/played-segments":"`+segments+`","`+vid+`extensions/progress":0.43}},
			"context":{"extensions":{"`+vid+`extensions/session-id":"`+id+`","`+vid+`extensions/length":903,"`+vid+`extensions/completion-threshold":0.95},
			"contextActivities":{"category":[{"id":"https://w3id.org/xapi/video"}],"parent":[{"id":"course-v1:X","objectType":"Activity","definition":{"type":"http://adlnet.gov/expapi/activities/course"}}]}}`)},
		{"course", with(adl+"completed", typed("http://adlnet.gov/expapi/activities/module"),
			`"result":{"score":{"scaled":0.8},"success":true,"completion":true,"duration":"PT5M"},
			"context":{"registration":"`+id+`","contextActivities":{"parent":[{"id":"http://example.com/c"}],"grouping":[{"id":"http://example.com/g"}]}}`)},
	}
	mac := hmac.New(sha256.New, []byte("key"))
	var sum [32]byte
	keyed := func(kind, value string) [12]byte {
		mac.Reset()
		mac.Write([]byte(kind))
		mac.Write([]byte{0})
		mac.Write([]byte(value))
		return [12]byte(mac.Sum(sum[:0]))
	}
	for _, s := range statements {
		b.Run(s.name, func(b *testing.B) {
			in := fact.Input{Statement: []byte(s.statement), ID: id, Stored: stored, Hash: keyed}
			b.SetBytes(int64(len(s.statement)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := fact.From(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

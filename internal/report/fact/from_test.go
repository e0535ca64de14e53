package fact_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

var stored = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// hash stands for a store's keyed hash.
func hash(kind, value string) [12]byte {
	mac := hmac.New(sha256.New, []byte("key"))
	mac.Write([]byte(kind + "\x00" + value))
	return [12]byte(mac.Sum(nil))
}

var hasher = fact.Hasher(hash)

const id = "9dc99b37-e920-4a68-a066-917faca28949"

func read(t testing.TB, statement string) fact.Reading {
	t.Helper()
	r, err := fact.From(fact.Input{Statement: []byte(statement), ID: id, Stored: stored, Hash: hash})
	if err != nil {
		t.Fatalf("From(%.300s): %v", statement, err)
	}
	return r
}

// with is a small statement with members added, and a verb and object.
func with(verb, object, members string) string {
	if object == "" {
		object = `{"id":"http://example.com/a"}`
	}
	if members != "" {
		members = "," + members
	}
	return `{"id":"` + id + `","actor":{"mbox":"mailto:ada@Example.com","name":"Ada"},"verb":{"id":"` + verb + `"},"object":` + object +
		`,"timestamp":"2026-03-04T05:06:00Z"` + members + `}`
}

const adl = "http://adlnet.gov/expapi/verbs/"

func TestFromKeepsWhatReportsNeed(t *testing.T) {
	const statement = `{
		"id": "9DC99B37-E920-4A68-A066-917FACA28949",
		"actor": {"mbox": "mailto:ada@Example.com", "name": "Ada"},
		"verb": {"id": "http://adlnet.gov/expapi/verbs/terminated", "display": {"en": "left"}},
		"object": {"id": "http://example.com/v", "definition": {"type": "https://w3id.org/xapi/video/activity-type/video", "name": {"en": "A film"}}},
		"result": {
			"score": {"scaled": 0.5}, "success": true, "completion": false, "duration": "PT6M0.5S", "response": "a[,]b",
			"extensions": {
				"https://w3id.org/xapi/video/extensions/progress": 0.29,
				"https://w3id.org/xapi/video/extensions/time": 12.5,
				"https://w3id.org/xapi/video/extensions/played-segments": "0[.]10[,]12[.]12.5[,]13",
				"http://example.com/other": {"deep": [1, 2, {"x": null}]}
			}
		},
		"context": {
			"registration": "01234567-89AB-cdef-0123-456789abcdef",
			"platform": "Web", "language": "de-AT",
			"team": {"objectType": "Group", "account": {"homePage": "http://example.com", "name": "7b"}, "member": [{"mbox": "mailto:bob@example.com"}]},
			"contextActivities": {
				"parent": [{"id": "http://example.com/m"}, {"id": "http://example.com/m2"}],
				"grouping": [{"id": "http://example.com/c", "definition": {"type": "http://adlnet.gov/expapi/activities/course"}}, {"id": "http://example.com/m"}, {"id": "http://example.com/c"}]
			},
			"extensions": {
				"https://w3id.org/xapi/video/extensions/session-id": "s1",
				"https://w3id.org/xapi/video/extensions/length": 40,
				"https://w3id.org/xapi/video/extensions/completion-threshold": 0.95,
				"https://w3id.org/xapi/video/extensions/speed": "1.5x"
			}
		},
		"timestamp": "2026-03-04T05:06:00.123456Z"
	}`
	got := read(t, statement)
	want := fact.Fact{
		ID: fact.IDOf(id), T: time.Date(2026, 3, 4, 5, 6, 0, 123e6, time.UTC).UnixMilli(), Stored: stored.UnixMilli(),
		Verb: hash("verb", adl+"terminated"), Class: fact.Ended | fact.Passed, Kind: fact.KindVideo,
		Content: hash("activity", "http://example.com/v"), Parent: hash("activity", "http://example.com/m"),
		Groupings:    []fact.Hash{hash("activity", "http://example.com/m2"), hash("activity", "http://example.com/c")},
		Registration: [16]byte{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef},
		Session:      got.Fact.Session,
		Group:        hasher.Group(xapi.IFI{Kind: xapi.Account, HomePage: "http://example.com", Value: "7b"}),
		Platform:     "Web", Language: "de-AT",
		Success: fact.Yes, Completion: fact.No, HasScore: true, Score: 500_000, Duration: 360_500, Progress: 290_000, Response: "a[,]b",
		Video: &fact.Video{
			Length: 40_000, Time: 12_500, From: -1, To: -1, Threshold: 950_000, Speed: 1500,
			Segments: []fact.Segment{{From: 0, To: 10_000}, {From: 12_000, To: 12_500}},
		},
	}
	if diff := cmp.Diff(want, got.Fact); diff != "" {
		t.Errorf("fact (-want +got):\n%s", diff)
	}
	if got.Fact.Session == 0 {
		t.Error("no session")
	}
	actor := fact.Actor{
		Key:  hasher.Learner(xapi.IFI{Kind: xapi.MboxSHA1Sum, Value: "e1a7f4bcb0a4ba0e32a9e0e5a4ee7d37fd6b3ae2"}),
		Name: "Ada", Identity: []byte(`{"mbox":"mailto:ada@Example.com"}`),
	}
	actor.Key = hasher.Learner(xapi.IFI{Kind: xapi.Mbox, Value: "mailto:ada@example.com"}.Hashed())
	if diff := cmp.Diff(actor, got.Actor); diff != "" {
		t.Errorf("actor (-want +got):\n%s", diff)
	}
	var names []string
	for _, n := range got.Names {
		names = append(names, n.IRI+" "+n.Type+" "+string(n.Display))
	}
	wantNames := []string{
		adl + `terminated  {"en": "left"}`,
		`http://example.com/v https://w3id.org/xapi/video/activity-type/video {"en": "A film"}`,
		"http://example.com/m  ", "http://example.com/m2  ",
		"http://example.com/c http://adlnet.gov/expapi/activities/course ",
	}
	if diff := cmp.Diff(wantNames, names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestActors(t *testing.T) {
	account := xapi.IFI{Kind: xapi.Account, HomePage: "http://example.com", Value: "x"}
	sha1 := xapi.IFI{Kind: xapi.Mbox, Value: "mailto:ada@example.com"}.Hashed()
	tests := []struct {
		name, actor string
		want        fact.Actor
	}{
		{"mbox", `{"mbox":"mailto:ada@EXAMPLE.com"}`, fact.Actor{Key: hasher.Learner(sha1), Identity: []byte(`{"mbox":"mailto:ada@EXAMPLE.com"}`)}},
		{"its hash, in capitals", `{"mbox_sha1sum":"` + strings.ToUpper(sha1.Value) + `"}`, fact.Actor{Key: hasher.Learner(sha1), Identity: []byte(`{"mbox_sha1sum":"` + strings.ToUpper(sha1.Value) + `"}`)}},
		{"openid", `{"openid":"http://ada.example.com"}`, fact.Actor{Key: hasher.Learner(xapi.IFI{Kind: xapi.OpenID, Value: "http://ada.example.com"}), Identity: []byte(`{"openid":"http://ada.example.com"}`)}},
		{"account", `{"objectType":"Agent","account":{"name":"x","homePage":"http://example.com"}}`, fact.Actor{Key: hasher.Learner(account), Identity: []byte(`{"account":{"homePage":"http://example.com","name":"x"}}`)}},
		{"identified group", `{"account":{"name":"x","homePage":"http://example.com"},"objectType":"Group","member":[{"mbox":"mailto:a@example.com"}]}`, fact.Actor{Key: hasher.Group(account), Group: true, Identity: []byte(`{"account":{"homePage":"http://example.com","name":"x"}}`)}},
		{"anonymous group", `{"objectType":"Group","name":"all","member":[{"mbox":"mailto:a@example.com"}]}`, fact.Actor{Unattributed: true, Name: "all"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := read(t, `{"actor":`+test.actor+`,"verb":{"id":"http://example.com/did"},"object":{"id":"http://example.com/a"},"timestamp":"2026-03-04T05:06:00Z"}`).Actor
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if hasher.Group(account) == hasher.Learner(account) {
		t.Error("a group and an agent with one account are the same")
	}
}

func TestWhatIsNoEvent(t *testing.T) {
	tests := []struct{ name, statement, want string }{
		{"voiding", with(adl+"voided", `{"objectType":"StatementRef","id":"`+id+`"}`, ""), fact.ErrVoiding.Error()},
		{"not JSON", `{"actor":`, "no JSON"},
		{"a secret where an object belongs", `{"actor":"secret"}`, "another type"},
		{"nobody", `{"actor":{},"verb":{"id":"http://example.com/did"},"object":{"id":"http://example.com/a"},"timestamp":"2026-03-04T05:06:00Z"}`, "nobody"},
		{"no verb", with("", "", ""), "no verb"},
		{"no timestamp", `{"actor":{"mbox":"mailto:a@example.com"},"verb":{"id":"http://example.com/did"},"object":{"id":"http://example.com/a"}}`, "timestamp"},
		{"no object", with("http://example.com/did", "{}", ""), "its object has no id"},
		{"an object of no type", with("http://example.com/did", `{"objectType":"Thing"}`, ""), "unknown type"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := fact.From(fact.Input{Statement: []byte(test.statement), ID: id, Stored: stored, Hash: hash})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want one with %q", err, test.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("error %q repeats the statement", err)
			}
			if (test.name == "voiding") != errors.Is(err, fact.ErrVoiding) {
				t.Errorf("errors.Is(%v, ErrVoiding) is wrong", err)
			}
		})
	}
}

func TestShorten(t *testing.T) {
	a, cut := fact.Shorten(strings.Repeat("ä", 100), 64)
	if !cut || len(a) > 64 {
		t.Errorf("%q: %d bytes, cut %v", a, len(a), cut)
	}
	if b, _ := fact.Shorten(strings.Repeat("ä", 101), 64); a == b {
		t.Error("two texts became one")
	}
	if s, cut := fact.Shorten("short", 64); s != "short" || cut {
		t.Errorf("%q, %v", s, cut)
	}
}

func TestIDsAreComparedInLowerCase(t *testing.T) {
	sum := sha256.Sum256([]byte(id))
	want := hex.EncodeToString(sum[:8])
	for _, id := range []string{id, strings.ToUpper(id)} {
		if got := fact.IDOf(id); hex.EncodeToString([]byte{byte(got >> 56), byte(got >> 48), byte(got >> 40), byte(got >> 32), byte(got >> 24), byte(got >> 16), byte(got >> 8), byte(got)}) != want {
			t.Errorf("IDOf(%s) = %x, want %s", id, got, want)
		}
	}
}

package xapi

import (
	"encoding/json/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestRender(t *testing.T) {
	const authority = `{"openid":"http://lrs.example/k1"}`
	edits := Edits{ID: "11111111-2222-4333-8444-555555555555", Stored: "2026-11-21T10:00:00.123Z", Timestamp: "2026-11-21T10:00:00.123Z", Authority: []byte(authority)}
	const appended = `,"id":"11111111-2222-4333-8444-555555555555","timestamp":"2026-11-21T10:00:00.123Z","stored":"2026-11-21T10:00:00.123Z","authority":` + authority + `,"version":"1.0.0"}`
	tests := []struct {
		name, received, want string
		version              Version
		edits                *Edits
	}{
		{name: "nothing was sent", received: smallStatement, want: smallStatement[:len(smallStatement)-1] + appended},
		{name: "a 2.0 request", version: V2, received: smallStatement, want: smallStatement[:len(smallStatement)-1] + strings.Replace(appended, "1.0.0", "2.0.0", 1)},
		{name: "a version of the caller", edits: &Edits{ID: edits.ID, Stored: edits.Stored, Timestamp: edits.Timestamp, Authority: edits.Authority, Version: "1.0.3"},
			received: smallStatement, want: smallStatement[:len(smallStatement)-1] + strings.Replace(appended, "1.0.0", "1.0.3", 1)},
		{name: "everything was sent",
			received: `{"authority":{"mbox":"mailto:x@example.com"},"version":"1.0.1","actor":{"mbox":"mailto:a@example.com"},"stored":"2020-01-01T00:00:00+01:00","id":"16FD2706-8BAF-433B-82EB-8C7FADA847DA","verb":{"id":"x:y"},"timestamp":"2020-01-01T00:00:00.5Z","object":{"id":"x:z"}}`,
			want:     `{"authority":` + authority + `,"version":"1.0.1","actor":{"mbox":"mailto:a@example.com"},"stored":"2026-11-21T10:00:00.123Z","id":"16FD2706-8BAF-433B-82EB-8C7FADA847DA","verb":{"id":"x:y"},"timestamp":"2020-01-01T00:00:00.5Z","object":{"id":"x:z"}}`},
		{name: "an authority to keep", edits: &Edits{ID: edits.ID, Stored: edits.Stored, Timestamp: edits.Timestamp},
			received: `{"authority":{"mbox":"mailto:x@example.com"},` + smallStatement[1:],
			want:     `{"authority":{"mbox":"mailto:x@example.com"},` + smallStatement[1:len(smallStatement)-1] + strings.Replace(appended, `,"authority":`+authority, "", 1)},
		{name: "white space, escapes, order and numbers",
			received: " {\n \"verb\" : { \"id\" : \"x:\\u0079\" },\t\"object\":{\"id\":\"x:z\"},\"result\":{\"score\":{\"raw\":1.0},\"extensions\":{\"x:e\":[1.50, 1E2]}},\"actor\":{\"mbox\":\"mailto:a@example.com\"}\n } ",
			want:     "{\n \"verb\" : { \"id\" : \"x:\\u0079\" },\t\"object\":{\"id\":\"x:z\"},\"result\":{\"score\":{\"raw\":1.0},\"extensions\":{\"x:e\":[1.50, 1E2]}},\"actor\":{\"mbox\":\"mailto:a@example.com\"}" + strings.TrimSuffix(appended, "}") + "\n }"},
		{name: "single context activities and timestamps, in a SubStatement too, between what is overwritten",
			received: `{"stored":"2020-01-01T00:00:00Z","context":{"contextActivities":{"parent":{"id":"x:p"},"other":[{"id":"x:o"}],"grouping": {"id":"x:g"} }},"timestamp":"2020-01-01T01:00:00.100+01:00","actor":{"mbox":"mailto:a@example.com"},"verb":{"id":"x:y"},"object":{"objectType":"SubStatement","timestamp":"2020-01-01T01:00:00+0100","actor":{"mbox":"mailto:a@example.com"},"verb":{"id":"x:y"},"object":{"id":"x:z"},"context":{"contextActivities":{"category":{"id":"x:c"}}}},"authority":{"mbox":"mailto:x@example.com"}}`,
			want:     `{"stored":"2026-11-21T10:00:00.123Z","context":{"contextActivities":{"parent":[{"id":"x:p"}],"other":[{"id":"x:o"}],"grouping": [{"id":"x:g"}] }},"timestamp":"2020-01-01T00:00:00.100Z","actor":{"mbox":"mailto:a@example.com"},"verb":{"id":"x:y"},"object":{"objectType":"SubStatement","timestamp":"2020-01-01T00:00:00Z","actor":{"mbox":"mailto:a@example.com"},"verb":{"id":"x:y"},"object":{"id":"x:z"},"context":{"contextActivities":{"category":[{"id":"x:c"}]}}},"authority":` + authority + `,"id":"11111111-2222-4333-8444-555555555555","version":"1.0.0"}`},
		{name: "escaped names", received: `{"st\u006fred":"2020-01-01T00:00:00Z",` + smallStatement[1:], want: `{"st\u006fred":"2026-11-21T10:00:00.123Z",` + smallStatement[1:len(smallStatement)-1] + strings.Replace(appended, `,"stored":"2026-11-21T10:00:00.123Z"`, "", 1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			version, with := test.version, edits
			if version == "" {
				version = V1
			}
			if test.edits != nil {
				with = *test.edits
			}
			alone := mustDecode(t, test.received, version)
			if diff := cmp.Diff(test.want, string(alone.Render(with))); diff != "" {
				t.Error(diff)
			}
			batch, _, err := DecodeStatements([]byte("[ "+smallStatement+" ,"+test.received+"]"), version, DefaultLimits)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(batch[1].Render(with))); diff != "" {
				t.Error("in a batch:", diff)
			}
		})
	}
}

// TestRenderKeepsTheRest: whatever is sent, what comes out is what came in, but for
// the edits, byte for byte and in order.
func TestRenderKeepsTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members := statementMembers().Draw(t, "members")
		body := joinMembers(t, members)
		s, err := DecodeStatement([]byte(body), V1, DefaultLimits)
		if err != nil {
			t.Fatalf("%v\n%s", err, body)
		}
		stored := string(s.Render(storeEdits))
		for _, m := range members {
			switch m.name {
			case "stored", "authority", "timestamp", "context":
				continue // edited, or able to be
			}
			if !strings.Contains(stored, `"`+m.name+`":`+m.value) {
				t.Fatalf("%s is not as received in\n%s", m.name, stored)
			}
		}
		var plain map[string]any
		if err := json.Unmarshal([]byte(stored), &plain); err != nil {
			t.Fatalf("%v\n%s", err, stored)
		}
		for _, name := range []string{"id", "stored", "authority", "version", "timestamp"} {
			if _, found := plain[name]; !found {
				t.Fatalf("%s is missing in\n%s", name, stored)
			}
		}
		again, err := DecodeStatement([]byte(stored), V1, DefaultLimits)
		if err != nil {
			t.Fatalf("%v\n%s", err, stored)
		}
		if twice := string(again.Render(Edits{Stored: storeEdits.Stored})); twice != stored {
			t.Fatalf("rendering again changes\n%s\nto\n%s", stored, twice)
		}
	})
}

// jsonMember is a member of a generated statement.
type jsonMember struct{ name, value string }

// statementMembers draws the members of a valid 1.0.3 statement in any order.
func statementMembers() *rapid.Generator[[]jsonMember] {
	return rapid.Custom(func(t *rapid.T) []jsonMember {
		members := []jsonMember{
			{"actor", actorText().Draw(t, "actor")},
			{"verb", rapid.SampledFrom([]string{`{"id":"x:v"}`, `{"id":"x:w","display":{"en":"w"}}`, `{ "display":{}, "id":"x:\u0076" }`}).Draw(t, "verb")},
			{"object", rapid.SampledFrom([]string{`{"id":"x:o"}`, `{"id":"x:o","objectType":"Activity","definition":{"name":{"en":"O"}}}`, anyRef,
				`{"objectType":"SubStatement","actor":{"mbox":"mailto:s@example.com"},"verb":{"id":"x:v"},"object":{"id":"x:o"},"timestamp":"2020-01-01T00:00:00Z"}`,
				`{"objectType":"Agent","mbox":"mailto:o@example.com"}`}).Draw(t, "object")},
		}
		optional := map[string][]string{
			"id":          {anyUUID, strings.ToUpper(anyUUID)},
			"result":      {`{}`, `{"success":true,"duration":"PT1.005S"}`, `{"score":{"raw":1.0,"max":2e0},"response":"\u00e9"}`, `{"extensions":{"x:e":[1.0,{"b":null,"a":"\/"}]}}`},
			"context":     {`{}`, `{"registration":` + anyUUID + `,"language":"en-GB"}`, `{"contextActivities":{"parent":{"id":"x:p"},"other":[]}}`, `{"team":{"objectType":"Group","member":[` + actorText().Draw(t, "member") + `,{"mbox":"mailto:t@example.com"}]}}`},
			"timestamp":   {`"2020-01-01T00:00:00.123456Z"`, `"2020-01-01T02:00:00.123456+02:00"`, `"2021-01-01T00:00:00"`},
			"stored":      {`"2020-01-01T00:00:00Z"`},
			"authority":   {`{"mbox":"mailto:x@example.com"}`},
			"version":     {`"1.0.3"`},
			"attachments": {`[]`},
		}
		for _, name := range []string{"id", "result", "context", "timestamp", "stored", "authority", "version", "attachments"} {
			if rapid.Bool().Draw(t, "with "+name) {
				members = append(members, jsonMember{name, rapid.SampledFrom(optional[name]).Draw(t, name)})
			}
		}
		return rapid.Permutation(members).Draw(t, "order")
	})
}

func actorText() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{`{"mbox":"mailto:a@example.com"}`, `{"name":"A","objectType":"Agent","mbox":"mailto:a@EXAMPLE.com"}`, `{"openid":"http://a.example"}`,
		`{"account":{"homePage":"http://example.com","name":"a"}}`, `{"mbox_sha1sum":"DA39a3ee5e6b4b0d3255bfef95601890afd80709"}`})
}

func joinMembers(t *rapid.T, members []jsonMember) string {
	space := rapid.SampledFrom([]string{"", " ", "\n\t"}).Draw(t, "space")
	parts := make([]string, len(members))
	for i, m := range members {
		parts[i] = space + `"` + m.name + `":` + m.value + space
	}
	return "{" + strings.Join(parts, ",") + "}"
}

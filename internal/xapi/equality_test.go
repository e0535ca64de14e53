package xapi

import (
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestEquality changes one place and says whether the statement is still the same.
func TestEquality(t *testing.T) {
	grouped := replaced(t, fullStatement, "/actor", `{"objectType":"Group","member":[{"mbox":"mailto:a@example.com","name":"A"},{"openid":"http://b.example"}]}`)
	void := replaced(t, smallStatement, "/object", anyRef)
	nested := replaced(t, smallStatement, "/object", subStatement)
	tests := []struct {
		name  string
		base  string // fullStatement when ""
		at    string
		value string // "" removes
		equal bool
		meets string
	}{
		{name: "id", at: "/id", value: anyUUID, equal: true, meets: "D2.3.1-1 L4.2-3"},
		{name: "no id", at: "/id", equal: true, meets: "D2.3.1-1 L4.2-3"},
		{name: "no authority", at: "/authority", equal: true, meets: "D2.3.1-1 L4.2-5"},
		{name: "another authority", at: "/authority", value: `{"mbox":"mailto:x@example.com"}`, equal: true, meets: "D2.3.1-1 L4.2-5"},
		{name: "another stored", at: "/stored", value: `"2027-01-01T00:00:00Z"`, equal: true, meets: "D2.3.1-1 L4.2-6"},
		{name: "no version", at: "/version", equal: true, meets: "D2.3.1-1 L4.2-8"},
		{name: "no timestamp", at: "/timestamp", equal: true, meets: "D2.3.1-1 L4.2-7"},
		{name: "timestamp in another zone", at: "/timestamp", value: `"2026-05-01T10:00:00.1234567Z"`, equal: true, meets: "D2.3.1-4 L4.2-7"},
		{name: "timestamp cut to milliseconds", at: "/timestamp", value: `"2026-05-01T10:00:00.123Z"`, equal: true},
		{name: "timestamp a millisecond off", at: "/timestamp", value: `"2026-05-01T10:00:00.124Z"`, equal: false},
		{name: "verb display", at: "/verb/display", value: `{"de":"antwortete"}`, equal: true, meets: "D2.3.1-3 L4.2-1"},
		{name: "no verb display", at: "/verb/display", equal: true, meets: "D2.3.1-3 L4.2-1"},
		{name: "verb id", at: "/verb/id", value: `"http://example.com/v"`, equal: false, meets: "D2.3.1-8 L4.2-1"},
		{name: "no definition", at: "/object/definition", equal: true, meets: "D2.3.1-2 L4.2-10"},
		{name: "another definition", at: "/object/definition", value: `{"name":{"en":"x"}}`, equal: true, meets: "D2.3.1-2 L4.2-10"},
		{name: "definition of a context activity", at: "/context/contextActivities/other/0/definition", equal: true, meets: "D2.3.1-2 L4.2-10"},
		{name: "no objectType of an activity", at: "/object/objectType", equal: true},
		{name: "no objectType of an agent", at: "/actor/objectType", equal: true},
		{name: "activity id", at: "/object/id", value: `"http://example.com/quiz/2"`, equal: false, meets: "D2.3.1-8 L4.2-1"},
		{name: "activity id in upper case", at: "/object/id", value: `"http://EXAMPLE.com/quiz/1"`, equal: false, meets: "L4.2.7-1"},
		{name: "attachments", at: "/attachments", equal: true, meets: "D2.3.1-6 L4.2-9"},
		{name: "mbox domain in upper case", at: "/actor/mbox", value: `"mailto:ann@EXAMPLE.com"`, equal: true, meets: "D2.3.1-7 L4.2-2"},
		{name: "mbox local part in upper case", at: "/actor/mbox", value: `"mailto:Ann@example.com"`, equal: false, meets: "D2.3.1-8 L4.2-1"},
		{name: "name of the actor", at: "/actor/name", value: `"Bea"`, equal: false, meets: "D2.3.1-8 L4.2-1"},
		{name: "no name of the actor", at: "/actor/name", equal: false},
		{name: "order of members", base: grouped, at: "/actor/member", value: `[{"openid":"http://b.example"},{"name":"A","mbox":"mailto:a@example.com"}]`, equal: true, meets: "D2.3.1-5 L4.2-4"},
		{name: "a member less", base: grouped, at: "/actor/member", value: `[{"openid":"http://b.example"}]`, equal: false, meets: "D2.3.1-8 L4.2-1"},
		{name: "a member twice", base: grouped, at: "/actor/member", value: `[{"openid":"http://b.example"},{"openid":"http://b.example"}]`, equal: false},
		{name: "no members", base: grouped, at: "/actor/member", value: `[]`, equal: false},
		{name: "single context activity in an array", at: "/context/contextActivities/parent", value: `[{"id":"http://example.com/quiz"}]`, equal: true},
		{name: "another context activity", at: "/context/contextActivities/parent/id", value: `"http://example.com/q"`, equal: false},
		{name: "one context activity more", at: "/context/contextActivities/grouping/-", value: `{"id":"http://example.com/q"}`, equal: false},
		{name: "registration in upper case", at: "/context/registration", value: `"EC531277-B57B-4C15-8D91-D292C5B2B8F7"`, equal: true, meets: "D2.3.1-7 L4.2-2"},
		{name: "another registration", at: "/context/registration", value: anyUUID, equal: false},
		{name: "language in lower case", at: "/context/language", value: `"en-gb"`, equal: true, meets: "D2.3.1-7 L4.2-2"},
		{name: "context.statement in upper case", at: "/context/statement/id", value: strings.ToUpper(anyUUID), equal: true},
		{name: "no team", at: "/context/team", equal: false},
		{name: "reference in upper case", base: void, at: "/object/id", value: strings.ToUpper(anyUUID), equal: true},
		{name: "another reference", base: void, at: "/object/id", value: `"00000000-8baf-433b-82eb-8c7fada847da"`, equal: false, meets: "D2.3.1-8 L4.2-1"},
		{name: "duration beyond 0.01 s", at: "/result/duration", value: `"PT1H0.2599S"`, equal: true, meets: "L4.2.7-11"},
		{name: "duration by 0.01 s", at: "/result/duration", value: `"PT1H0.26S"`, equal: false, meets: "D2.3.1-8 L4.2-1"},
		{name: "duration in other units", at: "/result/duration", value: `"PT3600.25S"`, equal: false, meets: "D2.3.1-8 L4.2-1"},
		{name: "duration with a comma", at: "/result/duration", value: `"PT1H0,25S"`, equal: true},
		{name: "success", at: "/result/success", value: `false`, equal: false, meets: "D2.3.1-8"},
		{name: "response", at: "/result/response", value: `"b"`, equal: false, meets: "D2.3.1-8"},
		{name: "number in another notation", at: "/result/score/raw", value: `50.0e-1`, equal: true},
		{name: "another number", at: "/result/score/raw", value: `5.000000000000000000001`, equal: false},
		{name: "extension with more", at: "/context/extensions/x:y", value: `null`, equal: false},
		{name: "definition extension", at: "/object/definition/extensions", equal: true},
		{name: "result extension", at: "/result/extensions/http:~1~1example.com~1ext~1r", value: `0`, equal: false},
		{name: "SubStatement's timestamp in another zone", base: nested, at: "/object/timestamp", value: `"2029-12-31T23:00:00Z"`, equal: true, meets: "D2.3.1-4"},
		{name: "SubStatement's timestamp", base: nested, at: "/object/timestamp", value: `"2029-12-31T23:00:01Z"`, equal: false},
		{name: "no timestamp of the SubStatement", base: nested, at: "/object/timestamp", equal: false},
		{name: "SubStatement's attachments", base: nested, at: "/object/attachments", equal: true, meets: "D2.3.1-6 L4.2-9"},
		{name: "SubStatement's verb", base: nested, at: "/object/verb/id", value: `"x:v"`, equal: false},
		{name: "SubStatement's single context activity", base: nested, at: "/object/context/contextActivities/parent", value: `[{"id":"http://example.com/travel"}]`, equal: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			base := test.base
			if base == "" {
				base = fullStatement
			}
			changed := replaced(t, base, test.at, test.value)
			for _, version := range versionsOf("") {
				want := test.equal || version == V2 && strings.Contains(test.name, "timestamp") // which 2.0 ignores
				base := replaced(t, base, "/version", `"`+version.statementDefault()+`"`)
				a, b := mustDecode(t, base, version), mustDecode(t, replaced(t, base, test.at, test.value), version)
				if equal(a, b) != want || equal(b, a) != want {
					t.Errorf("%s: equal: %v and %v, want %v\n%s", version, equal(a, b), equal(b, a), want, changed)
				}
				meets(t, version, test.meets)
			}
			stored := mustDecode(t, base, V1).Render(storeEdits)
			if equal, err := EqualJSON(stored, []byte(changed)); err != nil || equal != test.equal {
				t.Errorf("stored and sent: %v, %v, want %v", equal, err, test.equal)
			}
		})
	}
}

// TestEqualStored has what a statement was sent with, and what came under its id later.
func TestEqualStored(t *testing.T) {
	bare := replaced(t, smallStatement, "/version", `"1.0.0"`)
	first := replaced(t, bare, "/timestamp", `"2026-01-01T00:00:00Z"`)
	second := replaced(t, bare, "/timestamp", `"2027-01-01T00:00:00Z"`)
	edits := Edits{Stored: "2027-05-01T00:00:00.000Z", Timestamp: "2027-05-01T00:00:00.000Z"}
	for _, test := range []struct {
		name       string
		kept, came string
		equal      bool
	}{
		{"without a timestamp both", bare, bare, true},
		{"none came", first, bare, true},
		{"none was there", bare, first, true},
		{"the same", first, first, true},
		{"another", first, second, false},
	} {
		kept, came := mustDecode(t, test.kept, V1).Render(edits), mustDecode(t, test.came, V1).Render(edits)
		if equal, err := EqualStored(kept, came); err != nil || equal != test.equal {
			t.Errorf("%s: %v, %v, want %v", test.name, equal, err, test.equal)
		}
	}
}

func equal(a, b *Statement) bool {
	same, err := EqualJSON(a.raw, b.raw)
	if err != nil {
		panic(err) // both were parsed before
	}
	return same
}

// TestTimestampsOf2 shows the one rule in which the versions differ.
func TestTimestampsOf2(t *testing.T) {
	a := replaced(t, smallStatement, "/timestamp", `"2026-01-01T00:00:00Z"`)
	b := replaced(t, smallStatement, "/timestamp", `"2027-01-01T00:00:00Z"`)
	if equal(mustDecode(t, a, V1), mustDecode(t, b, V1)) {
		t.Error("1.0.3 ignores the timestamp")
	}
	later := replaced(t, b, "/version", `"2.0.0"`)
	if !equal(mustDecode(t, a, V1), mustDecode(t, later, V2)) {
		t.Error("2.0 does not ignore the timestamp")
	}
	stored := replaced(t, a, "/version", `"2.0.0"`)
	if equal, err := EqualJSON([]byte(b), []byte(stored)); err != nil || !equal {
		t.Errorf("a statement stored as 2.0.0 and one of another time: %v, %v", equal, err)
	}
	meets(t, V2, "L4.2-7")
}

func TestEqualJSONRefuses(t *testing.T) {
	for _, text := range []string{"", "{", `{"a":1,"a":1}`, "{}{}", strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)} {
		for _, pair := range [][2]string{{text, smallStatement}, {smallStatement, text}, {text, text}} {
			if equal, err := EqualJSON([]byte(pair[0]), []byte(pair[1])); err == nil || equal {
				t.Errorf("%.20q and %.20q: %v, %v", pair[0], pair[1], equal, err)
			}
		}
	}
	for _, text := range []string{"{}", "[]", "1", `"x"`, `{"actor":1,"verb":[],"object":null,"context":{"team":5},"result":"x"}`} {
		if equal, err := EqualJSON([]byte(text), []byte(smallStatement)); err != nil || equal {
			t.Errorf("%s: %v, %v", text, equal, err)
		}
	}
}

func TestNumbers(t *testing.T) {
	same := [][]string{{"0", "-0", "0.0", "0e5", "-0.00E-3"}, {"1", "1.0", "10e-1", "0.1e1", "1E+0", "100.00e-2"}, {"-12.5", "-1.25e1", "-125E-1"}, {"1e400", "10e399"}}
	forms := make(map[string]int)
	for i, group := range same {
		for _, text := range group {
			form := string(comparableNumber([]byte(text)))
			if other, found := forms[form]; found && other != i {
				t.Errorf("%s has the form %s of another number", text, form)
			}
			forms[form] = i
		}
	}
	if len(forms) != len(same) {
		t.Errorf("%d forms of %d numbers: %v", len(forms), len(same), forms)
	}
}

// notations are values that mean the same, for the members of a generated statement.
var notations = map[string][][]string{
	"actor": {
		{`{"mbox":"mailto:a@example.com"}`, `{"objectType":"Agent","mbox":"mailto:a@EXAMPLE.com"}`, `{"mbox":"mailto:\u0061@example.com"}`},
		{`{"objectType":"Group","member":[{"mbox":"mailto:a@example.com"},{"openid":"x:b"}]}`, `{"member":[{"openid":"x:b"},{"mbox":"mailto:a@example.com"}],"objectType":"Group"}`},
		{`{"mbox_sha1sum":"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709","name":"A"}`, `{"name":"A","mbox_sha1sum":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}`},
	},
	"verb": {{`{"id":"x:v"}`, `{ "display":{"en":"v"}, "id":"x:\u0076" }`}, {`{"id":"x:w"}`}},
	"object": {
		{`{"id":"x:o"}`, `{"objectType":"Activity","definition":{"name":{"en":"O"}},"id":"x:o"}`},
		{anyRef, strings.Replace(anyRef, "8baf", "8BAF", 1)},
	},
	"result": {{`{"score":{"raw":1.0},"duration":"PT1.005S"}`, `{"duration":"PT1S","score":{"raw":1e0}}`}, {`{"response":"\u00e9"}`, `{"response":"é"}`}, {`{}`}},
	"context": {
		{`{"contextActivities":{"parent":{"id":"x:p"}}}`, `{"contextActivities":{"parent":[{"id":"x:p","definition":{}}]}}`},
		{`{"language":"en-GB","extensions":{"x:e":{"a":1,"b":[2.50]}}}`, `{"extensions":{"x:e":{"b":[2.5],"a":1}},"language":"en-gb"}`},
	},
	"timestamp": {{`"2020-01-01T00:00:00.1234Z"`, `"2020-01-01T02:00:00.123+02:00"`}, {`"2021-01-01T00:00:00Z"`, `"2021-01-01T00:00:00"`}},
}

// TestEqualityIsAnEquivalence writes the same statement in two ways, in whatever is
// ignored, and another statement beside them.
func TestEqualityIsAnEquivalence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		meaning := rapid.Custom(func(t *rapid.T) map[string]int {
			chosen := make(map[string]int)
			for _, name := range []string{"actor", "verb", "object", "result", "context", "timestamp"} {
				chosen[name] = rapid.IntRange(0, len(notations[name])-1).Draw(t, name)
			}
			return chosen
		})
		write := func(chosen map[string]int) *Statement {
			var members []jsonMember
			for _, name := range []string{"actor", "verb", "object", "result", "context", "timestamp"} {
				members = append(members, jsonMember{name, rapid.SampledFrom(notations[name][chosen[name]]).Draw(t, name)})
			}
			for _, m := range []jsonMember{{"id", anyUUID}, {"stored", `"2020-01-01T00:00:00Z"`}, {"authority", `{"openid":"x:a"}`}, {"version", `"1.0.0"`}, {"attachments", `[]`}} {
				if rapid.Bool().Draw(t, "with "+m.name) {
					members = append(members, m)
				}
			}
			body := joinMembers(t, rapid.Permutation(members).Draw(t, "order"))
			s, err := DecodeStatement([]byte(body), V1, DefaultLimits)
			if err != nil {
				t.Fatalf("%v\n%s", err, body)
			}
			return s
		}
		chosen, other := meaning.Draw(t, "meaning"), meaning.Draw(t, "other")
		a, b, c := write(chosen), write(chosen), write(other)
		if !equal(a, a) || !equal(a, b) || !equal(b, a) {
			t.Fatalf("not equal:\n%s\n%s", a.raw, b.raw)
		}
		same := maps.Equal(chosen, other)
		if equal(a, c) != same || equal(b, c) != same || equal(c, a) != same {
			t.Fatalf("equal to another, or not to the same: %v\n%s\n%s", same, a.raw, c.raw)
		}
	})
}

func FuzzEqualJSON(f *testing.F) {
	f.Add([]byte(fullStatement), []byte(smallStatement))
	f.Add([]byte(subStatement), []byte(`{"actor":[],"context":{"contextAgents":1}}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		equal, err := EqualJSON(a, b)
		back, errBack := EqualJSON(b, a)
		if equal != back || (err == nil) != (errBack == nil) || equal && err != nil {
			t.Fatalf("%v, %v one way, %v, %v the other", equal, err, back, errBack)
		}
	})
}

package xapi

import (
	"errors"
	"strings"
	"testing"
)

const (
	anyUUID = `"16fd2706-8baf-433b-82eb-8c7fada847da"`
	anyRef  = `{"objectType":"StatementRef","id":` + anyUUID + `}`
)

// TestInvalid changes one place of a valid statement, and expects the error there.
func TestInvalid(t *testing.T) {
	withSub := replaced(t, replaced(t, replaced(t, fullStatement, "/object", subStatement), "/context/revision", ""), "/context/platform", "")
	tests := []struct {
		name    string
		base    string // fullStatement when ""
		at      string
		value   string // "" removes
		path    string // of the error; at when ""
		version Version
	}{
		{name: "actor missing", at: "/actor", path: "/"},
		{name: "verb missing", at: "/verb", path: "/"},
		{name: "object missing", at: "/object", path: "/"},
		{name: "unknown property", at: "/foo", value: `1`},
		{name: "wrong case", at: "/Actor", value: `{"mbox":"mailto:a@example.com"}`},
		{name: "null", at: "/result", value: `null`},
		{name: "null id", at: "/id", value: `null`},
		{name: "null deep inside", at: "/context/contextActivities/parent/id", value: `null`},
		{name: "null in a language map", at: "/verb/display/en-US", value: `null`},
		{name: "statement is an array member", at: "/result", value: `[]`},

		{name: "id no string", at: "/id", value: `5`},
		{name: "id with urn", at: "/id", value: `"urn:uuid:16fd2706-8baf-433b-82eb-8c7fada847da"`},
		{name: "id with braces", at: "/id", value: `"{16fd2706-8baf-433b-82eb-8c7fada847da}"`},
		{name: "id without dashes", at: "/id", value: `"16fd27068baf433b82eb8c7fada847da"`},
		{name: "id with a wrong letter", at: "/id", value: `"16fd2706-8baf-433b-82eb-8c7fada847dg"`},
		{name: "id empty", at: "/id", value: `""`},

		{name: "version 0.9.9", at: "/version", value: `"0.9.9"`},
		{name: "version 1.1.0", at: "/version", value: `"1.1.0"`},
		{name: "version 1.0.", at: "/version", value: `"1.0."`},
		{name: "version 2.0.0 in a 1.0.3 request", at: "/version", value: `"2.0.0"`},
		{name: "version 2.1.0", at: "/version", value: `"2.1.0"`, version: V2},
		{name: "version a number", at: "/version", value: `1.0`},

		{name: "verb a string", at: "/verb", value: `"http://example.com/v"`},
		{name: "verb without id", at: "/verb/id", path: "/verb"},
		{name: "verb id without scheme", at: "/verb/id", value: `"answered"`},
		{name: "verb id empty", at: "/verb/id", value: `""`},
		{name: "verb id with a space", at: "/verb/id", value: `"http://example.com/a b"`},
		{name: "verb with a name", at: "/verb/name", value: `"x"`},
		{name: "display no object", at: "/verb/display", value: `"x"`},
		{name: "display with an underscore", at: "/verb/display/en_US", value: `"x"`},
		{name: "display with an empty tag", at: "/verb/display/", value: `"x"`},
		{name: "display of numbers", at: "/verb/display/en-US", value: `1`},
		{name: "voiding without a reference", at: "/verb/id", value: `"` + VoidedVerb + `"`, path: "/object"},

		{name: "objectType unknown", at: "/object/objectType", value: `"activity"`},
		{name: "objectType of an actor in lower case", at: "/actor/objectType", value: `"agent"`},
		{name: "objectType Person", at: "/actor/objectType", value: `"Person"`},
		{name: "activity without id", at: "/object/id", path: "/object"},
		{name: "activity id relative", at: "/object/id", value: `"quiz/1"`},
		{name: "activity with a name", at: "/object/name", value: `"x"`},
		{name: "activity with an actor", at: "/object/actor", value: `{"mbox":"mailto:a@example.com"}`},
		{name: "agent as object without objectType", at: "/object", value: `{"mbox":"mailto:a@example.com"}`, path: "/object/mbox"},
		{name: "agent as object with an id", at: "/object", value: `{"objectType":"Agent","mbox":"mailto:a@example.com","id":"http://example.com"}`, path: "/object/id"},
		{name: "agent as object with nothing", at: "/object", value: `{"objectType":"Agent"}`},
		{name: "group as object with nothing", at: "/object", value: `{"objectType":"Group","name":"x"}`},
		{name: "reference without id", at: "/object", value: `{"objectType":"StatementRef"}`},
		{name: "reference to an IRI", at: "/object", value: `{"objectType":"StatementRef","id":"http://example.com"}`, path: "/object/id"},
		{name: "reference with a definition", at: "/object", value: `{"objectType":"StatementRef","id":` + anyUUID + `,"definition":{}}`, path: "/object/definition"},
		{name: "substatement with nothing", at: "/object", value: `{"objectType":"SubStatement"}`},
		{name: "substatement without objectType", base: withSub, at: "/object/objectType", path: "/object/*"},
		{name: "substatement with id", base: withSub, at: "/object/id", value: anyUUID},
		{name: "substatement with stored", base: withSub, at: "/object/stored", value: `"2026-01-01T00:00:00Z"`},
		{name: "substatement with version", base: withSub, at: "/object/version", value: `"1.0.0"`},
		{name: "substatement with authority", base: withSub, at: "/object/authority", value: `{"mbox":"mailto:a@example.com"}`},
		{name: "substatement in a substatement", base: withSub, at: "/object/object", value: subStatement, path: "/object/object/*"},
		{name: "substatement in a substatement, by type alone", base: withSub, at: "/object/object", value: `{"objectType":"SubStatement"}`},
		{name: "substatement without verb", base: withSub, at: "/object/verb", path: "/object"},
		{name: "substatement voiding an activity", base: withSub, at: "/object/verb/id", value: `"` + VoidedVerb + `"`, path: "/object/object"},

		{name: "definition no object", at: "/object/definition", value: `[]`},
		{name: "definition unknown property", at: "/object/definition/Name", value: `{}`},
		{name: "definition type relative", at: "/object/definition/type", value: `"course"`},
		{name: "moreInfo empty", at: "/object/definition/moreInfo", value: `""`},
		{name: "interactionType unknown", at: "/object/definition/interactionType", value: `"Choice"`},
		{name: "interactionType missing", at: "/object/definition/interactionType", path: "/object/definition"},
		{name: "pattern a string", at: "/object/definition/correctResponsesPattern", value: `"a"`},
		{name: "pattern of numbers", at: "/object/definition/correctResponsesPattern", value: `[1]`, path: "/object/definition/correctResponsesPattern/0"},
		{name: "choices no array", at: "/object/definition/choices", value: `{}`},
		{name: "choice without id", at: "/object/definition/choices/0/id", path: "/object/definition/choices/0"},
		{name: "choice id twice", at: "/object/definition/choices/1/id", value: `"a"`},
		{name: "choice unknown property", at: "/object/definition/choices/1/name", value: `"a"`},
		{name: "steps without interactionType", at: "/object/definition", value: `{"steps":[]}`},
		{name: "extension key no IRI", at: "/object/definition/extensions/a", value: `1`},
		{name: "extensions an array", at: "/result/extensions", value: `[]`},
		{name: "extension key empty", at: "/context/extensions/", value: `1`},

		{name: "score a number", at: "/result/score", value: `1`},
		{name: "scaled a string", at: "/result/score/scaled", value: `"0.5"`},
		{name: "scaled above 1", at: "/result/score/scaled", value: `1.01`},
		{name: "scaled below -1", at: "/result/score/scaled", value: `-1.01`},
		{name: "raw above max", at: "/result/score/raw", value: `11`},
		{name: "raw below min", at: "/result/score/raw", value: `-1`},
		{name: "min above max", at: "/result/score/min", value: `20`},
		{name: "min equal to max", at: "/result/score/min", value: `10`},
		{name: "score unknown property", at: "/result/score/foo", value: `1`},
		{name: "success a string", at: "/result/success", value: `"true"`},
		{name: "completion a number", at: "/result/completion", value: `1`},
		{name: "response an object", at: "/result/response", value: `{}`},
		{name: "duration in words", at: "/result/duration", value: `"one hour"`},
		{name: "duration empty", at: "/result/duration", value: `""`},
		{name: "result unknown property", at: "/result/foo", value: `1`},

		{name: "registration no UUID", at: "/context/registration", value: `"x"`},
		{name: "team an agent", at: "/context/team", value: `{"mbox":"mailto:a@example.com"}`},
		{name: "contextActivities unknown key", at: "/context/contextActivities/parents", value: `[]`},
		{name: "contextActivities an array", at: "/context/contextActivities", value: `[]`},
		{name: "parent a string", at: "/context/contextActivities/parent", value: `"http://example.com"`},
		{name: "parent of strings", at: "/context/contextActivities/parent", value: `["http://example.com"]`, path: "/context/contextActivities/parent/0"},
		{name: "parent an agent", at: "/context/contextActivities/parent/objectType", value: `"Agent"`},
		{name: "parent without id", at: "/context/contextActivities/parent", value: `{}`},
		{name: "revision a number", at: "/context/revision", value: `1`},
		{name: "platform a number", at: "/context/platform", value: `1`},
		{name: "language with an underscore", at: "/context/language", value: `"en_US"`},
		{name: "context.statement without objectType", at: "/context/statement", value: `{"id":` + anyUUID + `}`},
		{name: "context.statement without id", at: "/context/statement", value: `{"objectType":"StatementRef"}`},
		{name: "context.statement unknown property", at: "/context/statement/name", value: `"x"`},
		{name: "context.statement a SubStatement", at: "/context/statement/objectType", value: `"SubStatement"`},
		{name: "contextAgents under 1.0.3", at: "/context/contextAgents", value: contextAgents},
		{name: "contextGroups under 1.0.3", at: "/context/contextGroups", value: contextGroups},
		{name: "contextAgent of another objectType", at: "/context/contextAgents", value: `[{"objectType":"contextagent","agent":{"mbox":"mailto:a@example.com"}}]`, path: "/context/contextAgents/0/objectType", version: V2},
		{name: "contextAgent without objectType", at: "/context/contextAgents", value: `[{"agent":{"mbox":"mailto:a@example.com"}}]`, path: "/context/contextAgents/0", version: V2},
		{name: "contextAgent without agent", at: "/context/contextAgents", value: `[{"objectType":"contextAgent"}]`, path: "/context/contextAgents/0", version: V2},
		{name: "contextAgent with a group", at: "/context/contextAgents", value: `[{"objectType":"contextAgent","agent":{"objectType":"Group","mbox":"mailto:a@example.com"}}]`, path: "/context/contextAgents/0/agent", version: V2},
		{name: "contextAgents an object", at: "/context/contextAgents", value: `{}`, version: V2},
		{name: "contextAgent with no types", at: "/context/contextAgents", value: `[{"objectType":"contextAgent","agent":{"mbox":"mailto:a@example.com"},"relevantTypes":[]}]`, path: "/context/contextAgents/0/relevantTypes", version: V2},
		{name: "contextAgent with a type that is no IRI", at: "/context/contextAgents", value: `[{"objectType":"contextAgent","agent":{"mbox":"mailto:a@example.com"},"relevantTypes":["x"]}]`, path: "/context/contextAgents/0/relevantTypes/0", version: V2},
		{name: "contextGroup with an agent", at: "/context/contextGroups", value: `[{"objectType":"contextGroup","group":{"mbox":"mailto:a@example.com"}}]`, path: "/context/contextGroups/0/group", version: V2},
		{name: "contextGroup with the agent property", at: "/context/contextGroups", value: `[{"objectType":"contextGroup","agent":{"mbox":"mailto:a@example.com"}}]`, path: "/context/contextGroups/0/agent", version: V2},

		{name: "timestamp in words", at: "/timestamp", value: `"yesterday"`},
		{name: "timestamp a date", at: "/timestamp", value: `"2026-05-01"`},
		{name: "timestamp a number", at: "/timestamp", value: `1746086400`},
		{name: "stored in words", at: "/stored", value: `"now"`},
		{name: "authority without identifier", at: "/authority", value: `{"objectType":"Agent"}`},
		{name: "authority a group of one", at: "/authority", value: `{"objectType":"Group","member":[{"mbox":"mailto:a@example.com"}]}`},
		{name: "authority a group of three", at: "/authority", value: `{"objectType":"Group","member":[{"mbox":"mailto:a@example.com"},{"mbox":"mailto:b@example.com"},{"mbox":"mailto:c@example.com"}]}`},
		{name: "authority an identified group", at: "/authority", value: `{"objectType":"Group","mbox":"mailto:g@example.com","member":[{"mbox":"mailto:a@example.com"},{"mbox":"mailto:b@example.com"}]}`},

		{name: "attachments an object", at: "/attachments", value: `{}`},
		{name: "attachment without usageType", at: "/attachments/0/usageType", path: "/attachments/0"},
		{name: "attachment without display", at: "/attachments/0/display", path: "/attachments/0"},
		{name: "attachment without contentType", at: "/attachments/0/contentType", path: "/attachments/0"},
		{name: "attachment without length", at: "/attachments/0/length", path: "/attachments/0"},
		{name: "attachment without sha2", at: "/attachments/0/sha2", path: "/attachments/0"},
		{name: "attachment length a string", at: "/attachments/0/length", value: `"27"`},
		{name: "attachment length negative", at: "/attachments/0/length", value: `-1`},
		{name: "attachment length a fraction", at: "/attachments/0/length", value: `27.5`},
		{name: "attachment sha2 too short", at: "/attachments/0/sha2", value: `"495395e777cd98da"`},
		{name: "attachment sha2 no hex", at: "/attachments/0/sha2", value: `"` + strings.Repeat("g", 64) + `"`},
		{name: "attachment contentType without subtype", at: "/attachments/0/contentType", value: `"text"`},
		{name: "attachment contentType with a line break", at: "/attachments/0/contentType", value: `"text/plain\r\nX: y"`},
		{name: "attachment fileUrl relative", at: "/attachments/0/fileUrl", value: `"essay.txt"`},
		{name: "attachment unknown property", at: "/attachments/0/fileURL", value: `"http://example.com"`},
		{name: "signature of another contentType", at: "/attachments/0/usageType", value: `"` + SignatureUsage + `"`, path: "/attachments/0/contentType"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			base, version, path := test.base, test.version, test.path
			if base == "" {
				base = fullStatement
			}
			if version == "" {
				version = V1
			}
			if path == "" {
				path = test.at
			}
			body := replaced(t, base, test.at, test.value)
			s, err := DecodeStatement([]byte(body), version, DefaultLimits)
			var fault *Error
			if !errors.As(err, &fault) {
				t.Fatalf("got %v, %v; want an Error\n%s", s, err, body)
			}
			if fault.Statement != 0 || fault.Rule == "" || fault.Section == "" || fault.TooLarge {
				t.Errorf("incomplete error: %+v", fault)
			}
			prefix, anywhere := strings.CutSuffix(path, "*")
			if path == "/" {
				path = ""
			}
			if fault.Path != path && !(anywhere && strings.HasPrefix(fault.Path, prefix)) {
				t.Errorf("error at %q, want %q: %v", fault.Path, path, fault)
			}
		})
	}
}

// TestValid changes one place of a valid statement to something unusual but allowed.
func TestValid(t *testing.T) {
	withoutRevision := replaced(t, replaced(t, fullStatement, "/context/revision", ""), "/context/platform", "")
	tests := []struct {
		name    string
		at      string
		value   string
		version Version
	}{
		{name: "nothing changed", at: "/version", value: `"1.0.0"`},
		{name: "version 1.0", at: "/version", value: `"1.0"`},
		{name: "version 1.0.9", at: "/version", value: `"1.0.9"`},
		{name: "version 2.0.0 in a 2.0 request", at: "/version", value: `"2.0.0"`, version: V2},
		{name: "version 2.0 in a 2.0 request", at: "/version", value: `"2.0"`, version: V2},
		{name: "version 1.0.3 in a 2.0 request", at: "/version", value: `"1.0.3"`, version: V2},
		{name: "id in upper case", at: "/id", value: `"16FD2706-8BAF-433B-82EB-8C7FADA847DA"`},
		{name: "id of version 7", at: "/id", value: `"019a5c7e-0000-7000-8000-000000000000"`},
		{name: "empty name", at: "/actor/name", value: `""`},
		{name: "activity id that is no hostname", at: "/object/id", value: `"http://Course_ID2"`},
		{name: "activity id of Storyline", at: "/object/id", value: `"http://68pf.._course_id"`},
		{name: "activity id of a MOOC", at: "/object/id", value: `"course-v1:FUN-MOOC+00002+session01"`},
		{name: "activity id with umlauts", at: "/object/id", value: `"http://example.com/übung/فعل"`},
		{name: "interaction with another type", at: "/object/definition/type", value: `"http://example.com/question"`},
		{name: "list of another interaction", at: "/object/definition/scale", value: `[]`},
		{name: "no correct answer", at: "/object/definition/correctResponsesPattern", value: `[]`},
		{name: "empty definition", at: "/object/definition", value: `{}`},
		{name: "scaled with an exponent", at: "/result/score/scaled", value: `1e-1`},
		{name: "raw beyond any float", at: "/result/score", value: `{"raw":1e999}`},
		{name: "zero length", at: "/attachments/0/length", value: `0`},
		{name: "SHA-384", at: "/attachments/0/sha2", value: `"` + strings.Repeat("a", 96) + `"`},
		{name: "SHA-512", at: "/attachments/0/sha2", value: `"` + strings.Repeat("F", 128) + `"`},
		{name: "two of the same in an extension, in other cases", at: "/result/extensions/x:a", value: `{"A":1,"a":2}`},
		{name: "null in an extension", at: "/result/extensions/x:a", value: `[null]`},
		{name: "timestamp far in the future", at: "/timestamp", value: `"9999-12-31T23:59:59Z"`},
		{name: "timestamp without zone", at: "/timestamp", value: `"2026-05-01T12:00:00"`},
		{name: "object an agent", at: "/object", value: `{"mbox":"mailto:a@example.com","objectType":"Agent"}`},
		{name: "object an anonymous group", at: "/object", value: `{"member":[{"mbox":"mailto:a@example.com"}],"objectType":"Group"}`},
		{name: "object a reference", at: "/object", value: anyRef},
		{name: "object a substatement", at: "/object", value: subStatement},
		{name: "object a substatement with a reference", at: "/object", value: replaced(t, subStatement, "/object", anyRef)},
		{name: "instructor a group", at: "/context/instructor", value: `{"objectType":"Group","mbox":"mailto:g@example.com"}`},
		{name: "authority of OAuth", at: "/authority", value: `{"objectType":"Group","member":[{"account":{"homePage":"http://example.com/token","name":"k"}},{"mbox":"mailto:b@example.com"}]}`},
		{name: "contextAgents", at: "/context/contextAgents", value: contextAgents, version: V2},
		{name: "contextGroups", at: "/context/contextGroups", value: contextGroups, version: V2},
		{name: "contextAgents without types", at: "/context/contextAgents", value: `[{"objectType":"contextAgent","agent":{"mbox":"mailto:a@example.com"}}]`, version: V2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			version := test.version
			if version == "" {
				version = V1
			}
			mustDecode(t, replaced(t, withoutRevision, test.at, test.value), version)
		})
	}
	t.Run("full, in both versions", func(t *testing.T) {
		mustDecode(t, fullStatement, V1)
		mustDecode(t, fullStatement, V2)
	})
	t.Run("voiding", func(t *testing.T) {
		body := replaced(t, withoutRevision, "/object", anyRef)
		s := mustDecode(t, replaced(t, body, "/verb/id", `"`+VoidedVerb+`"`), V1)
		if target, ok := s.Voids(); !ok || `"`+target+`"` != anyUUID {
			t.Errorf("voids %q, %v", target, ok)
		}
	})
}

func TestRevisionAndPlatformNeedAnActivity(t *testing.T) {
	for _, property := range []string{"revision", "platform"} {
		for name, object := range map[string]string{
			"agent": `{"objectType":"Agent","mbox":"mailto:a@example.com"}`, "reference": anyRef, "substatement": subStatement,
		} {
			t.Run(property+" with "+name, func(t *testing.T) {
				body := `{"context":{"` + property + `":"x"},"actor":{"mbox":"mailto:a@example.com"},"verb":{"id":"x:y"},"object":` + object + `}`
				_, err := DecodeStatement([]byte(body), V1, DefaultLimits)
				var fault *Error
				if !errors.As(err, &fault) || fault.Path != "/context/"+property {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

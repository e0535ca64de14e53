package xapi

import (
	"errors"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/requirements"
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
		value   string  // "" removes
		path    string  // of the error; at when ""
		version Version // both when ""
		meets   string
	}{
		{name: "actor missing", at: "/actor", path: "/", meets: "D2.2-2 L4.2.2-1 L4.2.1-5"},
		{name: "verb missing", at: "/verb", path: "/", meets: "D2.2-3 L4.2.2-2 L4.2.1-5"},
		{name: "object missing", at: "/object", path: "/", meets: "D2.2-4 L4.2.2-3 L4.2.1-5"},
		{name: "unknown property", at: "/foo", value: `1`, meets: "D2.2-11 L4.2.1-2 L4.2.1-11"},
		{name: "wrong case", at: "/Actor", value: `{"mbox":"mailto:a@example.com"}`, meets: "D2.2-9 L4.2.1-9"},
		{name: "null", at: "/result", value: `null`, meets: "D2.2-6 L4.2.1-6"},
		{name: "null id", at: "/id", value: `null`, meets: "D2.2-6 L4.2.1-6"},
		{name: "null deep inside", at: "/context/contextActivities/parent/id", value: `null`, meets: "D2.2-6 L4.2.1-6"},
		{name: "null in a language map", at: "/verb/display/en-US", value: `null`, meets: "D2.2-6 D4.2-1 L4.2.1-6"},
		{name: "statement is an array member", at: "/result", value: `[]`, meets: "D2.2-7 D2.4-5 L4.2.1-1 L4.2.2-5"},

		{name: "id no string", at: "/id", value: `5`, meets: "D2.4.1-1 D2.2-7 L4.2.2-4 L4.2.1-1"},
		{name: "id with urn", at: "/id", value: `"urn:uuid:16fd2706-8baf-433b-82eb-8c7fada847da"`, meets: "D2.4.1-1 D4.4-1 L4.2.2-4 L4.2.7-6"},
		{name: "id with braces", at: "/id", value: `"{16fd2706-8baf-433b-82eb-8c7fada847da}"`, meets: "D2.4.1-1 D4.4-1 L4.2.2-4 L4.2.7-6"},
		{name: "id without dashes", at: "/id", value: `"16fd27068baf433b82eb8c7fada847da"`, meets: "D2.4.1-1 D4.4-1 L4.2.2-4 L4.2.7-6"},
		{name: "id with a wrong letter", at: "/id", value: `"16fd2706-8baf-433b-82eb-8c7fada847dg"`, meets: "D2.4.1-1 D4.4-1 L4.2.2-4 L4.2.7-6"},
		{name: "id empty", at: "/id", value: `""`, meets: "D2.4.1-1 D2.2-8 L4.2.2-4 L4.2.1-8"},

		{name: "version 0.9.9", at: "/version", value: `"0.9.9"`, meets: "D2.4.10-3"},
		{name: "version 1.1.0", at: "/version", value: `"1.1.0"`, meets: "D2.4.10-3"},
		{name: "version 1.0.", at: "/version", value: `"1.0."`, meets: "D2.4.10-1 L4.2.2-10"},
		{name: "version 2.0.0 in a 1.0.3 request", at: "/version", value: `"2.0.0"`, version: V1, meets: "D2.4.10-3"},
		{name: "version 2.1.0", at: "/version", value: `"2.1.0"`, version: V2, meets: "L4.2.2-10"},
		{name: "version a number", at: "/version", value: `1.0`, meets: "D2.4.10-1 D2.2-7 L4.2.2-10"},

		{name: "verb a string", at: "/verb", value: `"http://example.com/v"`, meets: "D2.4-5 L4.2.2-2"},
		{name: "verb without id", at: "/verb/id", path: "/verb", meets: "D2.4.3-1 L4.2.2.2-1 L4.2.1-5"},
		{name: "verb id without scheme", at: "/verb/id", value: `"answered"`, meets: "D2.4.3-1 D2.2-12 L4.2.2.2-1 L4.2.1-12"},
		{name: "verb id empty", at: "/verb/id", value: `""`, meets: "D2.4.3-1 D2.2-8 L4.2.2.2-1 L4.2.1-8"},
		{name: "verb id with a space", at: "/verb/id", value: `"http://example.com/a b"`, meets: "D2.4.3-1 D2.2-8 L4.2.2.2-1 L4.2.1-3"},
		{name: "verb with a name", at: "/verb/name", value: `"x"`, meets: "D2.2-11 L4.2.1-2"},
		{name: "display no object", at: "/verb/display", value: `"x"`, meets: "D2.4.3-2 L4.2.2.2-2"},
		{name: "display with an underscore", at: "/verb/display/en_US", value: `"x"`, meets: "D2.4.3-2 D2.2-13 D4.2-1 L4.2.2.2-2 L4.2.7-4"},
		{name: "display with an empty tag", at: "/verb/display/", value: `"x"`, meets: "D2.4.3-2 D2.2-8 D4.2-1 L4.2.2.2-2 L4.2.7-4"},
		{name: "display of numbers", at: "/verb/display/en-US", value: `1`, meets: "D2.4.3-2 D4.2-1 L4.2.2.2-2"},
		{name: "voiding without a reference", at: "/verb/id", value: `"` + VoidedVerb + `"`, path: "/object", meets: "D2.3.2-1 L4.2.5-1"},

		{name: "objectType unknown", at: "/object/objectType", value: `"activity"`, meets: "D2.4.4-1 D2.4.4.1-1 D2.2-10 L4.2.2.3-2 L4.2.1-10"},
		{name: "objectType of an actor in lower case", at: "/actor/objectType", value: `"agent"`, meets: "D2.4.2-1 D2.4.2.1-3 D2.2-10 L4.2.2.1-1 L4.2.1-10"},
		{name: "objectType Person", at: "/actor/objectType", value: `"Person"`, meets: "D2.4.2-1 D2.4.2.1-3 D2.2-11 L4.2.2.1-1 L4.2.1-11"},
		{name: "activity without id", at: "/object/id", path: "/object", meets: "D2.4.4.1-2 L4.2.2.3-3 L4.2.1-5"},
		{name: "activity id relative", at: "/object/id", value: `"quiz/1"`, meets: "D2.4.4.1-2 D2.2-12 L4.2.2.3-3 L4.2.1-12"},
		{name: "activity with a name", at: "/object/name", value: `"x"`, meets: "D2.2-11 L4.2.1-2"},
		{name: "activity with an actor", at: "/object/actor", value: `{"mbox":"mailto:a@example.com"}`, meets: "D2.2-11 L4.2.1-2"},
		{name: "agent as object without objectType", at: "/object", value: `{"mbox":"mailto:a@example.com"}`, path: "/object/mbox", meets: "D2.4.4.2-1 D2.4.4-1 L4.2.2.3-15 L4.2.2.1-1 L4.2.2.3-1"},
		{name: "agent as object with an id", at: "/object", value: `{"objectType":"Agent","mbox":"mailto:a@example.com","id":"http://example.com"}`, path: "/object/id", meets: "D2.2-11 L4.2.1-2"},
		{name: "agent as object with nothing", at: "/object", value: `{"objectType":"Agent"}`, meets: "D2.4.2.1-1 L4.2.2.1-3"},
		{name: "group as object with nothing", at: "/object", value: `{"objectType":"Group","name":"x"}`, meets: "D2.4.2.2-2 L4.2.2.1-10"},
		{name: "reference without id", at: "/object", value: `{"objectType":"StatementRef"}`, meets: "D2.4.4.3-2 L4.2.2.3-17"},
		{name: "reference to an IRI", at: "/object", value: `{"objectType":"StatementRef","id":"http://example.com"}`, path: "/object/id", meets: "D2.4.4.3-2 L4.2.2.3-17"},
		{name: "reference with a definition", at: "/object", value: `{"objectType":"StatementRef","id":` + anyUUID + `,"definition":{}}`, path: "/object/definition", meets: "D2.2-11 L4.2.1-2"},
		{name: "substatement with nothing", at: "/object", value: `{"objectType":"SubStatement"}`, meets: "D2.4.4.3-4 L4.2.2.3-19"},
		{name: "substatement without objectType", base: withSub, at: "/object/objectType", path: "/object/*", meets: "D2.4.4.3-3 D2.4.4-1 L4.2.2.3-18"},
		{name: "substatement with id", base: withSub, at: "/object/id", value: anyUUID, meets: "D2.4.4.3-5 L4.2.2.3-20"},
		{name: "substatement with stored", base: withSub, at: "/object/stored", value: `"2026-01-01T00:00:00Z"`, meets: "D2.4.4.3-6 L4.2.2.3-20"},
		{name: "substatement with version", base: withSub, at: "/object/version", value: `"1.0.0"`, meets: "D2.4.4.3-7 L4.2.2.3-20"},
		{name: "substatement with authority", base: withSub, at: "/object/authority", value: `{"mbox":"mailto:a@example.com"}`, meets: "D2.4.4.3-8 L4.2.2.3-20"},
		{name: "substatement in a substatement", base: withSub, at: "/object/object", value: subStatement, path: "/object/object/*", meets: "D2.4.4.3-9 L4.2.4.2-7"},
		{name: "substatement in a substatement, by type alone", base: withSub, at: "/object/object", value: `{"objectType":"SubStatement"}`, meets: "D2.4.4.3-9 L4.2.4.2-7"},
		{name: "substatement without verb", base: withSub, at: "/object/verb", path: "/object", meets: "D2.4.4.3-4 L4.2.2.3-19"},
		{name: "substatement voiding an activity", base: withSub, at: "/object/verb/id", value: `"` + VoidedVerb + `"`, path: "/object/object", meets: "D2.4.4.3-4"},

		{name: "definition no object", at: "/object/definition", value: `[]`, meets: "D2.4.4.1-3 L4.2.2.3-4"},
		{name: "definition unknown property", at: "/object/definition/Name", value: `{}`, meets: "D2.4.4.1-3 D2.2-9 L4.2.2.3-4 L4.2.1-9"},
		{name: "definition type relative", at: "/object/definition/type", value: `"course"`, meets: "D2.4.4.1-6 D2.2-12 L4.2.2.3-7"},
		{name: "moreInfo empty", at: "/object/definition/moreInfo", value: `""`, meets: "D2.4.4.1-7 D2.2-8 L4.2.2.3-8"},
		{name: "interactionType unknown", at: "/object/definition/interactionType", value: `"Choice"`, meets: "D2.4.4.1-11 D2.2-10 L4.2.2.3-10 L4.2.4.2-6"},
		{name: "interactionType missing", at: "/object/definition/interactionType", path: "/object/definition", meets: "D2.4.4.1-21 L4.2.2.3-10 L4.2.4.2-6"},
		{name: "pattern a string", at: "/object/definition/correctResponsesPattern", value: `"a"`, meets: "D2.4.4.1-12 L4.2.2.3-11"},
		{name: "pattern of numbers", at: "/object/definition/correctResponsesPattern", value: `[1]`, path: "/object/definition/correctResponsesPattern/0", meets: "D2.4.4.1-12 L4.2.2.3-11"},
		{name: "choices no array", at: "/object/definition/choices", value: `{}`, meets: "D2.4.4.1-13 L4.2.2.3-12"},
		{name: "choice without id", at: "/object/definition/choices/0/id", path: "/object/definition/choices/0", meets: "D2.4.4.1-18 L4.2.2.3-13"},
		{name: "choice id twice", at: "/object/definition/choices/1/id", value: `"a"`, meets: "D2.4.4.1-19"},
		{name: "choice unknown property", at: "/object/definition/choices/1/name", value: `"a"`, meets: "D2.4.4.1-18 L4.2.1-2"},
		{name: "steps without interactionType", at: "/object/definition", value: `{"steps":[]}`, meets: "D2.4.4.1-21 L4.2.4.2-6"},
		{name: "extension key no IRI", at: "/object/definition/extensions/a", value: `1`, meets: "D4.1-1 L4.2.7-2"},
		{name: "extensions an array", at: "/result/extensions", value: `[]`, meets: "D2.4.5-6 L4.2.2.4-6"},
		{name: "extension key empty", at: "/context/extensions/", value: `1`, meets: "D4.1-1 L4.2.7-2"},

		{name: "score a number", at: "/result/score", value: `1`, meets: "D2.4.5-1 L4.2.2.4-1"},
		{name: "scaled a string", at: "/result/score/scaled", value: `"0.5"`, meets: "D2.4.5.1-1 D2.2-7 L4.2.2.4-7 L4.2.1-7"},
		{name: "scaled above 1", at: "/result/score/scaled", value: `1.01`, meets: "D2.4.5.1-1 L4.2.2.4-7"},
		{name: "scaled below -1", at: "/result/score/scaled", value: `-1.01`, meets: "D2.4.5.1-1 L4.2.2.4-7"},
		{name: "raw above max", at: "/result/score/raw", value: `11`, meets: "D2.4.5.1-2 L4.2.2.4-8"},
		{name: "raw below min", at: "/result/score/raw", value: `-1`, meets: "D2.4.5.1-2 L4.2.2.4-8"},
		{name: "min above max", at: "/result/score/min", value: `20`, meets: "D2.4.5.1-3 D2.4.5.1-4 L4.2.2.4-9 L4.2.2.4-10"},
		{name: "min equal to max", at: "/result/score/min", value: `10`, meets: "D2.4.5.1-3 D2.4.5.1-4 L4.2.2.4-9 L4.2.2.4-10"},
		{name: "score unknown property", at: "/result/score/foo", value: `1`, meets: "D2.4.5-1 L4.2.1-2"},
		{name: "success a string", at: "/result/success", value: `"true"`, meets: "D2.4.5-2 D2.2-7 L4.2.2.4-2 L4.2.1-7"},
		{name: "completion a number", at: "/result/completion", value: `1`, meets: "D2.4.5-3 L4.2.2.4-3"},
		{name: "response an object", at: "/result/response", value: `{}`, meets: "D2.4.5-4 L4.2.2.4-4"},
		{name: "duration in words", at: "/result/duration", value: `"one hour"`, meets: "D2.4.5-5 L4.2.2.4-5"},
		{name: "duration empty", at: "/result/duration", value: `""`, meets: "D2.4.5-5 D2.2-8 L4.2.2.4-5 L4.2.1-8"},
		{name: "result unknown property", at: "/result/foo", value: `1`, meets: "D2.2-11 L4.2.1-2"},

		{name: "registration no UUID", at: "/context/registration", value: `"x"`, meets: "D2.4.6-3 L4.2.2.5-1"},
		{name: "team an agent", at: "/context/team", value: `{"mbox":"mailto:a@example.com"}`, meets: "D2.4.6-5 L4.2.2.5-3"},
		{name: "contextActivities unknown key", at: "/context/contextActivities/parents", value: `[]`, meets: "D2.4.6.2-1 L4.2.2.5-4"},
		{name: "contextActivities an array", at: "/context/contextActivities", value: `[]`, meets: "D2.4.6-6 L4.2.2.5-4"},
		{name: "parent a string", at: "/context/contextActivities/parent", value: `"http://example.com"`, meets: "D2.4.6.2-2 L4.2.2.5-5"},
		{name: "parent of strings", at: "/context/contextActivities/parent", value: `["http://example.com"]`, path: "/context/contextActivities/parent/0", meets: "D2.4.6.2-2 L4.2.2.5-5"},
		{name: "parent an agent", at: "/context/contextActivities/parent/objectType", value: `"Agent"`, meets: "D2.4.6.2-2 L4.2.2.5-5"},
		{name: "parent without id", at: "/context/contextActivities/parent", value: `{}`, meets: "D2.4.6.2-2 L4.2.2.5-5"},
		{name: "revision a number", at: "/context/revision", value: `1`, meets: "D2.4.6-7 L4.2.2.5-8"},
		{name: "platform a number", at: "/context/platform", value: `1`, meets: "D2.4.6-8 L4.2.2.5-9"},
		{name: "language with an underscore", at: "/context/language", value: `"en_US"`, meets: "D2.4.6-9 L4.2.2.5-10"},
		{name: "context.statement without objectType", at: "/context/statement", value: `{"id":` + anyUUID + `}`, meets: "D2.4.6-10 D2.4.4.3-1 L4.2.2.5-11 L4.2.2.3-16"},
		{name: "context.statement without id", at: "/context/statement", value: `{"objectType":"StatementRef"}`, meets: "D2.4.6-10 L4.2.2.5-11"},
		{name: "context.statement unknown property", at: "/context/statement/name", value: `"x"`, meets: "D2.2-11 L4.2.1-2"},
		{name: "context.statement a SubStatement", at: "/context/statement/objectType", value: `"SubStatement"`, meets: "D2.4.6-10 L4.2.2.5-11"},
		{name: "contextAgents under 1.0.3", at: "/context/contextAgents", value: contextAgents, version: V1, meets: "D2.2-11"},
		{name: "contextGroups under 1.0.3", at: "/context/contextGroups", value: contextGroups, version: V1, meets: "D2.2-11"},
		{name: "contextAgent of another objectType", at: "/context/contextAgents", value: `[{"objectType":"contextagent","agent":{"mbox":"mailto:a@example.com"}}]`, path: "/context/contextAgents/0/objectType", version: V2, meets: "L4.2.2.5-13"},
		{name: "contextAgent without objectType", at: "/context/contextAgents", value: `[{"agent":{"mbox":"mailto:a@example.com"}}]`, path: "/context/contextAgents/0", version: V2, meets: "L4.2.2.5-13"},
		{name: "contextAgent without agent", at: "/context/contextAgents", value: `[{"objectType":"contextAgent"}]`, path: "/context/contextAgents/0", version: V2, meets: "L4.2.2.5-14"},
		{name: "contextAgent with a group", at: "/context/contextAgents", value: `[{"objectType":"contextAgent","agent":{"objectType":"Group","mbox":"mailto:a@example.com"}}]`, path: "/context/contextAgents/0/agent", version: V2, meets: "L4.2.2.5-14"},
		{name: "contextAgents an object", at: "/context/contextAgents", value: `{}`, version: V2, meets: "L4.2.2.5-6"},
		{name: "contextAgent with no types", at: "/context/contextAgents", value: `[{"objectType":"contextAgent","agent":{"mbox":"mailto:a@example.com"},"relevantTypes":[]}]`, path: "/context/contextAgents/0/relevantTypes", version: V2, meets: "L4.2.2.5-15"},
		{name: "contextAgent with a type that is no IRI", at: "/context/contextAgents", value: `[{"objectType":"contextAgent","agent":{"mbox":"mailto:a@example.com"},"relevantTypes":["x"]}]`, path: "/context/contextAgents/0/relevantTypes/0", version: V2, meets: "L4.2.2.5-15"},
		{name: "contextGroup with an agent", at: "/context/contextGroups", value: `[{"objectType":"contextGroup","group":{"mbox":"mailto:a@example.com"}}]`, path: "/context/contextGroups/0/group", version: V2, meets: "L4.2.2.5-18"},
		{name: "contextGroup with the agent property", at: "/context/contextGroups", value: `[{"objectType":"contextGroup","agent":{"mbox":"mailto:a@example.com"}}]`, path: "/context/contextGroups/0/agent", version: V2, meets: "L4.2.2.5-18"},

		{name: "timestamp in words", at: "/timestamp", value: `"yesterday"`, meets: "D2.4-1 D4.5-1 L4.2.2-7"},
		{name: "timestamp a date", at: "/timestamp", value: `"2026-05-01"`, meets: "D2.4-1 D4.5-1 L4.2.2-7"},
		{name: "timestamp a number", at: "/timestamp", value: `1746086400`, meets: "D2.4-1 L4.2.2-7"},
		{name: "stored in words", at: "/stored", value: `"now"`, meets: "D2.4-2 L4.2.2-8"},
		{name: "authority without identifier", at: "/authority", value: `{"objectType":"Agent"}`, meets: "D2.4-3 L4.2.2-9"},
		{name: "authority a group of one", at: "/authority", value: `{"objectType":"Group","member":[{"mbox":"mailto:a@example.com"}]}`, meets: "D2.4.9-1"},
		{name: "authority a group of three", at: "/authority", value: `{"objectType":"Group","member":[{"mbox":"mailto:a@example.com"},{"mbox":"mailto:b@example.com"},{"mbox":"mailto:c@example.com"}]}`, meets: "D2.4.9-1"},
		{name: "authority an identified group", at: "/authority", value: `{"objectType":"Group","mbox":"mailto:g@example.com","member":[{"mbox":"mailto:a@example.com"},{"mbox":"mailto:b@example.com"}]}`, meets: "D2.4.9-1"},

		{name: "attachments an object", at: "/attachments", value: `{}`, meets: "D2.4-4 L4.2.2-11"},
		{name: "attachment without usageType", at: "/attachments/0/usageType", path: "/attachments/0", meets: "D2.4.11-1 L4.2.2.6-1"},
		{name: "attachment without display", at: "/attachments/0/display", path: "/attachments/0", meets: "D2.4.11-2 L4.2.2.6-2"},
		{name: "attachment without contentType", at: "/attachments/0/contentType", path: "/attachments/0", meets: "D2.4.11-4 L4.2.2.6-4"},
		{name: "attachment without length", at: "/attachments/0/length", path: "/attachments/0", meets: "D2.4.11-5 L4.2.2.6-5"},
		{name: "attachment without sha2", at: "/attachments/0/sha2", path: "/attachments/0", meets: "D2.4.11-6 L4.2.2.6-6"},
		{name: "attachment length a string", at: "/attachments/0/length", value: `"27"`, meets: "D2.4.11-5 L4.2.2.6-5 L4.2.1-7"},
		{name: "attachment length negative", at: "/attachments/0/length", value: `-1`, meets: "D2.4.11-5 L4.2.2.6-5"},
		{name: "attachment length a fraction", at: "/attachments/0/length", value: `27.5`, meets: "D2.4.11-5 L4.2.2.6-5"},
		{name: "attachment sha2 too short", at: "/attachments/0/sha2", value: `"495395e777cd98da"`, meets: "D2.4.11-6 L4.2.2.6-6"},
		{name: "attachment sha2 no hex", at: "/attachments/0/sha2", value: `"` + strings.Repeat("g", 64) + `"`, meets: "D2.4.11-6 L4.2.2.6-6"},
		{name: "attachment contentType without subtype", at: "/attachments/0/contentType", value: `"text"`, meets: "D2.4.11-4 L4.2.2.6-4"},
		{name: "attachment contentType with a line break", at: "/attachments/0/contentType", value: `"text/plain\r\nX: y"`, meets: "D2.4.11-4 L4.2.2.6-4"},
		{name: "attachment fileUrl relative", at: "/attachments/0/fileUrl", value: `"essay.txt"`, meets: "D2.4.11-7 L4.2.2.6-7"},
		{name: "attachment unknown property", at: "/attachments/0/fileURL", value: `"http://example.com"`, meets: "D2.2-9 L4.2.1-9"},
		{name: "signature of another contentType", at: "/attachments/0/usageType", value: `"` + SignatureUsage + `"`, path: "/attachments/0/contentType", meets: "D2.6-1 L4.2.6-1"},
		{name: "verb an array", at: "/verb", value: `[]`, meets: "D2.4-5 L4.2.2-2"},
		{name: "actor a string", at: "/actor", value: `"mailto:a@example.com"`, meets: "D2.4-5 L4.2.2-1"},
		{name: "object a string", at: "/object", value: `"http://example.com/o"`, meets: "D2.4-5 L4.2.2-3"},
		{name: "context a string", at: "/context", value: `"x"`, meets: "D2.4-5 L4.2.2-6"},
		{name: "voiding a reference without id", at: "/object", value: `{"objectType":"StatementRef"}`, base: strings.Replace(fullStatement, "http://adlnet.gov/expapi/verbs/answered", VoidedVerb, 1), meets: "D2.3.2-2 L4.2.5-2"},
		{name: "objectType a number", at: "/object/objectType", value: `1`, meets: "D2.4.4-1 L4.2.1-1"},
		{name: "objectType that there is not", at: "/object/objectType", value: `"Verb"`, meets: "D2.4.4-1 D2.2-11 L4.2.1-11"},
		{name: "reference with another objectType", at: "/object", value: `{"objectType":"statementRef","id":` + anyUUID + `}`, path: "/object/objectType", meets: "D2.4.4.3-1 L4.2.2.3-16 L4.2.1-10"},
		{name: "definition name a string", at: "/object/definition/name", value: `"Quiz"`, meets: "D2.4.4.1-4 L4.2.2.3-5"},
		{name: "definition name in no language", at: "/object/definition/name/1", value: `"Quiz"`, meets: "D2.4.4.1-4 L4.2.2.3-5 L4.2.7-4"},
		{name: "definition description an array", at: "/object/definition/description", value: `["x"]`, meets: "D2.4.4.1-5 L4.2.2.3-6"},
		{name: "definition description of numbers", at: "/object/definition/description/en", value: `5`, meets: "D2.4.4.1-5 L4.2.2.3-6"},
		{name: "definition type a number", at: "/object/definition/type", value: `1`, meets: "D2.4.4.1-6 L4.2.2.3-7"},
		{name: "moreInfo relative", at: "/object/definition/moreInfo", value: `"more"`, meets: "D2.4.4.1-7 D2.2-12 L4.2.2.3-8 L4.2.1-12"},
		{name: "definition extensions a string", at: "/object/definition/extensions", value: `"x"`, meets: "D2.4.4.1-8 L4.2.2.3-9"},
		{name: "interactionType a boolean", at: "/object/definition/interactionType", value: `true`, meets: "D2.4.4.1-11 L4.2.2.3-10"},
		{name: "choice a string", at: "/object/definition/choices/0", value: `"a"`, meets: "D2.4.4.1-13 D2.4.4.1-18 L4.2.2.3-12"},
		{name: "choice id a number", at: "/object/definition/choices/0/id", value: `1`, meets: "D2.4.4.1-18 L4.2.2.3-13"},
		{name: "choice description a string", at: "/object/definition/choices/0/description", value: `"apple"`, meets: "D2.4.4.1-20 L4.2.2.3-14"},
		{name: "scale no array", at: "/object/definition/scale", value: `{}`, meets: "D2.4.4.1-14 L4.2.2.3-12"},
		{name: "scale of numbers", at: "/object/definition/scale", value: `[1]`, path: "/object/definition/scale/0", meets: "D2.4.4.1-14 L4.2.2.3-12"},
		{name: "scale id twice", at: "/object/definition/scale", value: `[{"id":"a"},{"id":"a"}]`, path: "/object/definition/scale/1/id", meets: "D2.4.4.1-19"},
		{name: "source no array", at: "/object/definition/source", value: `"a"`, meets: "D2.4.4.1-15 L4.2.2.3-12"},
		{name: "source without id", at: "/object/definition/source", value: `[{}]`, path: "/object/definition/source/0", meets: "D2.4.4.1-15 D2.4.4.1-18 L4.2.2.3-12 L4.2.2.3-13"},
		{name: "target no array", at: "/object/definition/target", value: `1`, meets: "D2.4.4.1-16 L4.2.2.3-12"},
		{name: "target description a list", at: "/object/definition/target", value: `[{"id":"a","description":[]}]`, path: "/object/definition/target/0/description", meets: "D2.4.4.1-16 D2.4.4.1-20 L4.2.2.3-12 L4.2.2.3-14"},
		{name: "steps no array", at: "/object/definition/steps", value: `{"id":"a"}`, meets: "D2.4.4.1-17 L4.2.2.3-12"},
		{name: "steps in an array", at: "/object/definition/steps", value: `[[]]`, path: "/object/definition/steps/0", meets: "D2.4.4.1-17 L4.2.2.3-12"},
		{name: "raw a string", at: "/result/score/raw", value: `"5"`, meets: "D2.4.5.1-2 D2.2-7 L4.2.2.4-8 L4.2.1-7"},
		{name: "min a boolean", at: "/result/score/min", value: `false`, meets: "D2.4.5.1-3 L4.2.2.4-9"},
		{name: "max a string", at: "/result/score/max", value: `"10"`, meets: "D2.4.5.1-4 L4.2.2.4-10 L4.2.1-7"},
		{name: "completion a string", at: "/result/completion", value: `"false"`, meets: "D2.4.5-3 D2.2-7 L4.2.2.4-3 L4.2.1-7"},
		{name: "duration a number", at: "/result/duration", value: `60`, meets: "D2.4.5-5 L4.2.2.4-5"},
		{name: "instructor a string", at: "/context/instructor", value: `"Teacher"`, meets: "D2.4.6-4 L4.2.2.5-2"},
		{name: "instructor without identifier", at: "/context/instructor", value: `{"name":"Teacher"}`, meets: "D2.4.6-4 L4.2.2.5-2"},
		{name: "team a string", at: "/context/team", value: `"Team"`, meets: "D2.4.6-5 L4.2.2.5-3"},
		{name: "language a number", at: "/context/language", value: `1`, meets: "D2.4.6-9 L4.2.2.5-10"},
		{name: "context.statement a string", at: "/context/statement", value: anyUUID, meets: "D2.4.6-10 L4.2.2.5-11"},
		{name: "context extensions a string", at: "/context/extensions", value: `"x"`, meets: "D2.4.6-11 L4.2.2.5-12"},
		{name: "contextGroup of another objectType", at: "/context/contextGroups", value: `[{"objectType":"contextAgent","group":{"objectType":"Group","mbox":"mailto:a@example.com"}}]`, path: "/context/contextGroups/0/objectType", version: V2, meets: "L4.2.2.5-17"},
		{name: "contextGroup without objectType", at: "/context/contextGroups", value: `[{"group":{"objectType":"Group","mbox":"mailto:a@example.com"}}]`, path: "/context/contextGroups/0", version: V2, meets: "L4.2.2.5-17"},
		{name: "contextGroup without group", at: "/context/contextGroups", value: `[{"objectType":"contextGroup"}]`, path: "/context/contextGroups/0", version: V2, meets: "L4.2.2.5-18"},
		{name: "contextGroups an object", at: "/context/contextGroups", value: `{}`, version: V2, meets: "L4.2.2.5-7"},
		{name: "stored a number", at: "/stored", value: `1`, meets: "D2.4-2 L4.2.2-8"},
		{name: "authority a string", at: "/authority", value: `"me"`, meets: "D2.4-3 L4.2.2-9"},
		{name: "attachments of strings", at: "/attachments/0", value: `"essay"`, meets: "D2.4-4 L4.2.2-11"},
		{name: "attachment usageType no IRI", at: "/attachments/0/usageType", value: `"usage"`, meets: "D2.4.11-1 L4.2.2.6-1"},
		{name: "attachment display a string", at: "/attachments/0/display", value: `"Essay"`, meets: "D2.4.11-2 L4.2.2.6-2"},
		{name: "attachment description a string", at: "/attachments/0/description", value: `"An essay"`, meets: "D2.4.11-3 L4.2.2.6-3"},
		{name: "attachment description in no language", at: "/attachments/0/description/en_US", value: `"x"`, meets: "D2.4.11-3 L4.2.2.6-3"},
		{name: "attachment sha2 a number", at: "/attachments/0/sha2", value: `1`, meets: "D2.4.11-6 L4.2.2.6-6"},
		{name: "attachment fileUrl a number", at: "/attachments/0/fileUrl", value: `1`, meets: "D2.4.11-7 L4.2.2.6-7"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			base, path := test.base, test.path
			if base == "" {
				base = fullStatement
			}
			if path == "" {
				path = test.at
			}
			body := replaced(t, base, test.at, test.value)
			for _, version := range versionsOf(test.version) {
				refusedAt(t, body, version, path)
				meets(t, version, test.meets)
			}
		})
	}
}

// versionsOf is both versions for "".
func versionsOf(v Version) []Version {
	if v == "" {
		return []Version{V1, V2}
	}
	return []Version{v}
}

// meets says which requirements of a version the test has asserted.
func meets(t *testing.T, v Version, ids string) {
	requirements.Met(t, requirements.Of(string(v), ids)...)
}

// refusedAt requires an error at a place: a JSON pointer, "/" for the statement, or the beginning of one before "*".
func refusedAt(t *testing.T, body string, v Version, path string) {
	t.Helper()
	s, err := DecodeStatement([]byte(body), v, DefaultLimits)
	var fault *Error
	if !errors.As(err, &fault) {
		t.Fatalf("%s: got %v, %v; want an Error\n%s", v, s, err, body)
	}
	if fault.Statement != 0 || fault.Rule == "" || fault.Section == "" || fault.TooLarge {
		t.Errorf("%s: incomplete error: %+v", v, fault)
	}
	prefix, anywhere := strings.CutSuffix(path, "*")
	if path == "/" {
		path = ""
	}
	if fault.Path != path && !(anywhere && strings.HasPrefix(fault.Path, prefix)) {
		t.Errorf("%s: error at %q, want %q: %v", v, fault.Path, path, fault)
	}
}

// TestValid changes one place of a valid statement to something unusual but allowed.
func TestValid(t *testing.T) {
	withoutRevision := replaced(t, replaced(t, fullStatement, "/context/revision", ""), "/context/platform", "")
	tests := []struct {
		name    string
		at      string
		value   string
		version Version // both when ""
		meets   string
	}{
		{name: "nothing changed", at: "/version", value: `"1.0.0"`, meets: "D2.4.10-2"},
		{name: "version 1.0", at: "/version", value: `"1.0"`, meets: "D2.4.10-2"},
		{name: "version 1.0.9", at: "/version", value: `"1.0.9"`, meets: "D2.4.10-2"},
		{name: "version 2.0.0 in a 2.0 request", at: "/version", value: `"2.0.0"`, version: V2, meets: "L4.2.2-10"},
		{name: "version 2.0 in a 2.0 request", at: "/version", value: `"2.0"`, version: V2, meets: "L4.2.2-10"},
		{name: "version 1.0.3 in a 2.0 request", at: "/version", value: `"1.0.3"`, version: V2},
		{name: "id in upper case", at: "/id", value: `"16FD2706-8BAF-433B-82EB-8C7FADA847DA"`, meets: "D2.4.1-1 L4.2.2-4"},
		{name: "id of version 7", at: "/id", value: `"019a5c7e-0000-7000-8000-000000000000"`, meets: "D2.4.1-1 L4.2.2-4"},
		{name: "empty name", at: "/actor/name", value: `""`},
		{name: "activity id that is no hostname", at: "/object/id", value: `"http://Course_ID2"`},
		{name: "activity id of Storyline", at: "/object/id", value: `"http://68pf.._course_id"`},
		{name: "activity id of a MOOC", at: "/object/id", value: `"course-v1:FUN-MOOC+00002+session01"`},
		{name: "activity id with umlauts", at: "/object/id", value: `"http://example.com/übung/فعل"`, meets: "D2.4.4.1-2 L4.2.2.3-3"},
		{name: "interaction with another type", at: "/object/definition/type", value: `"http://example.com/question"`},
		{name: "list of another interaction", at: "/object/definition/scale", value: `[]`, meets: "D2.4.4.1-14"},
		{name: "no correct answer", at: "/object/definition/correctResponsesPattern", value: `[]`, meets: "D2.4.4.1-12 L4.2.2.3-11"},
		{name: "empty definition", at: "/object/definition", value: `{}`},
		{name: "scaled with an exponent", at: "/result/score/scaled", value: `1e-1`},
		{name: "raw beyond any float", at: "/result/score", value: `{"raw":1e999}`, meets: "D2.4.5.1-2 L4.2.2.4-8"},
		{name: "zero length", at: "/attachments/0/length", value: `0`, meets: "D2.4.11-5 L4.2.2.6-5"},
		{name: "SHA-384", at: "/attachments/0/sha2", value: `"` + strings.Repeat("a", 96) + `"`, meets: "D2.4.11-6 L4.2.2.6-6"},
		{name: "SHA-512", at: "/attachments/0/sha2", value: `"` + strings.Repeat("F", 128) + `"`, meets: "D2.4.11-6 L4.2.2.6-6"},
		{name: "two of the same in an extension, in other cases", at: "/result/extensions/x:a", value: `{"A":1,"a":2}`, meets: "D4.1-2 L4.2.7-3"},
		{name: "null in an extension", at: "/result/extensions/x:a", value: `[null]`, meets: "D4.1-2 L4.2.7-3"},
		{name: "timestamp far in the future", at: "/timestamp", value: `"9999-12-31T23:59:59Z"`, meets: "L4.2.4.1-3"},
		{name: "timestamp without zone", at: "/timestamp", value: `"2026-05-01T12:00:00"`},
		{name: "object an agent", at: "/object", value: `{"mbox":"mailto:a@example.com","objectType":"Agent"}`, meets: "D2.4.4-1 L4.2.2.3-15"},
		{name: "object an anonymous group", at: "/object", value: `{"member":[{"mbox":"mailto:a@example.com"}],"objectType":"Group"}`, meets: "D2.4.4-1 D2.4.2.2-2 L4.2.2.3-15"},
		{name: "object a reference", at: "/object", value: anyRef, meets: "D2.4.4-1 D2.4.4.3-2 L4.2.2.3-16"},
		{name: "object a substatement", at: "/object", value: subStatement, meets: "D2.4.4-1 D2.4.4.3-4 L4.2.2.3-20"},
		{name: "object a substatement with a reference", at: "/object", value: replaced(t, subStatement, "/object", anyRef)},
		{name: "instructor a group", at: "/context/instructor", value: `{"objectType":"Group","mbox":"mailto:g@example.com"}`, meets: "D2.4.6-4 L4.2.2.5-2"},
		{name: "authority of OAuth", at: "/authority", value: `{"objectType":"Group","member":[{"account":{"homePage":"http://example.com/token","name":"k"}},{"mbox":"mailto:b@example.com"}]}`, meets: "D2.4.9-1 L4.2.2-9"},
		{name: "contextAgents", at: "/context/contextAgents", value: contextAgents, version: V2, meets: "L4.2.2.5-6 L4.2.2.5-16"},
		{name: "contextGroups", at: "/context/contextGroups", value: contextGroups, version: V2, meets: "L4.2.2.5-7 L4.2.2.5-18"},
		{name: "contextAgents without types", at: "/context/contextAgents", value: `[{"objectType":"contextAgent","agent":{"mbox":"mailto:a@example.com"}}]`, version: V2, meets: "L4.2.2.5-15"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, version := range versionsOf(test.version) {
				mustDecode(t, replaced(t, withoutRevision, test.at, test.value), version)
				meets(t, version, test.meets)
			}
		})
	}
	t.Run("full, in both versions", func(t *testing.T) {
		for _, version := range versionsOf("") {
			mustDecode(t, fullStatement, version)
			meets(t, version, "D2.4.5-1 D2.4.6-6 L4.2.2-5 L4.2.2-6")
		}
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
				for _, version := range versionsOf("") {
					refusedAt(t, body, version, "/context/"+property)
				}
				meets(t, V1, map[string]string{"revision": "D2.4.6-1", "platform": "D2.4.6-2"}[property])
			})
		}
	}
}

package xapi

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"strconv"
	"strings"
	"testing"
)

// fullStatement has every property of 1.0.3 at least once.
const fullStatement = `{
  "id": "7ccd3322-e1a5-411a-a67d-6a735c76f119",
  "actor": {"objectType": "Agent", "name": "Ann", "mbox": "mailto:ann@example.com"},
  "verb": {"id": "http://adlnet.gov/expapi/verbs/answered", "display": {"en-US": "answered", "fr": "a répondu"}},
  "object": {"objectType": "Activity", "id": "http://example.com/quiz/1", "definition": {
    "name": {"en": "Question one", "fr": "Première question"},
    "description": {"en": "Which is a fruit?"},
    "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
    "moreInfo": "http://example.com/more",
    "interactionType": "choice",
    "correctResponsesPattern": ["a[,]b"],
    "choices": [{"id": "a", "description": {"en": "apple", "fr": "pomme"}}, {"id": "b"}],
    "extensions": {"http://example.com/ext/a": {"Any": [null, 1.0, {"deep": true}]}}}},
  "result": {"score": {"scaled": 0.5, "raw": 5, "min": 0, "max": 10}, "success": true, "completion": false,
    "response": "a", "duration": "PT1H0.25S", "extensions": {"http://example.com/ext/r": null}},
  "context": {"registration": "ec531277-b57b-4c15-8d91-d292c5b2b8f7",
    "instructor": {"account": {"homePage": "http://example.com", "name": "teacher"}},
    "team": {"objectType": "Group", "name": "Team", "member": [{"openid": "http://ann.example.com"}]},
    "contextActivities": {"parent": {"id": "http://example.com/quiz"}, "grouping": [{"id": "http://example.com/course", "objectType": "Activity"}],
      "category": [], "other": [{"id": "urn:x:other", "definition": {"type": "urn:x:type"}}]},
    "revision": "3", "platform": "web", "language": "en-GB",
    "statement": {"objectType": "StatementRef", "id": "16fd2706-8baf-433b-82eb-8c7fada847da"},
    "extensions": {"http://example.com/ext/c": "x"}},
  "timestamp": "2026-05-01T12:00:00.1234567+02:00",
  "stored": "2026-05-01T12:00:00Z",
  "authority": {"mbox_sha1sum": "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
  "version": "1.0.3",
  "attachments": [{"usageType": "http://example.com/usage", "display": {"en": "Essay"}, "description": {"en": "An essay"},
    "contentType": "text/plain; charset=utf-8", "length": 27, "fileUrl": "http://example.com/essay.txt",
    "sha2": "495395E777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a"}]
}`

// subStatement is an object with everything that a SubStatement may have.
const subStatement = `{"objectType": "SubStatement",
  "actor": {"mbox": "mailto:ben@example.com"},
  "verb": {"id": "http://example.com/planned"},
  "object": {"id": "http://example.com/trip"},
  "context": {"contextActivities": {"parent": {"id": "http://example.com/travel"}}},
  "timestamp": "2030-01-01T00:00:00+01:00",
  "attachments": [{"usageType": "http://example.com/usage", "display": {"en": "Map"}, "contentType": "image/png", "length": 1,
    "sha2": "495395e777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a"}]}`

// contextAgents and contextGroups are valid values of the two properties of 2.0.
const (
	contextAgents = `[{"objectType": "contextAgent", "agent": {"mbox": "mailto:carl@example.com"}, "relevantTypes": ["http://example.com/coach"]}]`
	contextGroups = `[{"objectType": "contextGroup", "group": {"objectType": "Group", "member": [{"mbox": "mailto:dora@example.com"}]}}]`
)

// replaced gives a statement with the value at a JSON pointer set to the JSON text
// value, or removed when value is "". A pointer ending in "/-" appends to an array.
func replaced(t testing.TB, statement, pointer, value string) string {
	t.Helper()
	var root any
	if err := json.Unmarshal([]byte(statement), &root); err != nil {
		t.Fatalf("sample is no JSON: %v", err)
	}
	tokens := strings.Split(pointer, "/")[1:]
	for i, token := range tokens {
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
	}
	root = replacedIn(t, root, tokens, value)
	out, err := json.Marshal(root, json.Deterministic(true))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func replacedIn(t testing.TB, at any, tokens []string, value string) any {
	t.Helper()
	if len(tokens) == 0 {
		return jsontext.Value(value)
	}
	switch node := at.(type) {
	case map[string]any:
		if len(tokens) == 1 && value == "" {
			if _, found := node[tokens[0]]; !found {
				t.Fatalf("sample has no %s to remove", tokens[0])
			}
			delete(node, tokens[0])
			return node
		}
		node[tokens[0]] = replacedIn(t, node[tokens[0]], tokens[1:], value)
	case []any:
		if tokens[0] == "-" {
			return append(node, replacedIn(t, nil, tokens[1:], value))
		}
		i, err := strconv.Atoi(tokens[0])
		if err != nil || i >= len(node) {
			t.Fatalf("sample has no element %s", tokens[0])
		}
		node[i] = replacedIn(t, node[i], tokens[1:], value)
	default:
		return map[string]any{tokens[0]: replacedIn(t, nil, tokens[1:], value)}
	}
	return at
}

// mustDecode decodes a statement that the test takes to be valid.
func mustDecode(t testing.TB, statement string, v Version) *Statement {
	t.Helper()
	s, err := DecodeStatement([]byte(statement), v, DefaultLimits)
	if err != nil {
		t.Fatalf("%v\n%s", err, statement)
	}
	return s
}

// benchmarkStatement is a video event of 1.35 KB, the commonest kind in the wild.
const benchmarkStatement = `{"verb": {"id": "https://w3id.org/xapi/video/verbs/seeked", "display": {"en-US": "seeked"}}, "context": {"registration": "5389ed44-e618-4a66-9a43-7a0b282fd837", "extensions": {"https://w3id.org/xapi/video/extensions/session-id": "abb32c5b-ab8f-5f00-9718-267b6e6ba727"}, "contextActivities": {"category": [{"id": "https://w3id.org/xapi/video"}], "parent": [{"id": "course-v1:EXAMPLE+00002+session01", "objectType": "Activity", "definition": {"type": "http://adlnet.gov/expapi/activities/course"}}]}}, "result": {"extensions": {"https://w3id.org/xapi/video/extensions/time-from": 124.692, "https://w3id.org/xapi/video/extensions/time-to": 176.4, "https://w3id.org/xapi/video/extensions/length": 263.24, "https://w3id.org/xapi/video/extensions/progress": 0.472, "https://w3id.org/xapi/video/extensions/played-segments": "0[.]42.608[,]43.168[.]124.692[,]176.4"}}, "id": "9dc99b37-e920-4a68-a066-917faca28949", "actor": {"objectType": "Agent", "account": {"name": "f6c5ca7f-9daa-4830-a6a7-887af156e9ce", "homePage": "http://example.org"}}, "object": {"definition": {"type": "https://w3id.org/xapi/video/activity-type/video", "name": {"en-US": "Introduction to the subject, part two"}}, "id": "uuid://7d4f3c70-1e79-4243-9b7d-166076ce8bfb", "objectType": "Activity"}, "timestamp": "2021-11-29T23:09:00.867219+00:00"}`

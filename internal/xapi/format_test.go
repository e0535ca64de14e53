package xapi

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFormatIDs(t *testing.T) {
	tests := []struct{ name, statement, want string }{
		{"everything", fullStatement, `{"id":"7ccd3322-e1a5-411a-a67d-6a735c76f119",` +
			`"actor":{"objectType":"Agent","mbox":"mailto:ann@example.com"},` +
			`"verb":{"id":"http://adlnet.gov/expapi/verbs/answered"},` +
			`"object":{"id":"http://example.com/quiz/1"},` +
			`"result":{"score": {"scaled": 0.5, "raw": 5, "min": 0, "max": 10}, "success": true, "completion": false,
    "response": "a", "duration": "PT1H0.25S", "extensions": {"http://example.com/ext/r": null}},` +
			`"context":{"registration":"ec531277-b57b-4c15-8d91-d292c5b2b8f7",` +
			`"instructor":{"account":{"homePage": "http://example.com", "name": "teacher"}},` +
			`"team":{"objectType":"Group","member":[{"openid":"http://ann.example.com"}]},` +
			`"contextActivities":{"parent":[{"id":"http://example.com/quiz"}],"grouping":[{"id":"http://example.com/course"}],"category":[],"other":[{"id":"urn:x:other"}]},` +
			`"revision":"3","platform":"web","language":"en-GB",` +
			`"statement":{"objectType": "StatementRef", "id": "16fd2706-8baf-433b-82eb-8c7fada847da"},` +
			`"extensions":{"http://example.com/ext/c": "x"}},` +
			`"timestamp":"2026-05-01T10:00:00.1234567Z","stored":"2026-05-01T12:00:00Z",` +
			`"authority":{"mbox_sha1sum":"da39a3ee5e6b4b0d3255bfef95601890afd80709"},"version":"1.0.3",` +
			`"attachments":[{"usageType": "http://example.com/usage", "display": {"en": "Essay"}, "description": {"en": "An essay"},
    "contentType": "text/plain; charset=utf-8", "length": 27, "fileUrl": "http://example.com/essay.txt",
    "sha2": "495395E777cd98da653df9615d09c0fd6bb2f8d4788394cd53c56a3bfdcd848a"}]}`},
		{"a SubStatement", replaced(t, smallStatement, "/object", replaced(t, replaced(t, replaced(t, subStatement, "/object/definition", `{"name":{"en":"Trip"}}`), "/actor/name", `"Ben"`), "/attachments", "")),
			`{"actor":{"mbox":"mailto:a@example.com"},"object":{"actor":{"mbox":"mailto:ben@example.com"},"context":{"contextActivities":{"parent":[{"id":"http://example.com/travel"}]}},"object":{"id":"http://example.com/trip"},"objectType":"SubStatement","timestamp":"2029-12-31T23:00:00Z","verb":{"id":"http://example.com/planned"}},"verb":{"id":"x:y"}}`},
		{"an identified group loses its members", replaced(t, smallStatement, "/actor", `{"name":"G","member":[{"mbox":"mailto:m@example.com"}],"mbox":"mailto:g@example.com","objectType":"Group"}`),
			`{"actor":{"mbox":"mailto:g@example.com","objectType":"Group"},"object":{"id":"x:z"},"verb":{"id":"x:y"}}`},
		{"contextAgents and contextGroups", replaced(t, smallStatement, "/context", `{"contextAgents":[{"objectType":"contextAgent","agent":{"mbox":"mailto:c@example.com","name":"C"},"relevantTypes":["x:t"]}],"contextGroups":[{"objectType":"contextGroup","group":{"name":"G","objectType":"Group","member":[{"name":"D","mbox":"mailto:d@example.com"}]}}]}`),
			`{"actor":{"mbox":"mailto:a@example.com"},"context":{"contextAgents":[{"objectType":"contextAgent","agent":{"mbox":"mailto:c@example.com"},"relevantTypes":["x:t"]}],"contextGroups":[{"objectType":"contextGroup","group":{"objectType":"Group","member":[{"mbox":"mailto:d@example.com"}]}}]},"object":{"id":"x:z"},"verb":{"id":"x:y"}}`},
		{"an authority with a name", replaced(t, smallStatement, "/authority", `{"objectType":"Agent","name":"L","openid":"http://l.example.com"}`),
			`{"actor":{"mbox":"mailto:a@example.com"},"authority":{"objectType":"Agent","openid":"http://l.example.com"},"object":{"id":"x:z"},"verb":{"id":"x:y"}}`},
		{"an agent as object", replaced(t, smallStatement, "/object", `{"objectType":"Agent","mbox":"mailto:o@example.com","name":"O"}`),
			`{"actor":{"mbox":"mailto:a@example.com"},"object":{"objectType":"Agent","mbox":"mailto:o@example.com"},"verb":{"id":"x:y"}}`},
		{"a reference", replaced(t, smallStatement, "/object", anyRef),
			`{"actor":{"mbox":"mailto:a@example.com"},"object":{"objectType":"StatementRef","id":"16fd2706-8baf-433b-82eb-8c7fada847da"},"verb":{"id":"x:y"}}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := FormatIDs(mustDecode(t, test.statement, V2).raw)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
			mustDecode(t, string(got), V2)
		})
	}
}

func TestFormatCanonical(t *testing.T) {
	definitions := map[string]string{
		"x:stored": `{"name":{"de":"gespeichert","en":"stored","fr":"enregistré"},"description":{"de":"d","sv":"s"},"type":"x:t"}`,
		"x:quiz":   `{"interactionType":"choice","choices":[{"id":"a","description":{"fr":"pomme","en":"apple"}},{"id":"b"},{"id":"c","description":{}}],"extensions":{"x:e":{"de":"x","en":"y"}}}`,
	}
	statement := func(object string) string {
		return `{"actor":{"name":"A","mbox":"mailto:a@example.com"},"verb":{"id":"x:v","display":{"en":"did","fr":"fit"}},"object":` + object + `}`
	}
	formatted := func(verb, object string) string {
		return `{"actor":{"name":"A","mbox":"mailto:a@example.com"},"verb":{"id":"x:v","display":{` + verb + `}},"object":` + object + `}`
	}
	tests := []struct{ name, statement, language, want string }{
		{"without a header", statement(`{"id":"x:stored"}`), "",
			formatted(`"en":"did"`, `{"id":"x:stored","definition":{"name":{"en":"stored"},"description":{"de":"d"},"type":"x:t"}}`)},
		{"by quality, for each map", statement(`{"id":"x:stored"}`), "en;q=0.5, fr, sv;q=0.7",
			formatted(`"fr":"fit"`, `{"id":"x:stored","definition":{"name":{"fr":"enregistré"},"description":{"sv":"s"},"type":"x:t"}}`)},
		{"in place of the statement's own", statement(`{"definition":{"name":{"en":"own"}},"id":"x:stored","objectType":"Activity"}`), "de",
			formatted(`"en":"did"`, `{"definition":{"name":{"de":"gespeichert"},"description":{"de":"d"},"type":"x:t"},"id":"x:stored","objectType":"Activity"}`)},
		{"the statement's own where none is stored", statement(`{"id":"x:unknown","definition":{"name":{"en":"own","fr":"propre"}}}`), "fr",
			formatted(`"fr":"fit"`, `{"id":"x:unknown","definition":{"name":{"fr":"propre"}}}`)},
		{"nothing known", statement(`{"id":"x:unknown"}`), "fr", formatted(`"fr":"fit"`, `{"id":"x:unknown"}`)},
		{"component descriptions, but not extensions", statement(`{"id":"x:quiz"}`), "fr",
			formatted(`"fr":"fit"`, `{"id":"x:quiz","definition":{"interactionType":"choice","choices":[{"id":"a","description":{"fr":"pomme"}},{"id":"b"},{"id":"c","description":{}}],"extensions":{"x:e":{"de":"x","en":"y"}}}}`)},
		{"inside a SubStatement", statement(`{"objectType":"SubStatement","actor":{"mbox":"mailto:s@example.com"},"verb":{"id":"x:w","display":{"fr":"f","de":"d"}},"object":{"id":"x:stored"},"context":{"contextActivities":{"other":[{"id":"x:quiz"}]}}}`), "de",
			formatted(`"en":"did"`, `{"objectType":"SubStatement","actor":{"mbox":"mailto:s@example.com"},"verb":{"id":"x:w","display":{"de":"d"}},"object":{"id":"x:stored","definition":{"name":{"de":"gespeichert"},"description":{"de":"d"},"type":"x:t"}},"context":{"contextActivities":{"other":[{"id":"x:quiz","definition":{"interactionType":"choice","choices":[{"id":"a","description":{"en":"apple"}},{"id":"b"},{"id":"c","description":{}}],"extensions":{"x:e":{"de":"x","en":"y"}}}}]}}}`)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var asked []string
			got, err := FormatCanonical([]byte(test.statement), test.language, func(id string) []byte {
				asked = append(asked, id)
				if definition, found := definitions[id]; found {
					return []byte(definition)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
			mustDecode(t, string(got), V1)
			ids, err := ActivityIDs([]byte(test.statement))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(ids, asked); diff != "" {
				t.Error("ActivityIDs are not what was asked for:", diff)
			}
		})
	}
}

func TestActivityIDs(t *testing.T) {
	body := replaced(t, fullStatement, "/context/contextActivities/other/-", `{"id":"http://example.com/course"}`)
	got, err := ActivityIDs(mustDecode(t, body, V1).raw)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"http://example.com/course", "http://example.com/quiz", "http://example.com/quiz/1", "urn:x:other"}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	decoded := make(map[string]bool)
	mustDecode(t, body, V1).EachActivity(func(a *Activity) { decoded[a.ID] = true })
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(decoded))); diff != "" {
		t.Error("EachActivity:", diff)
	}
}

func TestFormatsRefuse(t *testing.T) {
	for _, text := range []string{"", "{", smallStatement + smallStatement} {
		if _, err := FormatIDs([]byte(text)); err == nil {
			t.Errorf("FormatIDs takes %q", text)
		}
		if _, err := FormatCanonical([]byte(text), "", func(string) []byte { return nil }); err == nil {
			t.Errorf("FormatCanonical takes %q", text)
		}
		if _, err := ActivityIDs([]byte(text)); err == nil {
			t.Errorf("ActivityIDs takes %q", text)
		}
	}
	if _, err := FormatCanonical([]byte(smallStatement), "", func(string) []byte { return []byte("{") }); err == nil {
		t.Error("FormatCanonical takes a definition that is no JSON")
	}
}

func TestLanguageChoice(t *testing.T) {
	tests := []struct{ header, tags, want string }{
		{"", "fr de en-US sv", "en-US"},
		{"", "fr de sv", "de"},
		{"", "fr en-US en", "en"},
		{"", "", ""},
		{"de", "fr de en", "de"},
		{"DE", "fr de-AT en", "de-AT"},
		{"de-AT", "fr de en", "de"}, // nothing is acceptable; the same language comes next
		{"de-AT", "de de-AT", "de-AT"},
		{"fr;q=0.2, de;q=0.8", "fr de", "de"},
		{"fr;q=0.2,de;q=0.8", "fr en", "fr"},
		{"de;Q=0.2, fr;q=0.8", "fr de", "fr"},
		{"de ;\tq = 0.2, fr;q=0.8", "fr de", "fr"},
		{"en-GB;q=0.1, en;q=0.9", "en-GB en-US", "en-US"}, // the longest range that matches counts
		{"*", "fr de", "de"},
		{"fr;q=0.5, *;q=0.7", "fr de", "de"},
		{"fr, *;q=0.1", "fr de", "fr"},
		{"en;q=0", "en sv", "sv"},
		{"en;q=0", "en", "en"},
		{"no such header!!, de", "fr de", "de"},
		{"fr;q=2, de;q=x, sv;q=0.3", "fr de sv", "sv"},
		{"zh", "zh-Hant-TW en", "zh-Hant-TW"},
		{strings.Repeat("xx,", 1000) + "de", "de en", "en"}, // beyond the bound
	}
	for _, test := range tests {
		t.Run(test.header+" of "+test.tags, func(t *testing.T) {
			tags := strings.Fields(test.tags)
			got := ""
			if i := parseAcceptLanguage(test.header).choose(tags); i >= 0 {
				got = tags[i]
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func FuzzAcceptLanguage(f *testing.F) {
	f.Add("de-AT, de;q=0.8, *;q=0.1")
	f.Fuzz(func(t *testing.T, header string) {
		p := parseAcceptLanguage(header)
		if len(p) > maxLanguageRanges {
			t.Fatalf("%d ranges", len(p))
		}
		forward, backward := []string{"de", "en-US", "fr"}, []string{"fr", "en-US", "de"}
		i, j := p.choose(forward), p.choose(backward)
		if i < 0 || j < 0 || forward[i] != backward[j] {
			t.Fatalf("%q: the choice depends on the order", header)
		}
	})
}

package sentence_test

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"encoding/json/v2"

	"github.com/cairn-lrs/cairn/internal/report/sentence"
)

// canonical are the definitions that the store has.
var canonical = map[string]string{
	"http://example.com/known": `{"name":{"de":"Knoten","en-GB":"Knots"}}`,
	"http://example.com/question": `{"name":{"en":"What is a cairn?"},
		"choices":[{"id":"a","description":{"en":"A dog"}},{"id":"b","description":{"en":"A pile of stones"}}]}`,
}

func options() sentence.Options {
	return sentence.Options{
		Definition: func(id string) []byte {
			if d, ok := canonical[id]; ok {
				return []byte(d)
			}
			return nil
		},
		Learner: func([]byte) string { return "Learner 7f3a" },
	}
}

// The isolates are written <> here.
var marks = strings.NewReplacer("\u2068", "<", "\u2069", ">")

func TestSentences(t *testing.T) {
	long := strings.Repeat("name ", 2000)
	for _, test := range []struct{ name, statement, want string }{
		{"a question", `{"actor":{"name":"Ana","mbox":"mailto:a@example.com"},"verb":{"id":"http://adlnet.gov/expapi/verbs/answered","display":{"en-US":"Answered"}},
			"object":{"id":"http://example.com/question"},"result":{"success":true,"response":"b","duration":"PT12S"}}`,
			"<Ana> <answered> “<What is a cairn?>”: correct, response <A pile of stones>, 12 s"},
		{"a wrong answer to a choice of several", `{"actor":{"name":"Ana"},"verb":{"id":"http://adlnet.gov/expapi/verbs/answered"},
			"object":{"id":"http://example.com/question"},"result":{"success":false,"response":"b[,]a"}}`,
			"<Ana> <answered> “<What is a cairn?>”: incorrect, response <A pile of stones, A dog>"},
		{"a video", `{"actor":{"account":{"homePage":"http://lms","name":"ana17"}},"verb":{"id":"https://w3id.org/xapi/video/verbs/paused"},
			"object":{"id":"http://example.com/known"},"result":{"extensions":{"https://w3id.org/xapi/video/extensions/time":125.9,"https://w3id.org/xapi/video/extensions/progress":0.315}},
			"context":{"extensions":{"https://w3id.org/xapi/video/extensions/length":400}}}`,
			"<ana17> <paused> “<Knots>” at 2:05 of 6:40: watched 31 %"},
		{"a course", `{"actor":{"mbox_sha1sum":"0"},"verb":{"id":"http://adlnet.gov/expapi/verbs/completed"},
			"object":{"id":"http://example.com/courses/safety-basics"},"result":{"success":true,"completion":true,"score":{"scaled":0.85},"duration":"PT14M"}}`,
			"<Learner 7f3a> <completed> “<safety basics>”: passed, 85 %, 14 min"},
		{"a void", `{"actor":{"account":{"homePage":"http://lms","name":"moodle-prod"}},"verb":{"id":"http://adlnet.gov/expapi/verbs/voided"},
			"object":{"objectType":"StatementRef","id":"4f1c0000-0000-4000-8000-000000000000"}}`,
			"<moodle-prod> voided the statement <4f1c0000-0000-4000-8000-000000000000>"},
		{"a verb that nobody knows", `{"actor":{"mbox":"mailto:ben.b@example.com"},"verb":{"id":"http://example.com/verbs/looked-at"},"object":{"id":"http://example.com/known"}}`,
			"<ben.b> <looked at> “<Knots>”"},
		{"an id that is no web address", `{"actor":{"name":"Ana"},"verb":{"id":"urn:verbs:saw"},"object":{"id":"urn:isbn:9780000000000"}}`,
			"<Ana> <saw> “<9780000000000>”"},
		{"a group", `{"actor":{"objectType":"Group","member":[{"mbox":"mailto:a@example.com"}]},"verb":{"id":"http://adlnet.gov/expapi/verbs/experienced"},"object":{"objectType":"Agent","mbox":"mailto:b@example.com"}}`,
			"<A group> <experienced> <b>"},
		{"a statement in a statement", `{"actor":{"name":"Ana"},"verb":{"id":"http://example.com/planned","display":{"en":"planned"}},
			"object":{"objectType":"SubStatement","actor":{"name":"Ben"},"verb":{"id":"http://activitystrea.ms/schema/1.0/read"},"object":{"id":"http://example.com/known"}}}`,
			"<Ana> <planned>: <Ben> <read> “<Knots>”"},
		{"markup and a change of direction", "{\"actor\":{\"name\":\"<b>\u202EAna</b>\\n\u0000\"},\"verb\":{\"id\":\"http://a/b\"},\"object\":{\"id\":\"http://example.com/known\"}}",
			"<<b>Ana</b>> <b> “<Knots>”"},
		{"a long name", `{"actor":{"name":"` + long + `"},"verb":{"id":"http://a/b"},"object":{"id":"http://example.com/known"}}`,
			"<" + strings.TrimSuffix(strings.Repeat("name ", 17), " ")[:] + "> <b> “<Knots>”"},
		{"another alphabet", `{"actor":{"name":"آنا"},"verb":{"id":"http://a/b","display":{"fr":"Étudia"}},"object":{"id":"http://x/y","definition":{"name":{"ar":"عقد"}}}}`,
			"<آنا> <étudia> “<عقد>”"},
	} {
		t.Run(test.name, func(t *testing.T) {
			statement := strings.ReplaceAll(test.statement, "\u0000", `\u0007`)
			s, err := sentence.Of([]byte(statement), options())
			if err != nil {
				t.Fatal(err)
			}
			got := marks.Replace(s.Text)
			if test.name == "a long name" {
				if len([]rune(got)) > 120 || !strings.Contains(got, "…") {
					t.Errorf("got %q", got)
				}
				return
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// Without names, nothing that an actor brought is left: neither who, nor words of theirs.
func TestAnonymousSentences(t *testing.T) {
	o := options()
	o.Anonymous = true
	s, err := sentence.Of([]byte(`{"actor":{"name":"Ana","mbox":"mailto:ana@example.com"},"verb":{"id":"http://adlnet.gov/expapi/verbs/answered"},
		"object":{"objectType":"SubStatement","actor":{"name":"Ben"},"verb":{"id":"http://a/told"},"object":{"objectType":"Agent","name":"Eve","mbox":"mailto:eve@example.com"}},
		"result":{"success":true,"response":"I am Ana"}}`), o)
	if err != nil {
		t.Fatal(err)
	}
	if want := "A learner <answered>: A learner <told> somebody: correct"; marks.Replace(s.Text) != want || s.Actor != "" {
		t.Errorf("got %q of %q, want %q", marks.Replace(s.Text), s.Actor, want)
	}
	s, err = sentence.Of([]byte(`{"actor":{"name":"Ana"},"verb":{"id":"http://adlnet.gov/expapi/verbs/voided"},
		"object":{"objectType":"StatementRef","id":"4f1c0000-0000-4000-8000-000000000000"}}`), o)
	if want := "A learner voided a statement"; err != nil || marks.Replace(s.Text) != want || s.Object != "a statement" {
		t.Errorf("got %q about %q, want %q, error %v", marks.Replace(s.Text), s.Object, want, err)
	}
}

// Whatever a name is made of, a sentence is one line, its isolates are in pairs, and nothing in it steers the direction.
func TestNamesCannotSteer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("a \n\t\u202A\u202E\u2066\u2067\u2068\u2069\u200F\u200B<>&\"")))).Draw(t, "name")
		name = strings.ToValidUTF8(name, "?")
		statement, err := json.Marshal(map[string]any{
			"actor": map[string]any{"name": name}, "verb": map[string]any{"id": "http://a/b", "display": map[string]string{"en": name}},
			"object": map[string]any{"id": "http://a/b", "definition": map[string]any{"name": map[string]string{"en": name}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		s, err := sentence.Of(statement, sentence.Options{})
		if err != nil {
			t.Fatal(err)
		}
		open := 0
		for _, r := range s.Text {
			switch {
			case r == '\u2068':
				open++
			case r == '\u2069':
				open--
			case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
				t.Fatalf("%q holds %q", s.Text, r)
			}
			if open < 0 || open > 1 {
				t.Fatalf("%q: isolates are not in pairs", s.Text)
			}
		}
		if open != 0 {
			t.Fatalf("%q: an isolate stays open", s.Text)
		}
	})
}

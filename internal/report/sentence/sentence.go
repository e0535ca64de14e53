// Package sentence says a statement in words: "Ana answered “What is a cairn?”: correct, 12 s". It is pure, gives plain text
// only, and puts every name between Unicode's isolates, so that a name in another direction, or with marks that change the
// direction, moves nothing around it. English is the one language it has.
package sentence

import (
	"encoding/json/v2"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Options say how sentences are written.
type Options struct {
	// Definition gives the canonical definition (JSON) of an activity, nil when there is none.
	Definition func(activityID string) []byte

	// Anonymous takes everything that could tell who it was from the sentence: the actor, and words of theirs.
	Anonymous bool

	// Learner is the name of an actor who brought none: "Learner 7f3a". identifier is the actor's, as JSON.
	Learner func(identifier []byte) string
}

// Sentence is a statement in words.
type Sentence struct {
	Text    string // the whole, for people
	Actor   string // "" when anonymous
	Verb    string // in the past tense
	VerbID  string
	Object  string
	Details []string // what the result says: "correct", "85 %", "14 min"
	Guessed bool     // the verb has no display and is none that we know: its words come from its IRI
}

// maxName bounds a name in a sentence, in runes. What is cut is told by an ellipsis.
const maxName = 80

// isolate puts a name between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE. Source: Unicode Standard Annex 9, 2.4.
func isolate(name string) string { return "\u2068" + name + "\u2069" }

// clean makes one line of text of a bounded length, without characters that steer a terminal or the direction of text.
func clean(text string) string {
	var b strings.Builder
	n := 0
	space := false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == utf8.RuneError, r >= 0xE0000 && r <= 0xE007F:
			continue
		}
		if n == maxName {
			b.WriteString("…")
			break
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// Of says a statement in words. It fails only for what is not JSON.
func Of(statement []byte, o Options) (Sentence, error) {
	var e event
	if err := json.Unmarshal(statement, &e); err != nil {
		return Sentence{}, fmt.Errorf("read statement: %w", err)
	}
	return o.sentence(e), nil
}

// event is what a sentence needs of a statement or SubStatement.
type event struct {
	Actor   actor   `json:"actor"`
	Verb    verb    `json:"verb"`
	Object  object  `json:"object"`
	Result  result  `json:"result"`
	Context context `json:"context"`
}

type verb struct {
	ID      string            `json:"id"`
	Display map[string]string `json:"display"`
}

func (o Options) sentence(e event) Sentence {
	s := Sentence{Actor: o.actor(e.Actor), VerbID: e.Verb.ID, Object: o.object(e.Object)}
	s.Verb, s.Guessed = e.Verb.words()
	s.Details = o.details(e)
	who := isolate(s.Actor)
	if o.Anonymous {
		s.Actor, who = "", "A learner"
		if e.Actor.isGroup() {
			who = "A group"
		}
	}
	text := ""
	switch {
	case e.Verb.ID == voided:
		text = fmt.Sprintf("%s voided %s", who, s.Object)
	case e.Object.ObjectType == "SubStatement":
		text = fmt.Sprintf("%s %s: %s", who, isolate(s.Verb), s.Object)
	default:
		text = fmt.Sprintf("%s %s %s", who, isolate(s.Verb), s.Object)
	}
	if at, ok := position(e); ok {
		text += " " + at
	}
	if len(s.Details) > 0 {
		text += ": " + strings.Join(s.Details, ", ")
	}
	s.Text = text
	return s
}

const voided = "http://adlnet.gov/expapi/verbs/voided"

// words are the verb in English: the display, the table, or the last segment of the IRI.
func (v verb) words() (words string, guessed bool) {
	if text := clean(pick(v.Display)); text != "" {
		first, size := utf8.DecodeRuneInString(text)
		return string(unicode.ToLower(first)) + text[size:], false
	}
	if words, ok := verbs[v.ID]; ok {
		return words, false
	}
	return clean(lastSegment(v.ID)), true
}

// pick takes English of a language map, or any other language: the one whose tag comes first, so that it is always the same.
func pick(m map[string]string) string {
	best, text := "", ""
	for tag, value := range m {
		if strings.TrimSpace(value) == "" {
			continue
		}
		lower := strings.ToLower(tag)
		rank := "1" + lower
		if lower == "en" || strings.HasPrefix(lower, "en-") {
			rank = "0" + lower
		}
		if best == "" || rank < best {
			best, text = rank, value
		}
	}
	return text
}

// lastSegment is the end of an IRI in words: "http://example.com/verbs/looked-at" is "looked at".
func lastSegment(iri string) string {
	text := strings.TrimRight(iri, "/#")
	if i := strings.LastIndexAny(text, "/#:"); i >= 0 && i < len(text)-1 {
		text = text[i+1:]
	}
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '-' || r == '_' }), " ")
}

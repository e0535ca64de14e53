package fact

import (
	"encoding/hex"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/xapi"
)

// Input is a statement as the change stream brings it.
type Input struct {
	Statement []byte // its JSON as stored
	ID        string
	Stored    time.Time
	Hash      Hasher
}

// Reading is what reports take from a statement.
type Reading struct {
	Fact  Fact
	Actor Actor
	Names []Name
}

// ErrVoiding is returned for a statement that voids another: it is no event (definition 0.1).
var ErrVoiding = errors.New("a voiding statement is no event")

const voided = adl + "voided"

// skew is how far timestamp may lie after stored (definition 0.3).
const skew = 10 * time.Minute

// longAgo is before any statement was made: 2000-01-01.
var longAgo = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// From reads a statement that was validated when it was stored. No value in it makes From fail, however strange: what
// cannot be counted is left out, or bounded, and flagged. The error is ErrVoiding, or says which part is not that of a statement,
// repeating nothing of it.
func From(in Input) (Reading, error) {
	var s statement
	if err := json.Unmarshal(in.Statement, &s, lenient); err != nil {
		return Reading{}, fmt.Errorf("read statement: %w", quiet(err))
	}
	if s.Verb.ID == voided {
		return Reading{}, ErrVoiding
	}
	actor, err := s.Actor.read(in.Hash)
	if err != nil {
		return Reading{}, err
	}
	r := reader{hash: in.Hash, statement: &s}
	r.out.Actor = actor
	f := &r.out.Fact
	*f = Fact{ID: IDOf(in.ID), Stored: in.Stored.UnixMilli(), Duration: -1, Progress: -1}
	if err := r.time(); err != nil {
		return Reading{}, err
	}
	if s.Verb.ID == "" {
		return Reading{}, errors.New("read statement: it has no verb")
	}
	f.Verb = r.hash.Verb(s.Verb.ID)
	r.name(Name{Hash: f.Verb, Verb: true, IRI: s.Verb.ID, Display: s.Verb.Display})
	if err := r.activities(); err != nil {
		return Reading{}, err
	}
	f.Kind = kindOf(&s)
	if s.Object.isActivity() && s.Object.Definition.InteractionType == "likert" {
		r.flag(Survey)
	}
	r.result()
	r.context()
	r.video()
	f.Class = classOf(s.Verb.ID, f)
	if f.Class == contradiction {
		f.Class, f.Flags = 0, f.Flags|Inconsistent
	}
	return r.out, nil
}

// lenient: what was stored was checked for both. Checking again costs a fifth of the time.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// quiet is err without the text of the statement, which errors of the JSON package repeat.
func quiet(err error) error {
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		return fmt.Errorf("the JSON value at byte %d is of another type than the specification's", semantic.ByteOffset)
	}
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return fmt.Errorf("no JSON at byte %d", syntactic.ByteOffset)
	}
	return errors.New("no statement")
}

// reader fills a Reading.
type reader struct {
	hash      Hasher
	statement *statement
	out       Reading
}

func (r *reader) name(n Name) { r.out.Names = append(r.out.Names, n.bounded()) }

func (r *reader) flag(f Flags) { r.out.Fact.Flags |= f }

// time sets T (definition 0.3).
func (r *reader) time() error {
	f := &r.out.Fact
	t, err := xapi.ParseTimestamp(r.statement.Timestamp)
	if err != nil {
		return fmt.Errorf("read statement: %w", err)
	}
	f.T = t.UnixMilli()
	if f.T > f.Stored+skew.Milliseconds() {
		f.T = f.Stored
		r.flag(ClockSkew)
	}
	if f.T < longAgo {
		r.flag(LongAgo)
	}
	return nil
}

// activities sets Content, Parent and Groupings (definitions 0.2, 0.5, 0.6). Parents after the first count as groupings: what
// is below an activity is below it by whichever of its parents.
func (r *reader) activities() error {
	f, s := &r.out.Fact, r.statement
	switch {
	case s.Object.isActivity():
		if s.Object.ID == "" {
			return errors.New("read statement: its object has no id")
		}
		f.Content = r.activity(&s.Object)
	case !slices.Contains([]string{"Agent", "Group", "SubStatement", "StatementRef"}, s.Object.ObjectType):
		return errors.New("read statement: its object is of an unknown type")
	}
	if s.Context == nil {
		return nil
	}
	for i := range s.Context.Activities.Parent {
		if a := &s.Context.Activities.Parent[i]; i == 0 && a.ID != s.Object.ID {
			f.Parent = r.activity(a)
		} else {
			r.grouping(a)
		}
	}
	for i := range s.Context.Activities.Grouping {
		r.grouping(&s.Context.Activities.Grouping[i])
	}
	return nil
}

func (r *reader) activity(a *activity) Hash {
	hash := r.hash.Activity(a.ID)
	d := &a.Definition
	r.name(Name{Hash: hash, IRI: a.ID, Display: d.Name, Type: d.Type})
	return hash
}

func (r *reader) grouping(a *activity) {
	f := &r.out.Fact
	if len(f.Groupings) == MaxGroupings {
		r.flag(GroupingsCut)
		return
	}
	hash := r.hash.Activity(a.ID)
	if f.Under(hash) {
		return
	}
	r.activity(a)
	f.Groupings = append(f.Groupings, hash)
}

// result sets what the result says.
func (r *reader) result() {
	f, result := &r.out.Fact, r.statement.Result
	if result == nil {
		return
	}
	f.Success, f.Completion = tri(result.Success), tri(result.Completion)
	if result.Duration != "" {
		var flags Flags
		f.Duration, flags = parseDuration(result.Duration)
		r.flag(flags)
	}
	score, ok, flags := result.Score.read()
	f.Score, f.HasScore = score, ok
	r.flag(flags)
	f.Response = r.shorten(result.Response, MaxResponse)
	f.Progress = r.progress()
}

// progress prefers the extension of cmi5, a percentage, to that of the Video Profile, a share.
func (r *reader) progress() int32 {
	e := &r.statement.Result.Extensions
	for _, p := range []struct {
		value jsontext.Value
		unit  float64 // of the value, in millionths
	}{{e.ProgressPercent, 10_000}, {e.VideoProgress, 1_000_000}} {
		if p.value == nil {
			continue
		}
		if n, ok := scaled(p.value, p.unit, 1_000_000); ok && n >= 0 {
			return int32(n)
		}
		r.flag(NumberLeftOut)
	}
	return -1
}

// context sets what the context says.
func (r *reader) context() {
	f, c := &r.out.Fact, r.statement.Context
	if c == nil {
		return
	}
	if registration, err := hex.DecodeString(strings.ReplaceAll(c.Registration, "-", "")); err == nil {
		copy(f.Registration[:], registration)
	}
	if id := sessionOf(c); id != "" {
		f.Session = r.hash.session(id)
	}
	if ifi := c.Team.ifi(); ifi != (xapi.IFI{}) {
		f.Group = r.hash.Group(ifi)
	}
	f.Platform = r.shorten(c.Platform, MaxText)
	f.Language = r.shorten(c.Language, MaxText)
}

func (r *reader) shorten(s string, limit int) string {
	short, cut := Shorten(s, limit)
	if cut {
		r.flag(TextCut)
	}
	return short
}

// sessionOf is the session id of cmi5, else that of the Video Profile; a value that is no text counts as it is written.
func sessionOf(c *context) string {
	for _, value := range []jsontext.Value{c.Extensions.Session, c.Extensions.VideoSession} {
		if len(value) == 0 || value.Kind() == jsontext.KindNull {
			continue
		}
		if value.Kind() != jsontext.KindString {
			return string(value)
		}
		var text string
		if json.Unmarshal(value, &text, lenient) == nil && text != "" {
			return text
		}
	}
	return ""
}

func tri(b *bool) Tri {
	switch {
	case b == nil:
		return Unsaid
	case *b:
		return Yes
	}
	return No
}

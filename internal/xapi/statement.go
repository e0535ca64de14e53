// Package xapi is the language of the specification: statements and what they are
// made of, decoded strictly, validated for both versions, compared and formatted. It is
// pure: no I/O, no clock, no randomness. README.md says where it decides what the
// specification leaves open.
//
// Sections are cited from xAPI 1.0.3 ("Data 2.4.2", "Communication 2.1.3") and, where
// 2.0 differs, from IEEE 9274.1.1.
package xapi

import "strconv"

// Statement is a statement that has been validated, with the bytes it came in.
// Source: xAPI 1.0.3 Data 2.4; IEEE 9274.1.1 4.2.
type Statement struct {
	ID        string // lower case; "" when the sender left it to the LRS. The edge sets it from PUT's statementId
	Event            // what happened: the part that a SubStatement shares
	Authority *Actor // as sent; the LRS overwrites it unless the credential is trusted
	Stored    string // as sent, in UTC; always overwritten
	Version   string // as sent; "" when absent

	request       Version // of the request that carried it
	raw           []byte  // received bytes with the declared edits that need no LRS state already made
	hasID         bool    // raw has the id
	storedSpan    span    // of the value in raw; zero when absent
	authoritySpan span    // the same
}

// Event is what Statement and SubStatement have in common.
type Event struct {
	Actor       *Actor
	Verb        Verb
	Object      Object
	Result      *Result
	Context     *Context
	Timestamp   string // UTC with "Z", no precision lost; "" when absent
	Attachments []Attachment
}

// Verb is the action. Source: Data 2.4.3.
type Verb struct {
	ID      string
	Display []byte // JSON language map; nil when absent
}

// VoidedVerb is the reserved verb of voiding statements. Source: Data 2.3.2.
const VoidedVerb = "http://adlnet.gov/expapi/verbs/voided"

// Voids gives the id of the statement that s voids. A SubStatement with the voided
// verb voids nothing. Source: Data 2.3.2.
func (s *Statement) Voids() (target string, ok bool) {
	if s.Verb.ID != VoidedVerb {
		return "", false
	}
	return s.Refers()
}

// Refers gives the id of the statement that the object of s itself refers to, in a
// voiding statement too. The object of a SubStatement and context.statement are not
// references in this sense. Source: Communication 2.1.3, filter conditions for StatementRefs.
func (s *Statement) Refers() (target string, ok bool) {
	return s.Object.Ref, s.Object.Kind == StatementRefObject
}

// EachAttachment calls f for the attachments of s and then for those of its
// SubStatement, in order, with the JSON pointer of each.
func (s *Statement) EachAttachment(f func(path string, a Attachment)) {
	for i, a := range s.Attachments {
		f("/attachments/"+strconv.Itoa(i), a)
	}
	if s.Object.Sub != nil {
		for i, a := range s.Object.Sub.Attachments {
			f("/object/attachments/"+strconv.Itoa(i), a)
		}
	}
}

// EachActivity calls f for every Activity of s: its object, its contextActivities,
// and the same of its SubStatement. An id can come more than once.
func (s *Statement) EachActivity(f func(*Activity)) {
	s.Event.eachActivity(f)
	if s.Object.Sub != nil {
		s.Object.Sub.eachActivity(f)
	}
}

func (e *Event) eachActivity(f func(*Activity)) {
	if e.Object.Activity != nil {
		f(e.Object.Activity)
	}
	if e.Context == nil {
		return
	}
	for _, list := range [][]*Activity{e.Context.Parent, e.Context.Grouping, e.Context.Category, e.Context.Other} {
		for _, activity := range list {
			f(activity)
		}
	}
}

// EachActor calls f for every Agent and Group of s: its actor, object, instructor, team,
// contextAgents and contextGroups, the same of its SubStatement, and the members of all
// these Groups. The authority is left out: the LRS may set another.
func (s *Statement) EachActor(f func(*Actor)) {
	s.Event.eachActor(f)
	if s.Object.Sub != nil {
		s.Object.Sub.eachActor(f)
	}
}

func (e *Event) eachActor(f func(*Actor)) {
	e.Actor.Each(f)
	e.Object.Actor.Each(f)
	if e.Context == nil {
		return
	}
	e.Context.Instructor.Each(f)
	e.Context.Team.Each(f)
	for _, list := range [][]*Actor{e.Context.Agents, e.Context.Groups} {
		for _, actor := range list {
			actor.Each(f)
		}
	}
}

// onlyStatement reads a body that is one statement.
func (d *decoder) onlyStatement() (*Statement, error) {
	s, err := d.readStatement()
	if err != nil {
		return nil, err
	}
	return s, d.end()
}

// readStatement reads the next value as a statement and makes the declared edits
// that need nothing from the LRS.
func (d *decoder) readStatement() (*Statement, error) {
	s := &Statement{request: d.version}
	d.edits = d.edits[:0]
	start := d.next()
	var event eventReader
	err := d.object(onStatement, func(name string) error {
		var err error
		switch name {
		case "id":
			s.ID, err = d.uuid(onID)
			s.hasID = true
		case "stored":
			s.storedSpan.start = d.next()
			s.Stored, err = d.timestamp()
			s.storedSpan.end = d.offset()
		case "authority":
			s.authoritySpan.start = d.next()
			s.Authority, err = d.authority()
			s.authoritySpan.end = d.offset()
		case "version":
			s.Version, err = d.format(onVersion, d.version.acceptsStatement, "the version of a statement must be one that the request's version covers: 1.0.x, or 2.0.x in a 2.0 request")
		default:
			var known bool
			if known, err = event.member(d, &s.Event, name, false); !known {
				err = d.unknown(onStatement)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := event.finish(d, &s.Event); err != nil {
		return nil, err
	}
	s.keep(d.body, span{start, d.offset()}, d.edits)
	return s, nil
}

// eventReader collects what can be judged only when an event is complete.
type eventReader struct {
	hasVerb      bool
	activityOnly string // a property of the context that only an Activity as object allows
}

// member reads the member name of a statement or SubStatement into e, if it is one
// that both have. nested says that e is a SubStatement.
func (r *eventReader) member(d *decoder, e *Event, name string, nested bool) (known bool, err error) {
	switch name {
	case "actor":
		e.Actor, err = d.actor(anyActor)
	case "verb":
		r.hasVerb = true
		e.Verb, err = d.verb()
	case "object":
		e.Object, err = d.objectOfStatement(nested)
	case "result":
		e.Result, err = d.result()
	case "context":
		e.Context, err = d.context(r)
	case "timestamp":
		start := d.next()
		var utc string
		if utc, err = d.timestamp(); err != nil {
			return true, err
		}
		e.Timestamp = utc
		received := span{start, d.offset()}
		if quoted := `"` + utc + `"`; string(d.body[received.start:received.end]) != quoted {
			d.edits = append(d.edits, edit{received, quoted})
		}
	case "attachments":
		e.Attachments, err = d.attachments()
	default:
		return false, nil
	}
	return true, err
}

// finish checks the rules between the members of an event whose last token was just read.
func (r *eventReader) finish(d *decoder, e *Event) error {
	switch {
	case e.Actor == nil:
		return d.fault(onStatement, "the actor is missing")
	case !r.hasVerb:
		return d.fault(onStatement, "the verb is missing")
	case e.Object.Kind == 0:
		return d.fault(onStatement, "the object is missing")
	case e.Verb.ID == VoidedVerb && e.Object.Kind != StatementRefObject:
		return d.faultAt("/object", onVoiding, "the object of a voiding statement must be a StatementRef")
	case r.activityOnly != "" && e.Object.Kind != ActivityObject:
		return d.faultAt("/context/"+r.activityOnly, onContext, "this property must be used only when the object is an Activity")
	}
	return nil
}

func (d *decoder) verb() (Verb, error) {
	var verb Verb
	err := d.object(onVerb, func(name string) error {
		var err error
		switch name {
		case "id":
			verb.ID, err = d.iri(onVerb)
		case "display":
			verb.Display, err = d.rawOf(d.languageMap)
		default:
			err = d.unknown(onVerb)
		}
		return err
	})
	if err == nil && verb.ID == "" {
		err = d.fault(onVerb, "the id of the verb is missing")
	}
	return verb, err
}

func (d *decoder) timestamp() (utc string, err error) {
	s, err := d.string(onTimestamps)
	if err != nil {
		return "", err
	}
	utc, ok := utcTimestamp(s)
	if !ok {
		return "", d.fault(onTimestamps, timestampRule)
	}
	return utc, nil
}

// rawOf reads a value with read and gives its bytes.
func (d *decoder) rawOf(read func() error) ([]byte, error) {
	start := d.next()
	if err := read(); err != nil {
		return nil, err
	}
	return d.body[start:d.offset():d.offset()], nil
}

package xapi

import "slices"

// ObjectKind says what the object of a statement is.
type ObjectKind uint8

// The kinds of object. Source: Data 2.4.4.
const (
	ActivityObject ObjectKind = iota + 1
	AgentObject               // Agent or Group
	StatementRefObject
	SubStatementObject
)

// Object is the object of a statement: exactly the field that Kind names is set.
type Object struct {
	Kind     ObjectKind
	Activity *Activity
	Actor    *Actor
	Ref      string // id of the referenced statement, lower case
	Sub      *Event
}

// objectReader reads the members of every kind of object before it is known which
// one it is: objectType may come last, and reading twice would cost twice. For each
// family of members it keeps the first name met, to refuse it when the kind is another.
type objectReader struct {
	objectType string
	id         string
	definition []byte
	actor      actorReader
	sub        *Event
	event      eventReader

	idName, definitionName, actorName, eventName string
}

// objectOfStatement reads the object of a statement, or of a SubStatement (nested).
func (d *decoder) objectOfStatement(nested bool) (Object, error) {
	var r objectReader
	err := d.object(onObject, func(name string) error { return r.member(d, name, nested) })
	if err != nil {
		return Object{}, err
	}
	return r.finish(d, nested)
}

func (r *objectReader) member(d *decoder, name string, nested bool) (err error) {
	switch name {
	case "objectType":
		r.objectType, err = d.format(onObject, isObjectType, `the objectType must be "Activity", "Agent", "Group", "StatementRef" or "SubStatement"`)
		return err
	case "id":
		r.idName = name
		r.id, err = d.string(onObject)
		return err
	case "definition":
		r.definitionName = name
		r.definition, err = d.rawOf(d.definition)
		return err
	case "name", "member", "mbox", "mbox_sha1sum", "openid", "account":
		if r.actor.actor == nil {
			r.actor.actor, r.actorName = new(Actor), name
		}
		_, err = r.actor.member(d, name)
		return err
	case "actor", "verb", "object", "result", "context", "timestamp", "attachments":
		if nested {
			return d.fault(onReference, "a SubStatement must not contain a SubStatement")
		}
		if r.sub == nil {
			r.sub, r.eventName = new(Event), name
		}
		_, err = r.event.member(d, r.sub, name, true)
		return err
	}
	return d.unknown(onObject)
}

func isObjectType(s string) bool {
	switch s {
	case "Activity", "Agent", "Group", "StatementRef", "SubStatement":
		return true
	}
	return false
}

// finish decides which object it is, the last token of which was just read.
func (r *objectReader) finish(d *decoder, nested bool) (Object, error) {
	switch r.objectType {
	case "", "Activity":
		if err := r.only(d, onActivity, r.idName, r.definitionName); err != nil {
			return Object{}, err
		}
		if !ValidIRI(r.id) {
			return Object{}, d.faultID(r.idName, onActivity, "the id of an Activity must be an IRI with a scheme")
		}
		return Object{Kind: ActivityObject, Activity: &Activity{ID: r.id, Definition: r.definition}}, nil
	case "Agent", "Group":
		if err := r.only(d, onActor, r.actorName); err != nil {
			return Object{}, err
		}
		if r.actor.actor == nil {
			r.actor.actor = new(Actor)
		}
		if err := r.actor.finish(d, r.objectType == "Group"); err != nil {
			return Object{}, err
		}
		return Object{Kind: AgentObject, Actor: r.actor.actor}, nil
	case "StatementRef":
		if err := r.only(d, onReference, r.idName); err != nil {
			return Object{}, err
		}
		if !ValidUUID(r.id) {
			return Object{}, d.faultID(r.idName, onReference, "the id of a StatementRef must be a UUID in its standard form")
		}
		return Object{Kind: StatementRefObject, Ref: NormalizeUUID(r.id)}, nil
	}
	if nested {
		return Object{}, d.fault(onReference, "a SubStatement must not contain a SubStatement")
	}
	if err := r.only(d, onReference, r.eventName); err != nil {
		return Object{}, err
	}
	if r.sub == nil {
		r.sub = new(Event)
	}
	if err := r.event.finish(d, r.sub); err != nil {
		return Object{}, err
	}
	return Object{Kind: SubStatementObject, Sub: r.sub}, nil
}

// only refuses the members of other families than those allowed here.
func (r *objectReader) only(d *decoder, rule section, allowed ...string) error {
	for _, name := range [...]string{r.idName, r.definitionName, r.actorName, r.eventName} {
		if name != "" && !slices.Contains(allowed, name) {
			return d.faultAt("/"+name, rule, "this property does not belong to an object of this objectType (without one it is an Activity)")
		}
	}
	return nil
}

// faultID points at an id that is wrong, or at the object that has none.
func (d *decoder) faultID(name string, rule section, must string) error {
	if name == "" {
		return d.fault(rule, "the id is missing")
	}
	return d.faultAt("/id", rule, must)
}

// reference reads a StatementRef and gives its id. Source: Data 2.4.4.3.
func (d *decoder) reference() (id string, err error) {
	objectType := ""
	err = d.object(onReference, func(name string) error {
		var err error
		switch name {
		case "objectType":
			objectType, err = d.literal(onReference, "StatementRef")
		case "id":
			id, err = d.uuid(onReference)
		default:
			err = d.unknown(onReference)
		}
		return err
	})
	if err == nil && (objectType == "" || id == "") {
		err = d.fault(onReference, "a StatementRef must have its objectType and an id")
	}
	return id, err
}

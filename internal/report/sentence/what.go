package sentence

import "encoding/json/v2"

// object is what a statement is about.
type object struct {
	ObjectType string     `json:"objectType"`
	ID         string     `json:"id"`
	Definition definition `json:"definition"`

	// Of an Agent or Group.
	Name     string   `json:"name"`
	Mbox     string   `json:"mbox"`
	MboxSHA1 string   `json:"mbox_sha1sum"`
	OpenID   string   `json:"openid"`
	Account  *account `json:"account"`

	// Of a SubStatement.
	Actor   actor   `json:"actor"`
	Verb    verb    `json:"verb"`
	Object  *object `json:"object"`
	Result  result  `json:"result"`
	Context context `json:"context"`
}

// definition is that of an activity. It can come from the statement or be the canonical one.
type definition struct {
	Name        map[string]string `json:"name"`
	Description map[string]string `json:"description"`
	Choices     []component       `json:"choices"`
}

type component struct {
	ID          string            `json:"id"`
	Description map[string]string `json:"description"`
}

// object names what a statement is about.
func (o Options) object(ob object) string {
	switch ob.ObjectType {
	case "Agent", "Group":
		if o.Anonymous {
			return "somebody"
		}
		return isolate(o.actor(actor{ObjectType: ob.ObjectType, Name: ob.Name, Mbox: ob.Mbox, MboxSHA1: ob.MboxSHA1, OpenID: ob.OpenID, Account: ob.Account}))
	case "StatementRef":
		if o.Anonymous { // an id leads to its actor
			return "a statement"
		}
		return "the statement " + isolate(clean(ob.ID))
	case "SubStatement":
		inner := event{Actor: ob.Actor, Verb: ob.Verb, Result: ob.Result, Context: ob.Context}
		if ob.Object != nil {
			inner.Object = *ob.Object
		}
		return o.sentence(inner).Text
	}
	return "“" + isolate(o.Activity(ob.ID, ob.Definition)) + "”"
}

// Activity names an activity: by the name of its definition, the canonical one, the description, or the last segment of
// its id.
func (o Options) Activity(id string, own definition) string {
	canonical := o.canonical(id)
	for _, text := range []string{pick(own.Name), pick(canonical.Name), pick(own.Description), pick(canonical.Description), lastSegment(id)} {
		if text = clean(text); text != "" {
			return text
		}
	}
	return clean(id)
}

// Name names an activity by its canonical definition (JSON, or nil) and its id.
func Name(id string, canonical []byte) string {
	return Options{Definition: func(string) []byte { return canonical }}.Activity(id, definition{})
}

func (o Options) canonical(id string) (d definition) {
	if o.Definition == nil {
		return d
	}
	text := o.Definition(id)
	if text == nil || json.Unmarshal(text, &d) != nil { // a definition that cannot be read names nothing
		return definition{}
	}
	return d
}

// ActivityID is the id of the activity that a statement is about, "" when it is about something else.
func ActivityID(statement []byte) string {
	var s struct {
		Object struct {
			ObjectType string `json:"objectType"`
			ID         string `json:"id"`
		} `json:"object"`
	}
	if json.Unmarshal(statement, &s) != nil || s.Object.ObjectType != "" && s.Object.ObjectType != "Activity" {
		return ""
	}
	return s.Object.ID
}

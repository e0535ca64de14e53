package xapi

import "encoding/json/jsontext"

// FormatIDs gives a stored statement with only what identifies its Agents, Groups,
// Activities and verbs, everywhere in it: an Activity or a verb is its id alone, an
// Agent or identified Group its objectType and identifier, an anonymous Group its
// objectType and its members in the same form. Results, extensions and attachments
// stay. It fails only when statement is no JSON. Source: Communication 2.1.3 (format).
func FormatIDs(statement []byte) ([]byte, error) {
	n, err := parseNode(statement)
	if err != nil {
		return nil, err
	}
	f := &formatter{
		actor:    formatter.identifierOnly,
		activity: formatter.idOnly,
		verb:     formatter.idOnly,
	}
	return f.event(make([]byte, 0, len(statement)), n), nil
}

// formatter writes a statement again with its actors, activities and verbs rewritten.
type formatter struct {
	actor, activity, verb func(f formatter, out []byte, n node) []byte
	languages             languagePreference
}

func (f formatter) event(out []byte, n node) []byte {
	return appendObject(out, n, func(out []byte, m member) []byte {
		switch m.name {
		case "actor", "authority":
			return f.actor(f, out, m.value)
		case "verb":
			return f.verb(f, out, m.value)
		case "object":
			return f.object(out, m.value)
		case "context":
			return f.context(out, m.value)
		}
		return append(out, m.value.raw...)
	})
}

func (f formatter) object(out []byte, n node) []byte {
	switch n.get("objectType").text() {
	case "Agent", "Group":
		return f.actor(f, out, n)
	case "StatementRef":
		return append(out, n.raw...)
	case "SubStatement":
		return f.event(out, n)
	}
	return f.activity(f, out, n)
}

func (f formatter) context(out []byte, n node) []byte {
	return appendObject(out, n, func(out []byte, m member) []byte {
		switch m.name {
		case "instructor", "team":
			return f.actor(f, out, m.value)
		case "contextActivities":
			return appendObject(out, m.value, func(out []byte, m member) []byte {
				return appendArray(out, m.value, func(out []byte, n node) []byte { return f.activity(f, out, n) })
			})
		case "contextAgents", "contextGroups":
			return appendArray(out, m.value, f.contextActor)
		}
		return append(out, m.value.raw...)
	})
}

func (f formatter) contextActor(out []byte, n node) []byte {
	return appendObject(out, n, func(out []byte, m member) []byte {
		if m.name == "agent" || m.name == "group" {
			return f.actor(f, out, m.value)
		}
		return append(out, m.value.raw...)
	})
}

func (f formatter) idOnly(out []byte, n node) []byte {
	return appendObject(out, n, func(out []byte, m member) []byte {
		if m.name != "id" {
			return nil
		}
		return append(out, m.value.raw...)
	})
}

func (f formatter) identifierOnly(out []byte, n node) []byte {
	anonymous := true
	for _, m := range n.members {
		switch IFIKind(m.name) {
		case Mbox, MboxSHA1Sum, OpenID, Account:
			anonymous = false
		}
	}
	return appendObject(out, n, func(out []byte, m member) []byte {
		switch {
		case m.name == "name", m.name == "member" && !anonymous:
			return nil
		case m.name == "member":
			return appendArray(out, m.value, f.identifierOnly)
		}
		return append(out, m.value.raw...)
	})
}

// appendObject writes an object with the values that write appends; nil leaves a member
// out. A value of another kind is written as it stands.
func appendObject(out []byte, n node, write func(out []byte, m member) []byte) []byte {
	if n.kind != jsontext.KindBeginObject {
		return append(out, n.raw...)
	}
	out = append(out, '{')
	first := true
	for _, m := range n.members {
		before := len(out)
		if !first {
			out = append(out, ',')
		}
		written := write(append(append(out, m.quote...), ':'), m)
		if written == nil {
			out = out[:before]
			continue
		}
		out, first = written, false
	}
	return append(out, '}')
}

// appendArray writes an array of what write appends for each element.
func appendArray(out []byte, n node, write func(out []byte, n node) []byte) []byte {
	if n.kind != jsontext.KindBeginArray {
		return append(out, n.raw...)
	}
	out = append(out, '[')
	for i, element := range n.elements {
		if i > 0 {
			out = append(out, ',')
		}
		out = write(out, element)
	}
	return append(out, ']')
}

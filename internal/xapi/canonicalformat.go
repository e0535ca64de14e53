package xapi

// FormatCanonical gives a stored statement with the canonical definition of every
// Activity, as definition gives it (nil: the one in the statement stays), and with
// one language in each language map of Activities and verbs, chosen for each map by
// acceptLanguage, the header's value, "" when absent. Agents and Groups stay. It fails
// only when statement, or a definition, is no JSON.
// Source: Communication 2.1.3 (format, and the language filtering requirements).
func FormatCanonical(statement []byte, acceptLanguage string, definition func(activityID string) []byte) ([]byte, error) {
	n, err := parseNode(statement)
	if err != nil {
		return nil, err
	}
	definitions := make(map[string]node)
	for _, id := range activityIDs(n) {
		if stored := definition(id); stored != nil {
			if definitions[id], err = parseNode(stored); err != nil {
				return nil, err
			}
		}
	}
	f := formatter{
		actor: formatter.asReceived,
		activity: func(f formatter, out []byte, n node) []byte {
			return f.canonicalActivity(out, n, definitions[n.get("id").text()])
		},
		verb:      formatter.oneDisplay,
		languages: parseAcceptLanguage(acceptLanguage),
	}
	return f.event(make([]byte, 0, len(statement)), n), nil
}

// ActivityIDs gives the ids of all Activities in a stored statement, each once, in
// the order they come: those that FormatCanonical will ask for. It fails only when
// statement is no JSON.
func ActivityIDs(statement []byte) ([]string, error) {
	n, err := parseNode(statement)
	if err != nil {
		return nil, err
	}
	return activityIDs(n), nil
}

func activityIDs(n node) (ids []string) {
	seen := make(map[string]bool)
	f := formatter{
		actor: formatter.asReceived,
		verb:  formatter.asReceived,
		activity: func(_ formatter, out []byte, n node) []byte {
			if id := n.get("id").text(); !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
			return out
		},
	}
	f.event(nil, n)
	return ids
}

func (f formatter) asReceived(out []byte, n node) []byte { return append(out, n.raw...) }

// canonicalActivity writes an Activity with the stored definition, or with its own
// when stored is the zero node.
func (f formatter) canonicalActivity(out []byte, n, stored node) []byte {
	own := n.get("definition")
	out = appendObject(out, n, func(out []byte, m member) []byte {
		switch {
		case m.name == "definition" && stored.kind != 0:
			return f.oneLanguageDefinition(out, stored)
		case m.name == "definition":
			return f.oneLanguageDefinition(out, own)
		}
		return append(out, m.value.raw...)
	})
	if own.kind != 0 || stored.kind == 0 {
		return out
	}
	out = append(out[:len(out)-1], `,"definition":`...)
	return append(f.oneLanguageDefinition(out, stored), '}')
}

func (f formatter) oneLanguageDefinition(out []byte, n node) []byte {
	return appendObject(out, n, func(out []byte, m member) []byte {
		switch m.name {
		case "name", "description":
			return f.oneLanguage(out, m.value)
		case "choices", "scale", "source", "target", "steps":
			return appendArray(out, m.value, func(out []byte, n node) []byte {
				return appendObject(out, n, func(out []byte, m member) []byte {
					if m.name == "description" {
						return f.oneLanguage(out, m.value)
					}
					return append(out, m.value.raw...)
				})
			})
		}
		return append(out, m.value.raw...)
	})
}

func (f formatter) oneDisplay(out []byte, n node) []byte {
	return appendObject(out, n, func(out []byte, m member) []byte {
		if m.name == "display" {
			return f.oneLanguage(out, m.value)
		}
		return append(out, m.value.raw...)
	})
}

// oneLanguage writes a language map with its best entry; an empty one stays empty.
func (f formatter) oneLanguage(out []byte, n node) []byte {
	tags := make([]string, len(n.members))
	for i, m := range n.members {
		tags[i] = m.name
	}
	best := f.languages.choose(tags)
	i := -1
	return appendObject(out, n, func(out []byte, m member) []byte {
		if i++; i != best {
			return nil
		}
		return append(out, m.value.raw...)
	})
}

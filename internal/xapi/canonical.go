package xapi

import (
	"bytes"
	"cmp"
	"encoding/json/jsontext"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Canonical is the canonical definition of one Activity: what all the definitions
// that statements brought come to. Which of two texts stays is decided by the positions
// of their statements, so statements that race, and requests and streams that are
// repeated, change nothing that they should not. The text that counts already changes
// nothing when it comes again, so a definition that comes with every statement costs one
// write. The zero value is the definition of an Activity that nobody described. README.md
// says which part wins and why. Source: Data 2.4.4.1, LRS requirements.
type Canonical struct {
	parts map[slot]part
}

// slot names a part of a definition that is replaced as a whole.
type slot struct {
	property  string // of the definition
	component string // id of an interaction component, when the part is a text of its description
	name      string // language tag in lower case, or extension key
}

// part is what counts for a slot.
type part struct {
	position [16]byte // of the statement that brought it
	name     []byte   // JSON string: the language tag or extension key as received
	value    []byte   // JSON, as received; of a component list, the array of its ids
}

// Latest is after every position. A definition that would change nothing if it were merged there is the one that counts.
var Latest = [16]byte(bytes.Repeat([]byte{0xff}, 16))

// maxParts bounds a canonical definition: of the slots that later statements can add
// to without end, the latest stay.
const maxParts = 4096

// first says that the slot keeps what came first: what the learners of a question
// were graded by must not be rewritten by a later statement.
func (s slot) first() bool {
	switch s.property {
	case "interactionType", "correctResponsesPattern":
		return true
	}
	return isComponentList(s.property) && s.name == "" // the list; its texts have a language
}

func isComponentList(property string) bool {
	switch property {
	case "choices", "scale", "source", "target", "steps":
		return true
	}
	return false
}

func compareSlots(a, b slot) int {
	return cmp.Or(
		strings.Compare(a.property, b.property),
		strings.Compare(a.component, b.component),
		strings.Compare(a.name, b.name),
	)
}

// compareParts orders by position, and by the bytes where one statement describes an
// Activity twice.
func compareParts(a, b part) int {
	return cmp.Or(bytes.Compare(a.position[:], b.position[:]), bytes.Compare(a.value, b.value), bytes.Compare(a.name, b.name))
}

// takes says whether p replaces the part that counts.
func (s slot) takes(old, p part) bool {
	if s.first() {
		return compareParts(p, old) < 0
	}
	same := bytes.Equal(old.value, p.value) && bytes.Equal(old.name, p.name)
	return !same && compareParts(p, old) > 0
}

// Merge takes in the definition that the statement at position brought. changed says
// whether c is now different and has to be stored. The error says that definition is no JSON object.
func (c *Canonical) Merge(definition []byte, position [16]byte) (changed bool, err error) {
	n, err := parseNode(definition)
	if err != nil {
		return false, fmt.Errorf("merge definition: %w", err)
	}
	if n.kind != jsontext.KindBeginObject {
		return false, fmt.Errorf("merge definition: not an object")
	}
	var taken []slot
	eachPart(n, func(s slot, p part) {
		p.position = position
		if old, ok := c.parts[s]; ok && !s.takes(old, p) {
			return
		}
		if c.parts == nil {
			c.parts = make(map[slot]part)
		}
		p.name, p.value = bytes.Clone(p.name), bytes.Clone(p.value)
		c.parts[s] = p
		taken = append(taken, s)
	})
	c.trim()
	for _, s := range taken {
		if _, stayed := c.parts[s]; stayed {
			return true, nil
		}
	}
	return false, nil
}

// eachPart calls take for the parts of a definition, without their position.
func eachPart(definition node, take func(slot, part)) {
	for _, m := range definition.members {
		switch {
		case m.name == "name", m.name == "description":
			eachText(slot{property: m.name}, m.value, take)
		case m.name == "extensions":
			for _, extension := range m.value.members {
				take(slot{property: m.name, name: extension.name}, part{name: extension.quote, value: extension.value.raw})
			}
		case isComponentList(m.name):
			ids := make([][]byte, len(m.value.elements))
			for i, component := range m.value.elements {
				id := component.get("id")
				ids[i] = id.raw
				eachText(slot{property: m.name, component: id.text()}, component.get("description"), take)
			}
			take(slot{property: m.name}, part{value: list(ids)})
		default:
			take(slot{property: m.name}, part{value: m.value.raw})
		}
	}
}

func eachText(s slot, languageMap node, take func(slot, part)) {
	for _, m := range languageMap.members {
		s.name = strings.ToLower(m.name)
		take(s, part{name: m.quote, value: m.value.raw})
	}
}

// trim keeps the bound on the parts that later statements can add to without end.
func (c *Canonical) trim() {
	if len(c.parts) <= maxParts {
		return
	}
	slots := slices.DeleteFunc(slices.Collect(maps.Keys(c.parts)), slot.first)
	slices.SortFunc(slots, func(a, b slot) int {
		return cmp.Or(compareParts(c.parts[b], c.parts[a]), compareSlots(a, b))
	})
	for _, s := range slots[min(maxParts, len(slots)):] {
		delete(c.parts, s)
	}
}

// JSON gives the merged definition, "{}" when there is none: one text for one state.
func (c *Canonical) JSON() []byte {
	slots := c.slots()
	out := []byte{'{'}
	for len(slots) > 0 {
		property := slots[0].property
		end := 0
		for end < len(slots) && slots[end].property == property {
			end++
		}
		out = c.appendProperty(out, property, slots[:end])
		slots = slots[end:]
	}
	return closeObject(out)
}

// slots gives the slots in order.
func (c *Canonical) slots() []slot {
	return slices.SortedFunc(maps.Keys(c.parts), compareSlots)
}

// appendProperty writes one property, of which slots are all that there is, in order.
func (c *Canonical) appendProperty(out []byte, property string, slots []slot) []byte {
	switch {
	case isComponentList(property):
		list := c.parts[slot{property: property}]
		if list.value == nil {
			return out // only damaged storage has the texts without their list
		}
		out = append(append(out, quoted(property)...), ":["...)
		ids, _ := parseNode(list.value)
		texts := make(map[string][]slot)
		for _, s := range slots[1:] { // the list itself sorts first
			texts[s.component] = append(texts[s.component], s)
		}
		for i, id := range ids.elements {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(append(out, `{"id":`...), id.raw...)
			if described := texts[id.text()]; described != nil {
				out = append(c.appendMap(append(out, `,"description":`...), described), '}')
			} else {
				out = append(out, '}')
			}
		}
		out = append(out, ']')
	case property == "name", property == "description", property == "extensions":
		out = c.appendMap(append(append(out, quoted(property)...), ':'), slots)
	default:
		out = append(append(append(out, quoted(property)...), ':'), c.parts[slots[0]].value...)
	}
	return append(out, ',')
}

// appendMap writes a language map or an extensions map.
func (c *Canonical) appendMap(out []byte, slots []slot) []byte {
	out = append(out, '{')
	for _, s := range slots {
		p := c.parts[s]
		out = append(append(append(append(out, p.name...), ':'), p.value...), ',')
	}
	return closeObject(out)
}

// closeObject ends an object whose members each end in a comma.
func closeObject(out []byte) []byte {
	return append(bytes.TrimSuffix(out, []byte(",")), '}')
}

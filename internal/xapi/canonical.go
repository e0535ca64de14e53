package xapi

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json/jsontext"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Canonical is the canonical definition of one Activity: what all the definitions
// that statements brought come to. Which of two texts stays depends on them and on the
// positions of their statements alone, so merging is commutative, associative and
// idempotent: replays, races and any order of the same statements end in the same
// definition, and it can be derived again from them. What was brought before, on the
// same day of UTC, changes nothing, so a definition that comes with every statement
// costs a write a day. The zero value is the definition of an Activity that nobody
// described. README.md says which part wins and why. Source: Data 2.4.4.1, LRS requirements.
type Canonical struct {
	parts map[slot][]part // in order, the one that counts last; never empty
}

// slot names a part of a definition that is replaced as a whole.
type slot struct {
	property  string // of the definition
	component string // id of an interaction component, when the part is a text of its description
	name      string // language tag in lower case, or extension key
}

// part is what a statement brought for a slot. A slot that keeps what came first has
// one; any other has all that came on its last day, each at its first position on it.
type part struct {
	position [16]byte // the first six bytes are milliseconds since 1970, as in UUIDv7
	name     []byte   // JSON string: the language tag or extension key as received
	value    []byte   // JSON, as received; of a component list, the array of its ids
}

// EndOfDay is the last position of the UTC day of a position: until then, what was
// merged at that position can be merged again without a change.
func EndOfDay(position [16]byte) [16]byte {
	end := [16]byte(bytes.Repeat([]byte{0xff}, 16))
	var milliseconds [8]byte
	binary.BigEndian.PutUint64(milliseconds[:], (day(position)+1)*millisecondsADay-1)
	copy(end[:], milliseconds[2:])
	return end
}

const millisecondsADay = 24 * 60 * 60 * 1000

// day counts days of UTC since 1970.
func day(position [16]byte) uint64 {
	var milliseconds [8]byte
	copy(milliseconds[2:], position[:])
	return binary.BigEndian.Uint64(milliseconds[:]) / millisecondsADay
}

// maxParts bounds a canonical definition: of the slots that later statements can add
// to without end, those of the latest days stay. (A bound in bytes would not be
// commutative: what fits would depend on the order.) maxRivals bounds the different
// texts for one slot on one day; only beyond it can their order of arrival matter.
const (
	maxParts  = 4096
	maxRivals = 16
)

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

// with gives the parts of a slot with p among them, and whether that is a change.
func (s slot) with(parts []part, p part) (_ []part, changed bool) {
	p.name, p.value = bytes.Clone(p.name), bytes.Clone(p.value)
	switch {
	case len(parts) == 0:
		return []part{p}, true
	case s.first():
		if compareParts(p, parts[0]) >= 0 {
			return parts, false
		}
		return []part{p}, true
	case day(p.position) < day(parts[0].position):
		return parts, false
	case day(p.position) > day(parts[0].position):
		return []part{p}, true
	}
	parts = slices.Clone(parts)
	same := slices.IndexFunc(parts, func(o part) bool { return bytes.Equal(o.value, p.value) && bytes.Equal(o.name, p.name) })
	switch {
	case same < 0:
		parts = append(parts, p)
	case compareParts(p, parts[same]) < 0:
		parts[same] = p
	default:
		return parts, false
	}
	slices.SortFunc(parts, compareParts)
	if len(parts) > maxRivals {
		changed = compareParts(parts[0], p) != 0
		return parts[1:], changed
	}
	return parts, true
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
		parts, changed := s.with(c.parts[s], p)
		if !changed {
			return
		}
		if c.parts == nil {
			c.parts = make(map[slot][]part)
		}
		c.parts[s] = parts
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
		return cmp.Or(cmp.Compare(day(c.parts[b][0].position), day(c.parts[a][0].position)), compareSlots(a, b))
	})
	for _, s := range slots[min(maxParts, len(slots)):] {
		delete(c.parts, s)
	}
}

// winner is the part of a slot that counts, the zero part when there is none.
func (c *Canonical) winner(s slot) part {
	parts := c.parts[s]
	if len(parts) == 0 {
		return part{}
	}
	return parts[len(parts)-1]
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
		list := c.winner(slot{property: property})
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
		out = append(append(append(out, quoted(property)...), ':'), c.winner(slots[0]).value...)
	}
	return append(out, ',')
}

// appendMap writes a language map or an extensions map.
func (c *Canonical) appendMap(out []byte, slots []slot) []byte {
	out = append(out, '{')
	for _, s := range slots {
		p := c.winner(s)
		out = append(append(append(append(out, p.name...), ':'), p.value...), ',')
	}
	return closeObject(out)
}

// closeObject ends an object whose members each end in a comma.
func closeObject(out []byte) []byte {
	return append(bytes.TrimSuffix(out, []byte(",")), '}')
}

package xapi

import (
	"encoding/json/jsontext"
)

// Edits are what the LRS sets in a statement that it stores. Source: Data 2.3.1.
type Edits struct {
	ID        string // used only when the statement has none
	Stored    string // always written
	Timestamp string // used only when the statement has none
	Authority []byte // JSON; always written, unless nil: then the one that was sent stays
	Version   string // used only when the statement has none; "" means 1.0.0 or 2.0.0 by the version of the request
}

// Render gives the statement as it is stored and served: the bytes that were
// received, but for the declared edits. What was sent is overwritten in place, what
// was not is appended. White space, order of members, escapes and numbers stay. It
// copies spans and parses nothing.
func (s *Statement) Render(e Edits) []byte {
	const members = `,"id":"","timestamp":"","stored":"","authority":,"version":"2.0.0"`
	out := make([]byte, 0, len(s.raw)+len(members)+len(e.ID)+len(e.Timestamp)+len(e.Stored)+len(e.Authority)+len(e.Version))
	type overwrite struct {
		span
		value []byte
	}
	stored, _ := jsontext.AppendQuote(nil, e.Stored)
	first, second := overwrite{s.storedSpan, stored}, overwrite{s.authoritySpan, e.Authority}
	if second.start < first.start {
		first, second = second, first
	}
	end := 0
	for _, o := range [...]overwrite{first, second} {
		if o.end == 0 || o.value == nil {
			continue
		}
		out = append(append(out, s.raw[end:o.start]...), o.value...)
		end = o.end
	}
	last := lastMember(s.raw)
	out = append(out, s.raw[end:last]...)
	if !s.hasID {
		out = appendMember(out, "id", e.ID)
	}
	if s.Timestamp == "" {
		out = appendMember(out, "timestamp", e.Timestamp)
	}
	if s.storedSpan.end == 0 {
		out = append(append(out, `,"stored":`...), stored...)
	}
	if s.authoritySpan.end == 0 && e.Authority != nil {
		out = append(append(out, `,"authority":`...), e.Authority...)
	}
	if s.Version == "" {
		version := e.Version
		if version == "" {
			version = s.request.statementDefault()
		}
		out = appendMember(out, "version", version)
	}
	return append(out, s.raw[last:]...)
}

// lastMember is where the last member of a JSON object that is not empty ends.
func lastMember(raw []byte) int {
	end := len(raw) - 1 // the brace
	for raw[end-1] == ' ' || raw[end-1] == '\t' || raw[end-1] == '\r' || raw[end-1] == '\n' {
		end--
	}
	return end
}

func appendMember(out []byte, name, value string) []byte {
	out = append(append(append(out, `,"`...), name...), `":`...)
	out, _ = jsontext.AppendQuote(out, value)
	return out
}

// keep makes raw from the statement's part of the body and the edits, which are in
// order, and moves the spans with it. No edit lies inside stored or authority.
func (s *Statement) keep(body []byte, whole span, edits []edit) {
	s.storedSpan = s.storedSpan.moved(whole.start, edits)
	s.authoritySpan = s.authoritySpan.moved(whole.start, edits)
	if len(edits) == 0 {
		s.raw = body[whole.start:whole.end:whole.end]
		return
	}
	size := whole.end - whole.start
	for _, e := range edits {
		size += e.growth()
	}
	s.raw = make([]byte, 0, size)
	at := whole.start
	for _, e := range edits {
		s.raw = append(append(s.raw, body[at:e.start]...), e.text...)
		at = e.end
	}
	s.raw = append(s.raw, body[at:whole.end]...)
}

// moved gives the span of the body in raw bytes that begin at start and have the
// edits made. The zero span of an absent member stays.
func (s span) moved(start int, edits []edit) span {
	if s.end == 0 {
		return s
	}
	by := -start
	for _, e := range edits {
		if e.end <= s.start {
			by += e.growth()
		}
	}
	return span{s.start + by, s.end + by}
}

// growth is how much longer the edit makes the text.
func (e edit) growth() int { return len(e.text) - (e.end - e.start) }

package xapi

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// canonicalFormat is the first byte of a stored Canonical.
const canonicalFormat = 1

var errCanonical = errors.New("read canonical definition: the bytes are damaged")

// MarshalBinary gives c for storage: the format, then each part as its slot, its
// position and its bytes, in order, so that equal definitions have equal bytes. The
// error is always nil.
func (c *Canonical) MarshalBinary() ([]byte, error) {
	out := []byte{canonicalFormat}
	for _, s := range c.slots() {
		p := c.parts[s]
		for _, text := range [...]string{s.property, s.component, s.name} {
			out = append(binary.AppendUvarint(out, uint64(len(text))), text...)
		}
		out = append(out, p.position[:]...)
		for _, text := range [...][]byte{p.name, p.value} {
			out = append(binary.AppendUvarint(out, uint64(len(text))), text...)
		}
	}
	return out, nil
}

// UnmarshalBinary replaces c by what MarshalBinary wrote. It keeps no part of data.
func (c *Canonical) UnmarshalBinary(data []byte) error {
	if len(data) == 0 {
		return errCanonical
	}
	if data[0] != canonicalFormat {
		return fmt.Errorf("read canonical definition: format %d is not known", data[0])
	}
	parts := make(map[slot]part)
	var last slot
	for r := (reader{data[1:]}); len(r.rest) > 0; {
		var s slot
		var p part
		var name, value string
		if !r.text(&s.property) || !r.text(&s.component) || !r.text(&s.name) ||
			!r.bytes(p.position[:]) || !r.text(&name) || !r.text(&value) || value == "" {
			return errCanonical
		}
		p.name, p.value = []byte(name), []byte(value)
		if len(parts) > 0 && compareSlots(last, s) >= 0 {
			return errCanonical
		}
		parts[s] = p
		last = s
	}
	c.parts = parts
	return nil
}

// reader takes pieces off the front of a text.
type reader struct{ rest []byte }

func (r *reader) text(to *string) bool {
	length, n := binary.Uvarint(r.rest)
	if n <= 0 || length > uint64(len(r.rest)-n) {
		return false
	}
	end := n + int(length)
	*to, r.rest = string(r.rest[n:end]), r.rest[end:]
	return true
}

func (r *reader) bytes(to []byte) bool {
	if len(r.rest) < len(to) {
		return false
	}
	copy(to, r.rest)
	r.rest = r.rest[len(to):]
	return true
}

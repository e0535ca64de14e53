package document

import (
	"bytes"
	"encoding/json/jsontext"
	"errors"
	"io"
	"mime"
	"strings"
)

const (
	jsonType   = "application/json"
	opaqueType = "application/octet-stream" // of content that came without a type. Source: RFC 9110, 8.3
)

// check refuses an Upload whose type could not stand in a header, and JSON that is none.
func (u Upload) check() error {
	mediaType, err := u.mediaType()
	if err == nil && mediaType == jsonType && !jsontext.Value(u.Content).IsValid() {
		err = ErrJSON
	}
	return err
}

// mediaType is the type without its parameters, "" when there is none; ErrContentType for one that is not.
func (u Upload) mediaType() (string, error) {
	if u.ContentType == "" {
		return "", nil
	}
	if len(u.ContentType) > MaxType || strings.ContainsFunc(u.ContentType, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", ErrContentType
	}
	mediaType, _, err := mime.ParseMediaType(u.ContentType)
	if err != nil || !strings.Contains(mediaType, "/") {
		return "", ErrContentType
	}
	return mediaType, nil
}

// storedType is the Content-Type that the document is kept with.
func (u Upload) storedType() string {
	if u.ContentType == "" {
		return opaqueType
	}
	return u.ContentType
}

// isJSON reports whether content of this type takes part in merging, whatever its parameters.
func isJSON(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == jsonType
}

// member is a member of a JSON object, as received.
type member struct {
	name       string // unescaped
	raw, value jsontext.Value
}

// merge sets each member of posted on stored. Names and values keep their bytes, white space between them does not; the
// stored members keep their order, the new ones follow. ErrMerge when one of both is not an object.
// Source: xAPI 1.0.3 Communication 2.2.
func merge(stored, posted []byte) ([]byte, error) {
	members, err := membersOf(stored)
	if err != nil {
		return nil, err
	}
	news, err := membersOf(posted)
	if err != nil {
		return nil, err
	}
	index := make(map[string]int, len(members))
	for i, m := range members {
		index[m.name] = i
	}
	for _, m := range news {
		if i, ok := index[m.name]; ok {
			members[i].value = m.value
		} else {
			members = append(members, m)
		}
	}
	merged := make([]byte, 0, len(stored)+len(posted))
	merged = append(merged, '{')
	for i, m := range members {
		if i > 0 {
			merged = append(merged, ',')
		}
		merged = append(merged, m.raw...)
		merged = append(merged, ':')
		merged = append(merged, m.value...)
	}
	return append(merged, '}'), nil
}

// membersOf reads the members of a JSON object in their order.
func membersOf(object []byte) ([]member, error) {
	d := jsontext.NewDecoder(bytes.NewReader(object))
	if d.PeekKind() != jsontext.KindBeginObject {
		return nil, ErrMerge
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, ErrMerge
	}
	var members []member
	for d.PeekKind() == jsontext.KindString {
		raw, err := d.ReadValue()
		if err != nil {
			return nil, ErrMerge
		}
		m := member{raw: raw.Clone()}
		name, err := jsontext.AppendUnquote(nil, raw)
		if err != nil {
			return nil, ErrMerge
		}
		value, err := d.ReadValue()
		if err != nil {
			return nil, ErrMerge
		}
		m.name, m.value = string(name), value.Clone()
		members = append(members, m)
	}
	if _, err := d.ReadToken(); err != nil { // the closing brace, or what stands in its place
		return nil, ErrMerge
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, ErrMerge
	}
	return members, nil
}

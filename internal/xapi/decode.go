package xapi

import (
	"bytes"
	"encoding/json/jsontext"
	"io"
	"sync"
)

// DecodeStatements reads the body of a POST: one statement, or an array of at most
// l.Statements, checked in one pass against the data model of version v. single says
// that the body was an object. An empty array is valid and gives none. Every error
// is an *Error. The statements keep body, which must not change afterwards.
func DecodeStatements(body []byte, v Version, l Limits) (batch []*Statement, single bool, err error) {
	d := newDecoder(body, v, l)
	defer d.release()
	if d.tokens.PeekKind() != jsontext.KindBeginArray {
		s, err := d.onlyStatement()
		if err != nil {
			return nil, false, err
		}
		return []*Statement{s}, true, nil
	}
	if _, err := d.tokens.ReadToken(); err != nil {
		return nil, false, d.malformed(err)
	}
	d.inBatch = true
	seen := make(map[string]bool)
	for d.tokens.PeekKind() != jsontext.KindEndArray {
		if len(batch) == l.Statements {
			return nil, false, tooManyStatements(l.Statements)
		}
		d.statement = len(batch)
		s, err := d.readStatement()
		if err != nil {
			return nil, false, err
		}
		if s.ID != "" {
			if seen[s.ID] {
				return nil, false, d.faultAt("/id", inBatch, "two statements of one request must not have the same id")
			}
			seen[s.ID] = true
		}
		batch = append(batch, s)
	}
	d.statement = -1
	if _, err := d.tokens.ReadToken(); err != nil {
		return nil, false, d.malformed(err)
	}
	return batch, false, d.end()
}

// DecodeStatement reads the body of a PUT, or a stored statement: exactly one
// object. Otherwise it is DecodeStatements.
func DecodeStatement(body []byte, v Version, l Limits) (*Statement, error) {
	d := newDecoder(body, v, l)
	defer d.release()
	return d.onlyStatement()
}

// DecodeAgent reads the agent parameter of a query: an Agent or an identified Group
// as JSON, held to the rules of statements. An anonymous Group identifies nobody and
// is refused. Every error is an *Error. Source: Communication 2.1.3; Data 2.2.
func DecodeAgent(param []byte, v Version) (*Actor, error) {
	d := newDecoder(param, v, DefaultLimits)
	defer d.release()
	d.statement = -1
	actor, err := d.actor(identified)
	if err != nil {
		return nil, err
	}
	return actor, d.end()
}

// decoder reads one request body. It walks the tokens of the JSON once; what it
// keeps are spans of body, so nothing is ever written again from what was understood.
type decoder struct {
	tokens    *jsontext.Decoder
	body      []byte
	window    string // a part of body, from which strings are cut instead of copied one by one
	windowAt  int    // where in body the window begins
	version   Version
	limits    Limits
	statement int    // index of the one being read; -1 between them
	inBatch   bool   // pointers begin with that index
	edits     []edit // declared edits of the statement being read, in order
}

// span is a part of the body, or of a statement's raw bytes.
type span struct{ start, end int }

// edit replaces a span of the body.
type edit struct {
	span
	text string
}

// tokenDecoders saves the buffers of jsontext's decoders, the larger half of the
// memory that decoding a short statement takes.
var tokenDecoders = sync.Pool{New: func() any { return new(jsontext.Decoder) }}

func newDecoder(body []byte, v Version, l Limits) *decoder {
	d := &decoder{body: body, version: v, limits: l}
	d.tokens = tokenDecoders.Get().(*jsontext.Decoder)
	d.tokens.Reset(bytes.NewBuffer(body)) // a Buffer is read in place, and never written
	return d
}

func (d *decoder) release() {
	d.tokens.Reset(bytes.NewReader(nil)) // or the pool would hold on to the body
	tokenDecoders.Put(d.tokens)
}

// end checks that nothing but white space follows.
func (d *decoder) end() error {
	_, err := d.tokens.ReadToken()
	if err == io.EOF {
		return nil
	}
	d.statement, d.inBatch = -1, false
	if err != nil {
		return d.malformed(err)
	}
	return &Error{Statement: -1, Rule: "the body must be one JSON value", Section: d.section(onFormat)}
}

// offset is where the token that was read last ends.
func (d *decoder) offset() int { return int(d.tokens.InputOffset()) }

// next is where the next value begins: jsontext gives only the ends of tokens.
func (d *decoder) next() int {
	at := d.offset()
	for at < len(d.body) {
		switch d.body[at] {
		case ' ', '\t', '\r', '\n', ':', ',':
			at++
		default:
			return at
		}
	}
	return at
}

// want checks the kind of the next value, and passes over a wrong one so that the
// error points at it.
func (d *decoder) want(kind jsontext.Kind, rule section) error {
	got := d.tokens.PeekKind()
	if got == kind {
		return nil
	}
	if err := d.tokens.SkipValue(); err != nil {
		return d.malformed(err)
	}
	if got == jsontext.KindNull {
		return d.fault(onFormat, "null is allowed only inside extensions")
	}
	return d.fault(rule, "must be "+kindNames[kind])
}

var kindNames = map[jsontext.Kind]string{
	jsontext.KindString:      "a string",
	jsontext.KindNumber:      "a number",
	jsontext.KindTrue:        "true or false",
	jsontext.KindBeginObject: "an object",
	jsontext.KindBeginArray:  "an array",
}

// object reads an object and calls member after each name, to read its value.
func (d *decoder) object(rule section, member func(name string) error) error {
	if err := d.want(jsontext.KindBeginObject, rule); err != nil {
		return err
	}
	if _, err := d.tokens.ReadToken(); err != nil {
		return d.malformed(err)
	}
	for d.tokens.PeekKind() != jsontext.KindEndObject {
		name, err := d.name()
		if err != nil {
			return err
		}
		if err := member(name); err != nil {
			return err
		}
	}
	if _, err := d.tokens.ReadToken(); err != nil {
		return d.malformed(err)
	}
	return nil
}

// array reads an array and calls element for each value, to read it.
func (d *decoder) array(rule section, element func() error) error {
	if err := d.want(jsontext.KindBeginArray, rule); err != nil {
		return err
	}
	if _, err := d.tokens.ReadToken(); err != nil {
		return d.malformed(err)
	}
	for d.tokens.PeekKind() != jsontext.KindEndArray {
		if err := element(); err != nil {
			return err
		}
	}
	if _, err := d.tokens.ReadToken(); err != nil {
		return d.malformed(err)
	}
	return nil
}

// name reads the name of a member. jsontext has refused the second of two.
func (d *decoder) name() (string, error) {
	raw, err := d.tokens.ReadValue()
	if err != nil {
		return "", d.malformed(err)
	}
	if len(raw) > d.limits.Name {
		return "", d.nameTooLong()
	}
	return d.unquote(raw), nil
}

// string reads a string.
func (d *decoder) string(rule section) (string, error) {
	if err := d.want(jsontext.KindString, rule); err != nil {
		return "", err
	}
	raw, err := d.tokens.ReadValue()
	if err != nil {
		return "", d.malformed(err)
	}
	return d.unquote(raw), nil
}

// unquote gives the text of the JSON string that was just read.
func (d *decoder) unquote(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		end := d.offset()
		return d.cut(end-len(raw)+1, end-1)
	}
	unquoted, _ := jsontext.AppendUnquote(nil, raw) // read before, so it is valid
	return string(unquoted)
}

// windowSize is what one string costs at most beyond its own bytes, and a statement's
// usual length: its strings then share one allocation.
const windowSize = 2048

// cut gives body[start:end] as a string.
func (d *decoder) cut(start, end int) string {
	if start < d.windowAt || end > d.windowAt+len(d.window) {
		d.window = string(d.body[start:max(end, min(start+windowSize, len(d.body)))])
		d.windowAt = start
	}
	return d.window[start-d.windowAt : end-d.windowAt]
}

// format reads a string that valid must accept.
func (d *decoder) format(rule section, valid func(string) bool, must string) (string, error) {
	s, err := d.string(rule)
	if err == nil && !valid(s) {
		err = d.fault(rule, must)
	}
	return s, err
}

func (d *decoder) iri(rule section) (string, error) {
	return d.format(rule, ValidIRI, "must be an IRI with a scheme")
}

func (d *decoder) uuid(rule section) (string, error) {
	s, err := d.format(rule, ValidUUID, "must be a UUID in its standard form")
	return NormalizeUUID(s), err
}

func (d *decoder) languageMap() error {
	return d.object(onLanguageMaps, func(name string) error {
		if !ValidLanguageTag(name) {
			return d.fault(onLanguageMaps, "the names of a language map must be RFC 5646 language tags")
		}
		_, err := d.string(onLanguageMaps)
		return err
	})
}

func (d *decoder) boolean(rule section) error {
	if kind := d.tokens.PeekKind(); kind != jsontext.KindFalse {
		if err := d.want(jsontext.KindTrue, rule); err != nil {
			return err
		}
	}
	if _, err := d.tokens.ReadToken(); err != nil {
		return d.malformed(err)
	}
	return nil
}

// literal reads a string that must be exactly value.
func (d *decoder) literal(rule section, value string) (string, error) {
	s, err := d.string(rule)
	if err == nil && s != value {
		err = d.fault(rule, `must be "`+value+`"`)
	}
	return s, err
}

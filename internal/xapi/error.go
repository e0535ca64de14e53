package xapi

import (
	"encoding/json/jsontext"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Error is a statement, or a request, that breaks a rule of the specification. Its
// texts name the rule and the place and never repeat a value, so they may be shown
// to the sender; the path can hold names that the sender chose and stays out of logs.
type Error struct {
	Statement int    // index in the request; -1 when the request as a whole is at fault
	Path      string // JSON pointer into the statement, "/actor/mbox"; "" for the whole of it
	Rule      string // one sentence
	Section   string // where the rule stands: "xAPI 1.0.3 Data 2.4.2.3"; "" for a limit of ours
	TooLarge  bool   // a limit, not a mistake: 413 rather than 400
}

// Error gives the place, the rule and its source on one line.
func (e *Error) Error() string {
	text := e.Rule
	if e.Section != "" {
		text += " (" + e.Section + ")"
	}
	if e.Path != "" {
		text = e.Path + ": " + text
	}
	if e.Statement >= 0 {
		text = fmt.Sprintf("statement %d: %s", e.Statement, text)
	}
	return text
}

// Limits bound what one request may hold. Outside extensions the grammar of a
// statement is itself a bound on depth: a value that is nested deeper than the
// specification allows is refused where it begins.
type Limits struct {
	Statements     int // in one request
	ExtensionDepth int // arrays and objects inside one extension value
	Name           int // bytes of one property name, language tag or extension key
}

// DefaultLimits are the limits of every road into the store.
var DefaultLimits = Limits{Statements: 100, ExtensionDepth: 256, Name: 100_000}

// section names a rule's place in both editions of the specification.
type section struct{ v1, v2 string }

var (
	inBatch        = section{"Communication 2.1.2", "4.1.6.1"}
	onFormat       = section{"Data 2.2", "4.2.1"}
	onStatement    = section{"Data 2.4", "4.2.2"}
	onID           = section{"Data 2.4.1", "4.2.2"}
	onVoiding      = section{"Data 2.3.2", "4.2.5"}
	onActor        = section{"Data 2.4.2", "4.2.2.1"}
	onIFI          = section{"Data 2.4.2.3", "4.2.2.1"}
	onAccount      = section{"Data 2.4.2.4", "4.2.2.1"}
	onVerb         = section{"Data 2.4.3", "4.2.2.2"}
	onObject       = section{"Data 2.4.4", "4.2.2.3"}
	onActivity     = section{"Data 2.4.4.1", "4.2.2.3"}
	onReference    = section{"Data 2.4.4.3", "4.2.2.3"}
	onResult       = section{"Data 2.4.5", "4.2.2.4"}
	onScore        = section{"Data 2.4.5.1", "4.2.2.4"}
	onContext      = section{"Data 2.4.6", "4.2.2.5"}
	onActivities   = section{"Data 2.4.6.2", "4.2.2.5"}
	onAuthority    = section{"Data 2.4.9", "4.2.4.2"}
	onVersion      = section{"Data 2.4.10", "4.2.4.2"}
	onAttachments  = section{"Data 2.4.11", "4.2.2.6"}
	onSignature    = section{"Data 2.6", "4.2.6"}
	onExtensions   = section{"Data 4.1", "4.2.7"}
	onLanguageMaps = section{"Data 4.2", "4.2.7"}
	onTimestamps   = section{"Data 4.5", "4.2.7"}
	onDurations    = section{"Data 4.6", "4.2.7"}
)

func (d *decoder) section(s section) string {
	if d.version == V2 {
		return "IEEE 9274.1.1 " + s.v2
	}
	return "xAPI 1.0.3 " + s.v1
}

// fault is an error at the value or name that was read last.
func (d *decoder) fault(s section, rule string) *Error { return d.faultAt("", s, rule) }

// faultAt is an error at a place below the value that was read last.
func (d *decoder) faultAt(below string, s section, rule string) *Error {
	path := d.path(d.tokens.StackPointer()) + below
	return &Error{Statement: d.statement, Path: path, Rule: rule, Section: d.section(s)}
}

// unknown is the error for a name that the specification does not have here.
func (d *decoder) unknown(s section) *Error {
	return d.fault(s, "this property is not in the specification, or not in this case of letters")
}

// maxPathLength keeps an error short when the names in its path are not.
const maxPathLength = 300

// path turns a pointer into the body into one into the statement.
func (d *decoder) path(pointer jsontext.Pointer) string {
	path := string(pointer)
	if d.inBatch && path != "" {
		if slash := strings.IndexByte(path[1:], '/'); slash >= 0 {
			path = path[1+slash:]
		} else {
			path = ""
		}
	}
	if len(path) > maxPathLength {
		path = strings.ToValidUTF8(path[:maxPathLength], "") + "..."
	}
	return path
}

// malformed turns jsontext's error into ours, which never quotes the input.
func (d *decoder) malformed(err error) *Error {
	fault := &Error{Statement: d.statement, Rule: "the JSON is not valid", Section: d.section(onFormat)}
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &syntactic) && errors.Is(err, jsontext.ErrDuplicateName):
		fault.Rule = "a property name must not stand twice in one object"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		fault.Rule = "the JSON ends too early"
	case !utf8.Valid(d.body):
		fault.Rule = "the text is not valid UTF-8"
	}
	if syntactic != nil {
		fault.Path = d.path(syntactic.JSONPointer)
		fault.Rule += fmt.Sprintf(" (at byte %d)", syntactic.ByteOffset)
	}
	return fault
}

func (d *decoder) nameTooLong() *Error {
	fault := d.fault(onFormat, fmt.Sprintf("a property name must not be longer than %d bytes", d.limits.Name))
	fault.Section, fault.TooLarge = "", true
	return fault
}

func tooManyStatements(limit int) *Error {
	return &Error{
		Statement: -1,
		Rule:      fmt.Sprintf("a request must not hold more than %d statements: send them in several, or use cairn import", limit),
		TooLarge:  true,
	}
}

package xapi

import "fmt"

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

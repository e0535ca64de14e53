// Package rollup keeps what reports are made of: a ledger of facts for each learner, and buckets of sums. README.md tells how
// they lie in the table Rollups, how a change is folded in, and why the buckets are always what the ledgers say.
package rollup

import (
	"encoding/json/jsontext"
	"time"

	"github.com/cairn-lrs/cairn/internal/report/fact"
)

// Event says what became of one statement.
type Event struct {
	Store       string
	StatementID string    // UUID
	Stored      time.Time // when it was stored, to the millisecond
	// Statement is its JSON as it is given out, also when it is not live any more: it says whose ledger it is in.
	Statement []byte
	// Live is false once the statement is voided, when it voids another, and when it was removed.
	Live bool
	// Reason says why the statement could not be read; "" when it could. Such a statement is put down as a dead letter.
	Reason string
}

// Name is what a hash in facts stands for.
type Name struct {
	Hash    fact.Hash
	Verb    bool // else an activity
	IRI     string
	Display jsontext.Value // language map: a verb's display, an activity's name, as first seen; nil when nobody said
	Type    string         // an activity's type, as first seen; "" when nobody said
	// Kinds are what statements have said that an activity is, ascending; none when nothing was said of it.
	Kinds []fact.Kind
}

package report

import (
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"io"
	"strconv"
	"time"

	"github.com/cairn-lrs/cairn/internal/report/result"
)

// Answer is the answer to a question.
type Answer struct {
	Report  *Report
	Name    string // of a saved query; ""
	Table   *result.Table
	Period  Period
	Zone    string
	Filter  Filter
	K       int  // fewest learners that are told
	Names   bool // learners may be named
	Test    bool // the store holds made-up data only
	Notes   []string
	Read    Read
	AsOf    time.Time // when it was answered
	Through time.Time // changes up to this stored time are in it; zero when nothing was ever counted
}

// Read says what an answer has cost.
type Read struct {
	Road     Road
	Items    int // rows of tables, or entries of the statements' index
	Learners int // whose ledgers were read
}

// Road is the way to a figure.
type Road string

// The roads. See README.md.
const (
	Buckets Road = "buckets"
	Ledgers Road = "ledgers"
)

// Tag is the same exactly as long as the figures are: of what is asked, what is shown, and nothing of when it was answered or
// what it has cost.
func (a *Answer) Tag() string {
	h := sha256.New()
	f := a.Filter
	for _, text := range []string{
		a.Report.ID, a.Name, DateOf(a.Period.From), DateOf(a.Period.To), a.Zone, strconv.Itoa(a.K), strconv.FormatBool(a.Names), strconv.FormatBool(a.Test),
		f.Content, f.Kind, f.Learner, f.Group, f.Registration, f.Platform, f.Language, strconv.FormatBool(a.Table.Total != nil),
	} {
		writeText(h, text)
	}
	for _, note := range a.Notes {
		writeText(h, note)
	}
	for _, name := range a.Table.Header() {
		writeText(h, name)
	}
	for _, row := range a.Table.Lines() {
		for _, field := range a.Table.Record(row) {
			writeText(h, field)
		}
		for _, c := range row {
			writeText(h, strconv.Itoa(int(c.State)))
		}
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:15])
}

// writeText writes a text so that no two lists of texts are written alike.
func writeText(h hash.Hash, text string) {
	io.WriteString(h, strconv.Itoa(len(text))) // a hash takes everything
	io.WriteString(h, ":")
	io.WriteString(h, text)
}

// Definitions are those of the figures in the answer, each once.
func (a *Answer) Definitions() []Definition {
	var all []Definition
	seen := map[string]bool{}
	for _, c := range a.Table.Columns {
		if c.Measure == "" || seen[c.Measure] {
			continue
		}
		seen[c.Measure] = true
		if d, ok := DefinitionOf(c.Measure); ok {
			all = append(all, d)
		}
	}
	return all
}

// Package lrs holds the rules of statements (store, void, refer, query) and of what is
// merged from them: definitions of activities, names of persons. It is written
// once, above the table and blob seams; README.md tells the life of a statement.
package lrs

import (
	"errors"
	"fmt"
	"time"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/transfer"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// Limits of the statements resource. Source: design decisions, each named in the error that enforces it.
const (
	MaxBatch          = 100     // statements of one request: one atomic group
	MaxBatchBytes     = 3500000 // bytes of the statements of one request
	MaxOwnTerms       = 1000    // terms of one statement
	MaxEffectiveTerms = 2000    // own and inherited terms; inheritance stops there
	MaxEntries        = 10000   // term entries of one request: more could not be put while its positions are young
	MaxLimit          = 500     // statements of one page
	DefaultLimit      = 100     // statements of a page when the client does not say
	PageBytes         = 4000000 // bytes of the statements of one page, with their attachments where they are asked for

	// MaxAttachments bounds the bytes of all attachments of one statement, which one answer must hold, and of all uploads of
	// one request, which reads them once: a function has 29 s.
	MaxAttachments = transfer.MaxUpload

	// MaxSignature bounds the bytes of an uploaded signature, which is checked in memory and holds the statement as base64.
	MaxSignature = 10000000
)

// Part is one attachment as it came with a request: with its bytes, or as the id of an upload that has them.
type Part struct {
	SHA2        string // lower-case hex of the digest that the part claims, already verified
	ContentType string
	Body        []byte

	Upload string // in place of the others
}

// Attachment is one attachment as it is given out.
type Attachment struct {
	SHA2        string // lower-case hex
	ContentType string
	Content     blob.Piece
}

// Statement is a stored statement.
type Statement struct {
	ID     string
	Stored time.Time
	Body   []byte // JSON as it is given out: verbatim with the declared edits

	attachments     [][]byte // digests of the attachments that came with it
	attachmentBytes int64    // their sizes together
	attachmentMonth string   // of their contents' keys
}

// Format is the value of the format parameter. Source: xAPI 1.0.3 Communication 2.1.3.
type Format string

// The formats.
const (
	Exact     Format = "exact"
	IDs       Format = "ids"
	Canonical Format = "canonical"
)

// Query is what a list of statements asks for. Zero fields do not filter.
type Query struct {
	Agent             *xapi.Actor
	Verb              string
	Activity          string
	Registration      string
	RelatedAgents     bool
	RelatedActivities bool
	Since, Until      time.Time // stored after, stored at or before
	Limit             int       // 0 or above MaxLimit: MaxLimit; the edge puts DefaultLimit when the parameter is absent
	Ascending         bool
	Format            Format
	Attachments       bool
}

// Page is one page of a list.
type Page struct {
	Statements  []Statement
	More        string // sealed cursor of the next page; "" at the end
	Format      Format // as first asked, also when the page was asked for by a cursor
	Attachments bool
}

// The ways in which a request is refused; the edge maps each to one status.
var (
	ErrInvalid     = errors.New("invalid request") // 400
	ErrForbidden   = errors.New("forbidden")       // 403
	ErrNotFound    = errors.New("not found")       // 404
	ErrConflict    = errors.New("conflict")        // 409
	ErrTooLarge    = errors.New("too large")       // 413
	ErrUnavailable = errors.New("try again later") // 503 with Retry-After
)

// Refusal is a refused request, with words meant for the client.
type Refusal struct {
	Kind      error // one of the errors above
	Statement int   // index in the request; -1 for the whole
	Path      string
	Message   string // one sentence for the client
	Cause     error  // for the log only; may be nil
}

func (r *Refusal) Error() string {
	if r.Cause != nil {
		return fmt.Sprintf("%v: %s: %v", r.Kind, r.Message, r.Cause)
	}
	return fmt.Sprintf("%v: %s", r.Kind, r.Message)
}

// Unwrap makes errors.Is work for the kind and the cause.
func (r *Refusal) Unwrap() []error {
	if r.Cause == nil {
		return []error{r.Kind}
	}
	return []error{r.Kind, r.Cause}
}

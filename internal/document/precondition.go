package document

import "slices"

// Tags is what If-Match or If-None-Match names: any document, or those with one of these entity tags.
type Tags struct {
	Any  bool
	List []string // quoted
}

// Match reports whether a document with this entity tag is meant.
func (t Tags) Match(etag string) bool { return t.Any || slices.Contains(t.List, etag) }

// Preconditions are what must hold of the document as it is stored for a write to be done. Both headers may stand
// together; then both must hold. Source: xAPI 1.0.3 Communication 3.1; RFC 9110, 13.1.
type Preconditions struct {
	IfMatch     *Tags // nil: not sent. Does not hold when there is no document
	IfNoneMatch *Tags // nil: not sent. Holds when there is no document

	// Required says that an existing document is not changed without one of the headers, RequiredForNew that a new one
	// is not made without one either.
	Required, RequiredForNew bool
}

// check holds the preconditions against the document as it is; nil is none.
func (p Preconditions) check(r *record) error {
	exists, etag := r != nil, ""
	if exists {
		etag = quoteDigest(r.digest)
	}
	bare := p.IfMatch == nil && p.IfNoneMatch == nil
	switch {
	case p.IfMatch != nil && !(exists && p.IfMatch.Match(etag)):
		return ErrPrecondition
	case p.IfNoneMatch != nil && exists && p.IfNoneMatch.Match(etag):
		return ErrPrecondition
	case p.Required && exists && bare:
		return ErrExists
	case p.RequiredForNew && !exists && bare:
		return ErrBare
	}
	return nil
}

// conditional reports whether a header was sent: then exactly one of those who race may win.
func (p Preconditions) conditional() bool { return p.IfMatch != nil || p.IfNoneMatch != nil }

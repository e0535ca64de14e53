package xapi

import (
	"errors"
	"time"
)

var errPending = errors.New("xapi: in the making")

func DecodeStatements(body []byte, v Version, l Limits) (batch []*Statement, single bool, err error) {
	return nil, false, errPending
}
func DecodeStatement(body []byte, v Version, l Limits) (*Statement, error) { return nil, errPending }

type Edits struct {
	ID        string // used only when the statement has none
	Stored    string // always written
	Timestamp string // used only when the statement has none
	Authority []byte // JSON; always written, unless nil: then the one that was sent stays
	Version   string // used only when the statement has none; "" means 1.0.0 or 2.0.0 by the version of the request
}

func (s *Statement) Render(e Edits) []byte                            { return nil }
func (i IFI) Key() string                                             { return "" }
func DecodeAgent(param []byte, v Version) (*Actor, error)             { return nil, errPending }
func Equal(a, b *Statement) bool                                      { return false }
func EqualJSON(a, b []byte) (bool, error)                             { return false, errPending }
func (s *Statement) EachAttachment(f func(path string, a Attachment)) {}
func (s *Statement) EachActivity(f func(*Activity))                   {}
func FormatIDs(statement []byte) ([]byte, error)                      { return nil, errPending }

// FormatCanonical: acceptLanguage is the Accept-Language header, "" when absent.
func FormatCanonical(statement []byte, acceptLanguage string, definition func(activityID string) []byte) ([]byte, error) {
	return nil, errPending
}
func ActivityIDs(statement []byte) ([]string, error) { return nil, errPending }

type Canonical struct{}

func (c *Canonical) Merge(definition []byte, position [16]byte) (changed bool, err error) {
	return false, errPending
}
func (c *Canonical) JSON() []byte                      { return nil }
func (c *Canonical) MarshalBinary() ([]byte, error)    { return nil, errPending }
func (c *Canonical) UnmarshalBinary(data []byte) error { return errPending }
func ParseTimestamp(s string) (time.Time, error)       { return time.Time{}, errPending }

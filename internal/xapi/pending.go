package xapi

import (
	"errors"
)

var errPending = errors.New("xapi: in the making")

func Equal(a, b *Statement) bool                 { return false }
func EqualJSON(a, b []byte) (bool, error)        { return false, errPending }
func FormatIDs(statement []byte) ([]byte, error) { return nil, errPending }

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

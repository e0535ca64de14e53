package xapi

import (
	"errors"
)

var errPending = errors.New("xapi: in the making")

type Canonical struct{}

func (c *Canonical) Merge(definition []byte, position [16]byte) (changed bool, err error) {
	return false, errPending
}
func (c *Canonical) JSON() []byte                      { return nil }
func (c *Canonical) MarshalBinary() ([]byte, error)    { return nil, errPending }
func (c *Canonical) UnmarshalBinary(data []byte) error { return errPending }

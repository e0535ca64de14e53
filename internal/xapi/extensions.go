package xapi

import (
	"encoding/json/jsontext"
	"fmt"
)

// extensions checks an extensions map: IRIs as keys, any JSON as values. Null, case
// and unknown names are fine in a value; a repeated name is not, which jsontext takes
// for invalid JSON, nor is what exceeds a limit. Source: Data 4.1.
func (d *decoder) extensions() error {
	return d.object(onExtensions, func(name string) error {
		if !ValidIRI(name) {
			return d.fault(onExtensions, "the keys of extensions must be IRIs with a scheme")
		}
		return d.anyValue()
	})
}

// anyValue passes over a value token by token, within the limits.
func (d *decoder) anyValue() error {
	outside := d.tokens.StackDepth()
	for {
		start := d.offset()
		token, err := d.tokens.ReadToken()
		if err != nil {
			return d.malformed(err)
		}
		depth := d.tokens.StackDepth()
		if depth-outside > d.limits.ExtensionDepth {
			return d.tooDeep()
		}
		if token.Kind() == jsontext.KindString && d.offset()-start > d.limits.Name && d.readName(depth) {
			return d.nameTooLong()
		}
		if depth == outside {
			return nil
		}
	}
}

// readName says whether the string that was just read is the name of a member.
func (d *decoder) readName(depth int) bool {
	kind, length := d.tokens.StackIndex(depth)
	return kind == jsontext.KindBeginObject && length%2 == 1
}

func (d *decoder) tooDeep() *Error {
	fault := d.fault(onExtensions, fmt.Sprintf("an extension must not be nested deeper than %d levels", d.limits.ExtensionDepth))
	fault.Path = "" // as long as it is deep
	fault.Section, fault.TooLarge = "", true
	return fault
}

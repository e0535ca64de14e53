package lrs

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// statementID is a statement's UUID.
type statementID [16]byte

// String is the UUID in lower case with dashes.
func (id statementID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:36], id[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// parseID reads a UUID that xapi has validated, in either case.
func parseID(s string) (statementID, error) {
	var id statementID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, fmt.Errorf("read statement id: %d characters are not a UUID", len(s))
	}
	var digits [2 * len(id)]byte
	copy(digits[0:], s[0:8])
	copy(digits[8:], s[9:13])
	copy(digits[12:], s[14:18])
	copy(digits[16:], s[19:23])
	copy(digits[20:], s[24:36])
	if _, err := hex.Decode(id[:], digits[:]); err != nil {
		return id, fmt.Errorf("read statement id: %w", err)
	}
	return id, nil
}

// splitStatementKey reads the partition key of Statements and References.
func splitStatementKey(key string) (store string, id statementID, err error) {
	store, rest, ok := strings.Cut(key, "#")
	if !ok {
		return "", statementID{}, fmt.Errorf("read key: no store in %d characters", len(key))
	}
	id, err = parseID(rest)
	return store, id, err
}

package fact

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/cairn-lrs/cairn/internal/xapi"
)

// Hasher is the store's keyed hash, auth.Store.Term. The kinds that it is given are part of the data format.
type Hasher func(kind, value string) [12]byte

// Activity is the Hash of an activity's id.
func (h Hasher) Activity(iri string) Hash { return h("activity", iri) }

// Verb is the Hash of a verb's id.
func (h Hasher) Verb(iri string) Hash { return h("verb", iri) }

// Learner is the Hash of an Agent (definition 0.4): an mbox and its mbox_sha1sum are one.
func (h Hasher) Learner(ifi xapi.IFI) Hash { return h("learner", ifi.Hashed().Key()) }

// Group is the Hash of an identified Group.
func (h Hasher) Group(ifi xapi.IFI) Hash { return h("group", ifi.Hashed().Key()) }

// session is the hash of a session id; never 0.
func (h Hasher) session(id string) uint64 {
	hash := h("session", id)
	return max(1, binary.BigEndian.Uint64(hash[:]))
}

// IDOf names a statement by the first 8 bytes of SHA-256 of its id in lower case.
func IDOf(statementID string) uint64 {
	sum := sha256.Sum256([]byte(xapi.NormalizeUUID(statementID)))
	return binary.BigEndian.Uint64(sum[:])
}

// Shorten cuts a text to at most limit bytes, which must be 32 or more. What is cut ends in a hash of the whole, so that
// different texts stay different and equal ones equal.
func Shorten(s string, limit int) (short string, cut bool) {
	if len(s) <= limit {
		return strings.Clone(s), false
	}
	sum := sha256.Sum256([]byte(s))
	end := limit - len(cutMark) - 16
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + cutMark + hex.EncodeToString(sum[:8]), true
}

// cutMark stands before the hash of a text that was shortened.
const cutMark = "…#"

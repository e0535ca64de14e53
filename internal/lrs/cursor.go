package lrs

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/position"
)

// A more cursor is a plan, sealed: nothing is kept on the server, so it works across restarts and deploys, and it can
// be neither read nor changed. It is bound to the store (whose key seals it) and to the credential (whose key is
// associated data and stays the same when its secret is rotated). It holds hashes, so it is short and names nobody.

const (
	cursorVersion = 1
	cursorLife    = 7 * 24 * time.Hour // at least a day: xAPI 1.0.3 Communication 2.1.3
	maxCursor     = 4096               // characters
)

var errCursor = errors.New("more is not a cursor of this store and credential")

// The flags of a cursor.
const (
	cursorAscending byte = 1 << iota
	cursorAttachments
	cursorIDs
	cursorCanonical
)

// seal makes the cursor of the rest of a plan.
func (pl plan) seal(p auth.Principal, now time.Time) (string, error) {
	var flags byte
	for flag, on := range map[byte]bool{
		cursorAscending: pl.ascending, cursorAttachments: pl.attachments,
		cursorIDs: pl.format == IDs, cursorCanonical: pl.format == Canonical,
	} {
		if on {
			flags |= flag
		}
	}
	plain := []byte{cursorVersion, flags}
	plain = binary.BigEndian.AppendUint16(plain, uint16(pl.limit))
	plain = binary.BigEndian.AppendUint32(plain, uint32(now.Unix()))
	plain = append(plain, pl.low[:]...)
	plain = append(plain, pl.high[:]...)
	for _, filter := range pl.filters {
		plain = append(plain, byte(len(filter)))
		for _, t := range filter {
			plain = append(plain, t[:]...)
		}
	}
	aead, err := cursorCipher(p)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return "", fmt.Errorf("read random bytes: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(aead.Seal(nonce, nonce, plain, []byte(p.Credential))), nil
}

// unseal is the inverse of seal. Every error wraps errCursor.
func unseal(p auth.Principal, cursor string, now time.Time) (plan, error) {
	if len(cursor) > maxCursor || strings.ContainsAny(cursor, "\r\n") { // which the decoder would skip
		return plan{}, errCursor
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return plan{}, errCursor
	}
	aead, err := cursorCipher(p)
	if err != nil {
		return plan{}, err
	}
	if len(sealed) < aead.NonceSize() {
		return plan{}, errCursor
	}
	plain, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(p.Credential))
	if err != nil || len(plain) < 40 || plain[0] != cursorVersion {
		return plan{}, errCursor
	}
	flags := plain[1]
	pl := plan{
		ascending: flags&cursorAscending != 0, attachments: flags&cursorAttachments != 0, format: Exact,
		limit: int(binary.BigEndian.Uint16(plain[2:])),
		low:   position.Position(plain[8:24]), high: position.Position(plain[24:40]),
	}
	switch {
	case flags&cursorIDs != 0:
		pl.format = IDs
	case flags&cursorCanonical != 0:
		pl.format = Canonical
	}
	if made := time.Unix(int64(binary.BigEndian.Uint32(plain[4:])), 0); now.Sub(made) > cursorLife {
		return plan{}, fmt.Errorf("%w any more: it was made more than %d days ago", errCursor, cursorLife/(24*time.Hour))
	}
	pl.filters, err = parseFilters(plain[40:])
	return pl, err
}

func parseFilters(b []byte) ([]anyOf, error) {
	var filters []anyOf
	for len(b) > 0 {
		n := int(b[0])
		b = b[1:]
		if n == 0 || len(b) < n*len(term{}) {
			return nil, errCursor
		}
		filter := make(anyOf, n)
		for i := range filter {
			filter[i] = term(b[i*len(term{}):])
		}
		b = b[n*len(term{}):]
		filters = append(filters, filter)
	}
	return filters, nil
}

func cursorCipher(p auth.Principal) (cipher.AEAD, error) {
	block, err := aes.NewCipher(p.Store.CursorKey)
	if err != nil {
		return nil, fmt.Errorf("make cursor cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make cursor cipher: %w", err)
	}
	return aead, nil
}

package blob

import (
	"fmt"
	"strings"
)

// Limits of keys in bytes. The segment's leaves a file system's name limit (255 bytes) room for a mark.
const (
	MaxKey     = 512
	MaxSegment = 250
)

// CheckKey says whether a key is valid: 1 to MaxKey bytes of lower-case ASCII letters, digits and "-", "_", ".",
// in segments of 1 to MaxSegment bytes separated by "/", none of them "." or "..". Errors wrap ErrInvalid and do not
// repeat the key.
func CheckKey(key string) error {
	if len(key) == 0 || len(key) > MaxKey {
		return fmt.Errorf("check key of %d bytes: %w", len(key), ErrInvalid)
	}
	if i := badByte(key); i >= 0 {
		return fmt.Errorf("check byte %d of key: %w", i, ErrInvalid)
	}
	for segment := range strings.SplitSeq(key, "/") {
		if segment == "" || segment == "." || segment == ".." || len(segment) > MaxSegment {
			return fmt.Errorf("check segments of key: %w", ErrInvalid)
		}
	}
	return nil
}

// CheckPrefix says whether a prefix for List is valid: at most MaxKey bytes of those that keys consist of.
func CheckPrefix(prefix string) error {
	if len(prefix) > MaxKey || badByte(prefix) >= 0 {
		return fmt.Errorf("check prefix: %w", ErrInvalid)
	}
	return nil
}

func badByte(s string) int {
	return strings.IndexFunc(s, func(r rune) bool {
		letter := 'a' <= r && r <= 'z'
		digit := '0' <= r && r <= '9'
		return !letter && !digit && r != '-' && r != '_' && r != '.' && r != '/'
	})
}

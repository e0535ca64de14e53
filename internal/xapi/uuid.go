package xapi

import "strings"

// ValidUUID says whether s is a UUID in its standard string form, of any version
// and variant and in either case: no urn:, no braces, no missing dashes.
// Source: Data 2.4.1 and 4.4.
func ValidUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch i {
		case 8, 13, 18, 23:
			if s[i] != '-' {
				return false
			}
		default:
			if !isHex(s[i]) {
				return false
			}
		}
	}
	return true
}

// NormalizeUUID gives the form in which UUIDs are compared and keyed: lower case.
func NormalizeUUID(s string) string { return strings.ToLower(s) }

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isAlphanumeric(c byte) bool { return isLetter(c) || isDigit(c) }

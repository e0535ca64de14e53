package xapi

import "unicode/utf8"

// ValidIRI says whether s is an IRI with a scheme, by the characters of RFC 3987. It
// is not a hostname check: course tools send http://Course_ID2 and worse, and the
// specification asks for best effort only. For the same reason brackets and a second
// "#" pass wherever they stand. IRLs and the openid are held to the same test.
// Source: Data 2.2 ("IRL or IRI values without a scheme") and 4.3.
func ValidIRI(s string) bool {
	rest, ok := cutScheme(s)
	if !ok {
		return false
	}
	inQuery := false
	for i := 0; i < len(rest); {
		c := rest[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(rest[i:])
			if !isIRIRune(r, inQuery) {
				return false
			}
			i += size
			continue
		}
		switch c {
		case '%':
			if i+2 >= len(rest) || !isHex(rest[i+1]) || !isHex(rest[i+2]) {
				return false
			}
		case '?':
			inQuery = true
		case ' ', '<', '>', '"', '{', '}', '|', '\\', '^', '`', 0x7F:
			return false
		default:
			if c < ' ' {
				return false
			}
		}
		i++
	}
	return true
}

// cutScheme gives what follows the scheme and its colon.
func cutScheme(s string) (rest string, ok bool) {
	if s == "" || !isLetter(s[0]) {
		return "", false
	}
	for i := 1; i < len(s); i++ {
		c := s[i]
		if c == ':' {
			return s[i+1:], true
		}
		if !isAlphanumeric(c) && c != '+' && c != '-' && c != '.' {
			return "", false
		}
	}
	return "", false
}

// isIRIRune is ucschar of RFC 3987 2.2, and iprivate inside a query.
func isIRIRune(r rune, inQuery bool) bool {
	switch {
	case r < 0xA0:
		return false
	case r <= 0xD7FF, r >= 0xF900 && r <= 0xFDCF, r >= 0xFDF0 && r <= 0xFFEF:
		return true
	case r >= 0xE000 && r <= 0xF8FF, r >= 0xF0000:
		return inQuery && r&0xFFFE != 0xFFFE
	case r < 0x10000, r >= 0xE0000 && r < 0xE1000:
		return false
	}
	return r&0xFFFE != 0xFFFE // the last two of each plane are no characters
}

package xapi

import "strings"

// ValidLanguageTag says whether s has the form of an RFC 5646 language tag: the
// sequence of subtags and their lengths. Whether the subtags are registered is not
// asked. Source: Data 2.2 and 4.2.
func ValidLanguageTag(s string) bool {
	if strings.HasSuffix(s, "-") || strings.Contains(s, "--") {
		return false
	}
	first, rest, _ := strings.Cut(s, "-")
	if strings.EqualFold(first, "x") {
		return privateUse(rest)
	}
	return langtag(first, rest) || irregularTag(s)
}

// langtag is the production of that name in RFC 5646 2.1; language is its first subtag.
func langtag(language, rest string) bool {
	if len(language) < 2 || len(language) > 8 || !all(language, isLetter) {
		return false
	}
	subtag, after, _ := strings.Cut(rest, "-")
	if len(language) <= 3 {
		for n := 0; n < 3 && len(subtag) == 3 && all(subtag, isLetter); n++ { // extlang
			subtag, after, _ = strings.Cut(after, "-")
		}
	}
	if len(subtag) == 4 && all(subtag, isLetter) { // script
		subtag, after, _ = strings.Cut(after, "-")
	}
	if len(subtag) == 2 && all(subtag, isLetter) || len(subtag) == 3 && all(subtag, isDigit) { // region
		subtag, after, _ = strings.Cut(after, "-")
	}
	for isVariant(subtag) {
		subtag, after, _ = strings.Cut(after, "-")
	}
	for len(subtag) == 1 && isAlphanumeric(subtag[0]) && !strings.EqualFold(subtag, "x") { // extension
		subtag, after, _ = strings.Cut(after, "-")
		if !isExtensionSubtag(subtag) {
			return false
		}
		for isExtensionSubtag(subtag) {
			subtag, after, _ = strings.Cut(after, "-")
		}
	}
	if strings.EqualFold(subtag, "x") {
		return privateUse(after)
	}
	return subtag == ""
}

func isVariant(s string) bool {
	if !all(s, isAlphanumeric) {
		return false
	}
	return len(s) >= 5 && len(s) <= 8 || len(s) == 4 && isDigit(s[0])
}

func isExtensionSubtag(s string) bool {
	return len(s) >= 2 && len(s) <= 8 && all(s, isAlphanumeric)
}

// privateUse is what may follow "x-": one subtag or more.
func privateUse(s string) bool {
	for ok := false; ; ok = true {
		if s == "" {
			return ok
		}
		var subtag string
		if subtag, s, _ = strings.Cut(s, "-"); subtag == "" || len(subtag) > 8 || !all(subtag, isAlphanumeric) {
			return false
		}
	}
}

// irregularTag says whether s is one of the tags that RFC 5646 2.1 lists because
// they do not follow its grammar.
func irregularTag(s string) bool {
	switch strings.ToLower(s) {
	case "en-gb-oed", "i-ami", "i-bnn", "i-default", "i-enochian", "i-hak", "i-klingon", "i-lux", "i-mingo",
		"i-navajo", "i-pwn", "i-tao", "i-tay", "i-tsu", "sgn-be-fr", "sgn-be-nl", "sgn-ch-de":
		return true
	}
	return false
}

func all(s string, is func(byte) bool) bool {
	for i := 0; i < len(s); i++ {
		if !is(s[i]) {
			return false
		}
	}
	return true
}

package lrsapi

import (
	"strings"

	"github.com/cairn-lrs/cairn/internal/document"
)

// parseTags reads the value of If-Match or If-None-Match: "*" or a list of entity tags. A weak tag stands for its strong
// one when weak is set, and for nothing otherwise. A tag without quotes is taken as if it had them: clients that compute
// the digest themselves forget them. Empty elements of the list do not count. Source: RFC 9110, 5.6.1, 8.8.3, 13.1.1.
func parseTags(value string, weak bool) (tags document.Tags, ok bool) {
	rest := strings.Trim(value, " \t")
	if rest == "*" {
		return document.Tags{Any: true}, true
	}
	found := false
	for rest != "" {
		if rest[0] == ',' || rest[0] == ' ' || rest[0] == '\t' {
			rest = rest[1:]
			continue
		}
		tag, isWeak, after, ok := cutTag(rest)
		if !ok {
			return document.Tags{}, false
		}
		found = true
		if weak || !isWeak {
			tags.List = append(tags.List, tag)
		}
		if rest = strings.TrimLeft(after, " \t"); rest != "" && rest[0] != ',' {
			return document.Tags{}, false
		}
	}
	return tags, found
}

// cutTag reads the entity tag at the beginning of s, which is not empty, and gives it with quotes.
func cutTag(s string) (tag string, weak bool, after string, ok bool) {
	s, weak = strings.CutPrefix(s, "W/")
	if !strings.HasPrefix(s, `"`) {
		end := len(s)
		if i := strings.IndexAny(s, ", \t"); i >= 0 {
			end = i
		}
		return `"` + s[:end] + `"`, weak, s[end:], end > 0 && validTag(s[:end]) && s[:end] != "*"
	}
	end := strings.IndexByte(s[1:], '"')
	if end < 0 {
		return "", false, "", false
	}
	tag, after = s[:end+2], s[end+2:]
	return tag, weak, after, validTag(tag[1 : end+1])
}

// validTag reports whether s may stand between the quotes of an entity tag.
func validTag(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '"' || r == 0x7f })
}

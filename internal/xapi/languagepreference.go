package xapi

import (
	"strconv"
	"strings"
)

// languagePreference is an Accept-Language header: ranges in lower case with their
// quality. Source: RFC 2616 14.4, which Communication 2.1.3 names.
type languagePreference []languageRange

type languageRange struct {
	tag     string // "*" matches every tag that no other range matches
	quality float64
}

// maxLanguageRanges bounds the work per language map; browsers send a handful.
const maxLanguageRanges = 64

var withoutSpace = strings.NewReplacer(" ", "", "\t", "")

// parseAcceptLanguage reads a header and passes over what it cannot read: a wrong
// preference is no reason to refuse a query.
func parseAcceptLanguage(header string) languagePreference {
	var p languagePreference
	for part := range strings.SplitSeq(header, ",") {
		if len(p) == maxLanguageRanges {
			break
		}
		tag, parameters, _ := strings.Cut(part, ";")
		tag = strings.ToLower(strings.TrimSpace(tag))
		if tag != "*" && !ValidLanguageTag(tag) {
			continue
		}
		quality := 1.0
		if q, ok := strings.CutPrefix(strings.ToLower(withoutSpace.Replace(parameters)), "q="); ok {
			parsed, err := strconv.ParseFloat(q, 64)
			if err != nil || !(parsed >= 0 && parsed <= 1) {
				continue
			}
			quality = parsed
		}
		p = append(p, languageRange{tag, quality})
	}
	return p
}

// choose gives the index of the best of a language map's tags, -1 when there are
// none. First comes what RFC 2616 calls acceptable, the highest quality first. When
// nothing is, as without a header, the choice is fixed: what shares its language with
// a range that is wanted, then English, then what comes first in the alphabet.
func (p languagePreference) choose(tags []string) int {
	best, bestRank := -1, rank{}
	for i, tag := range tags {
		r := p.rank(strings.ToLower(tag))
		if best < 0 || bestRank.less(r) {
			best, bestRank = i, r
		}
	}
	return best
}

// rank orders the tags of a map; the fields count in this order.
type rank struct {
	quality float64 // by the ranges that match
	related float64 // by the ranges of the same language
	english bool
	tag     string // the smaller one is better
}

func (a rank) less(b rank) bool {
	switch {
	case a.quality != b.quality:
		return a.quality < b.quality
	case a.related != b.related:
		return a.related < b.related
	case a.english != b.english:
		return b.english
	}
	return b.tag < a.tag
}

func (p languagePreference) rank(tag string) rank {
	r := rank{tag: tag, english: tag == "en" || strings.HasPrefix(tag, "en-")}
	longest := -1
	language, _, _ := strings.Cut(tag, "-")
	for _, wanted := range p {
		length := len(wanted.tag)
		if wanted.tag == "*" {
			length = 0
		} else if wantedLanguage, _, _ := strings.Cut(wanted.tag, "-"); wantedLanguage == language {
			r.related = max(r.related, wanted.quality)
		}
		if matches := length == 0 || tag == wanted.tag || strings.HasPrefix(tag, wanted.tag+"-"); matches && length > longest {
			longest, r.quality = length, wanted.quality
			if wanted.quality == 0 { // refused, which is worse than not mentioned
				r.quality = -1
			}
		}
	}
	return r
}

package measure

import (
	"slices"
	"strconv"
	"strings"
)

// Interaction is the part of an item's definition that its responses are read by. Source: xAPI 1.0.3 Data, appendix C.
type Interaction struct {
	Type    string   // interactionType: "choice", "true-false", …; "" when not known
	Correct []string // correctResponsesPattern: for display, never to judge (section 5 of the definitions)
}

// separator divides the items of a response or pattern.
const separator = "[,]"

// Options are the options that a response chose, each once, in order. Of a choice, or of a type that is not known, the parts
// between [,]; of any other type the whole response. A {lang=…} before a part and {case_matters=…}, {order_matters=…} before all
// are taken off.
func (i Interaction) Options(response string) []string {
	if response == "" {
		return nil
	}
	_, rest := cutMatters(response)
	if i.Type != "choice" && i.Type != "" {
		return []string{i.Whole(response)}
	}
	var out []string
	for _, part := range strings.Split(rest, separator) {
		if part = cutLanguage(part); !slices.Contains(out, part) {
			out = append(out, part)
		}
	}
	return out
}

// Whole is the response in the form by which equal responses are grouped: of a choice its options in order, of fill-in trimmed
// and, unless case_matters is true, folded; of any other type as it is without what stands in braces before it.
func (i Interaction) Whole(response string) string {
	matters, rest := cutMatters(response)
	parts := strings.Split(rest, separator)
	for k := range parts {
		parts[k] = cutLanguage(parts[k])
		if i.Type == "fill-in" || i.Type == "long-fill-in" {
			parts[k] = i.folded(parts[k], matters)
		}
	}
	if i.Type == "choice" {
		slices.Sort(parts)
		parts = slices.Compact(parts)
	}
	return strings.Join(parts, separator)
}

// folded is a filled-in text trimmed and in lower case, unless the response or the definition says that case matters.
func (i Interaction) folded(text string, matters map[string]string) string {
	text = strings.TrimSpace(text)
	caseMatters, said := matters["case_matters"]
	for _, pattern := range i.Correct {
		if said {
			break
		}
		m, _ := cutMatters(pattern)
		caseMatters, said = m["case_matters"]
	}
	if caseMatters == "true" {
		return text
	}
	return strings.ToLower(text)
}

// IsKey reports whether an option, or a whole response, stands in the correctResponsesPattern.
func (i Interaction) IsKey(option string) bool {
	for _, pattern := range i.Correct {
		if i.Type == "numeric" {
			if inRange(option, pattern) {
				return true
			}
			continue
		}
		if i.Whole(pattern) == option || slices.Contains(i.Options(pattern), option) {
			return true
		}
	}
	return false
}

// inRange reports whether a numeric response lies in min[:]max, either of which may be left out, or is the one number.
func inRange(response, pattern string) bool {
	x, ok := parseNumber(response)
	if !ok {
		return false
	}
	low, high, isRange := strings.Cut(pattern, "[:]")
	if !isRange {
		y, ok := parseNumber(pattern)
		return ok && x == y
	}
	a, okLow := parseNumber(low)
	b, okHigh := parseNumber(high)
	return (low == "" || okLow && a <= x) && (high == "" || okHigh && x <= b)
}

func parseNumber(s string) (float64, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return f, err == nil
}

// cutMatters takes {case_matters=…} and {order_matters=…} off the front.
func cutMatters(s string) (matters map[string]string, rest string) {
	for {
		inside, after, ok := cutBraces(s)
		name, value, hasValue := strings.Cut(inside, "=")
		if !ok || !hasValue || name != "case_matters" && name != "order_matters" {
			return matters, s
		}
		if matters == nil {
			matters = map[string]string{}
		}
		matters[name], s = value, after
	}
}

// cutLanguage takes {lang=…} off the front of a part.
func cutLanguage(s string) string {
	if inside, after, ok := cutBraces(s); ok && strings.HasPrefix(inside, "lang=") {
		return after
	}
	return s
}

func cutBraces(s string) (inside, after string, ok bool) {
	if !strings.HasPrefix(s, "{") {
		return "", s, false
	}
	return strings.Cut(s[1:], "}")
}

package xapi

import "strings"

// ValidDuration says whether s is an ISO 8601:2004 duration in the format with
// designators (4.4.3.2): "P3Y1M29DT4H35M59.14S", or weeks alone, "P4W". Only the last
// component may have a fraction. The alternative format of 4.4.3.3 is no duration.
// Source: Data 4.6.
func ValidDuration(s string) bool {
	rest, ok := strings.CutPrefix(s, "P")
	if !ok {
		return false
	}
	if weeks, ok := strings.CutSuffix(rest, "W"); ok {
		end, _ := scanDecimal(weeks)
		return end > 0 && end == len(weeks)
	}
	date, clock, hasClock := strings.Cut(rest, "T")
	dateCount, dateFraction, ok := scanComponents(date, "YMD")
	if !ok {
		return false
	}
	if !hasClock {
		return dateCount > 0
	}
	clockCount, _, ok := scanComponents(clock, "HMS")
	return ok && clockCount > 0 && !dateFraction
}

// scanComponents reads numbers with the designators, each at most once and in order.
func scanComponents(s, designators string) (count int, fraction, ok bool) {
	for s != "" {
		if fraction { // only the last component has one
			return 0, false, false
		}
		end, hasFraction := scanDecimal(s)
		if end == 0 || end == len(s) {
			return 0, false, false
		}
		at := strings.IndexByte(designators, s[end])
		if at < 0 {
			return 0, false, false
		}
		designators = designators[at+1:]
		s, fraction = s[end+1:], hasFraction
		count++
	}
	return count, fraction, true
}

// scanDecimal gives the length of the decimal number that s begins with, 0 for
// none, and whether it has a fraction, after a full stop or a comma.
func scanDecimal(s string) (end int, fraction bool) {
	for end < len(s) && isDigit(s[end]) {
		end++
	}
	if end == 0 || end == len(s) || s[end] != '.' && s[end] != ',' {
		return end, false
	}
	start := end + 1
	for end = start; end < len(s) && isDigit(s[end]); {
		end++
	}
	if end == start {
		return 0, false
	}
	return end, true
}

// comparableDuration is the form in which durations are compared: as strings, but
// for what lies beyond 0.01 second. Trailing zeros of the fraction go too, or PT1S
// and PT1.001S would differ. Source: Data 2.3.1 and 4.6.
func comparableDuration(s string) string {
	number, ok := strings.CutSuffix(s, "S")
	if !ok {
		return s
	}
	at := strings.LastIndexAny(number, ".,")
	if at < 0 {
		return s
	}
	fraction := number[at+1:]
	fraction = strings.TrimRight(fraction[:min(2, len(fraction))], "0")
	if fraction == "" {
		return number[:at] + "S"
	}
	return number[:at] + "." + fraction + "S"
}

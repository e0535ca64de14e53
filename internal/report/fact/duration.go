package fact

import (
	"math"
	"strconv"
	"strings"
)

// designators are the components of a duration in order, in milliseconds. A year is 365.25 days and a month its twelfth part
// (definition M29). In the time part, behind T, M is a minute.
var (
	dateUnits = []durationUnit{{'Y', 31_557_600_000, true}, {'M', 2_629_800_000, true}, {'W', 604_800_000, false}, {'D', 86_400_000, false}}
	timeUnits = []durationUnit{{'H', 3_600_000, false}, {'M', 60_000, false}, {'S', 1000, false}}
)

type durationUnit struct {
	designator   byte
	milliseconds int64
	long         bool // of no fixed length
}

// parseDuration reads an ISO 8601 duration into milliseconds, rounded half up. What exceeds MaxDuration is cut to it and
// flagged. -1 with NumberLeftOut for a text that is no duration.
func parseDuration(s string) (milliseconds int64, flags Flags) {
	rest, ok := strings.CutPrefix(s, "P")
	if !ok {
		return -1, NumberLeftOut
	}
	date, clock, hasClock := strings.Cut(rest, "T")
	if date == "" && !hasClock || hasClock && clock == "" {
		return -1, NumberLeftOut
	}
	total := 0.0
	for _, part := range []struct {
		text  string
		units []durationUnit
	}{{date, dateUnits}, {clock, timeUnits}} {
		ms, long, ok := components(part.text, part.units)
		if !ok {
			return -1, NumberLeftOut
		}
		if long {
			flags |= DurationLong
		}
		total += ms
	}
	if total > MaxDuration {
		return MaxDuration, flags | DurationCut
	}
	return int64(math.Floor(total + 0.5)), flags
}

// components sums numbers with their designators. Durations that a session can have are whole milliseconds far below 2⁵³, so that
// the sum is exact; what is longer is cut.
func components(s string, units []durationUnit) (ms float64, long, ok bool) {
	for s != "" {
		end := strings.IndexFunc(s, func(r rune) bool { return r != '.' && r != ',' && (r < '0' || r > '9') })
		if end <= 0 {
			return 0, false, false
		}
		for len(units) > 0 && units[0].designator != s[end] {
			units = units[1:]
		}
		if len(units) == 0 {
			return 0, false, false
		}
		number, err := strconv.ParseFloat(strings.Replace(s[:end], ",", ".", 1), 64)
		if err != nil && !math.IsInf(number, 1) {
			return 0, false, false
		}
		long = long || units[0].long
		ms += number * float64(units[0].milliseconds)
		s, units = s[end+1:], units[1:]
	}
	return ms, long, true
}

package xapi

import (
	"errors"
	"strconv"
	"time"
)

const timestampRule = `must be an ISO 8601 date and time such as "2015-11-18T12:17:00.123Z"`

var errTimestamp = errors.New("timestamp " + timestampRule)

// maxTimestampLength bounds the digits of a fraction, which would otherwise be free.
const maxTimestampLength = 64

// ParseTimestamp reads a timestamp, of a statement or of the since and until
// parameters, into UTC at the precision of nanoseconds. A date and a time of day
// are required in the extended format, seconds and their fraction and the time zone
// are not; without a zone the time is UTC. An offset of minus zero is refused.
// Source: Data 4.5; RFC 3339 4.3 for minus zero.
func ParseTimestamp(s string) (time.Time, error) {
	c, ok := parseClock(s)
	if !ok {
		return time.Time{}, errTimestamp
	}
	seconds, _ := strconv.Atoi(c.seconds)
	digits := (c.fraction + "000000000")[:9]
	nanoseconds, _ := strconv.Atoi(digits)
	return c.minute.Add(time.Duration(seconds)*time.Second + time.Duration(nanoseconds)), nil
}

// utcTimestamp gives s in UTC with "Z" and every digit of its fraction.
func utcTimestamp(s string) (utc string, ok bool) {
	c, ok := parseClock(s)
	if !ok {
		return "", false
	}
	if c.canonical {
		return s, true
	}
	return c.String(), true
}

// comparableTimestamp is the form in which timestamps are compared: the point in
// time in milliseconds, because every store may cut it there. Source: Data 2.3.1, 4.5.
func comparableTimestamp(s string) string {
	c, ok := parseClock(s)
	if !ok {
		return s
	}
	c.fraction = (c.fraction + "000")[:3]
	return c.String()
}

// clock is a timestamp in two parts: the minute, which a zone moves, and the
// seconds, which it does not and which therefore keep their text and precision.
type clock struct {
	minute    time.Time
	seconds   string // two digits; 60 in a leap second
	fraction  string // digits, "" for none
	canonical bool   // the text was in UTC with "Z" already
}

// String is the timestamp in UTC.
func (c clock) String() string {
	text := c.minute.Format("2006-01-02T15:04:") + c.seconds
	if c.fraction != "" {
		text += "." + c.fraction
	}
	return text + "Z"
}

func parseClock(s string) (c clock, ok bool) {
	const layout = "0000-00-00T00:00"
	if len(s) < len(layout) || len(s) > maxTimestampLength {
		return c, false
	}
	for i := 0; i < len(layout); i++ {
		if isDigit(layout[i]) != isDigit(s[i]) || !isDigit(s[i]) && s[i] != layout[i] {
			return c, false
		}
	}
	year, month, day := number(s[:4]), number(s[5:7]), number(s[8:10])
	hour, minute := number(s[11:13]), number(s[14:16])
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 {
		return c, false
	}
	rest := s[len(layout):]
	comma := false
	if c.seconds, c.fraction, rest, comma, ok = cutSeconds(rest); !ok {
		return c, false
	}
	offset, ok := zoneOffset(rest)
	if !ok {
		return c, false
	}
	c.canonical = rest == "Z" && !comma && len(s) > len(layout)+1
	c.minute = time.Date(year, time.Month(month), day, hour, minute, 0, 0, time.UTC).Add(-offset)
	if c.minute.Year() < 0 || c.minute.Year() > 9999 {
		return c, false
	}
	if c.seconds == "60" && (c.minute.Hour() != 23 || c.minute.Minute() != 59) {
		return c, false // a leap second ends a day of UTC
	}
	return c, true
}

// cutSeconds reads ":ss" and a fraction, both optional.
func cutSeconds(s string) (seconds, fraction, rest string, comma, ok bool) {
	if s == "" || s[0] != ':' {
		return "00", "", s, false, true
	}
	if len(s) < 3 || !isDigit(s[1]) || !isDigit(s[2]) || number(s[1:3]) > 60 {
		return "", "", "", false, false
	}
	seconds, rest = s[1:3], s[3:]
	if rest == "" || rest[0] != '.' && rest[0] != ',' {
		return seconds, "", rest, false, true
	}
	comma = rest[0] == ','
	end := 1
	for end < len(rest) && isDigit(rest[end]) {
		end++
	}
	return seconds, rest[1:end], rest[end:], comma, end > 1
}

// zoneOffset reads "", "Z", "+hh", "+hhmm" or "+hh:mm" to the end of s.
func zoneOffset(s string) (time.Duration, bool) {
	if s == "" || s == "Z" {
		return 0, true
	}
	if s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	digits := s[1:]
	if len(digits) == 5 && digits[2] == ':' {
		digits = digits[:2] + digits[3:]
	}
	if len(digits) == 2 {
		digits += "00"
	}
	if len(digits) != 4 || !all(digits, isDigit) {
		return 0, false
	}
	hours, minutes := number(digits[:2]), number(digits[2:])
	if hours > 23 || minutes > 59 {
		return 0, false
	}
	offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if s[0] == '-' {
		return -offset, offset != 0
	}
	return offset, true
}

// number reads up to four digits that were checked before.
func number(digits string) int {
	n := 0
	for i := 0; i < len(digits); i++ {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

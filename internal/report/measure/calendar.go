package measure

import (
	"math"
	"slices"
	"sort"
	"time"
)

const (
	second = int64(1000) // milliseconds
	day    = 86_400 * second
)

// DayOf is the day number of a moment, in milliseconds of Unix time: days since 1970-01-01 on the calendar of the zone.
func DayOf(ms int64, zone *time.Location) int32 {
	_, offset := time.UnixMilli(ms).In(zone).Zone()
	return int32(floorDivide(ms+int64(offset)*second, day))
}

// StartOf is the first moment of a day on the calendar of the zone, in milliseconds of Unix time. It is not always midnight:
// where clocks go forward at midnight the day begins at one, and where they go back then it begins with the earlier of two
// midnights. A day that the zone left out begins where the next one does.
func StartOf(day int32, zone *time.Location) int64 {
	const most = 26 * 3600 // seconds by which a zone is ahead of UTC or behind it, a skipped day included
	utc := int64(day) * 86_400
	after := sort.Search(2*most, func(s int) bool { return DayOf((utc-most+int64(s))*second, zone) >= day })
	return (utc - most + int64(after)) * second
}

// WeekOf is the day number of the Monday of a day's ISO week.
func WeekOf(day int32) int32 {
	return day - int32(modulo(int64(day)+3, 7)) // 1970-01-01 was a Thursday
}

// MonthOf is the month of a day: months since January 1970.
func MonthOf(day int32) int32 {
	year, month, _ := dateOf(day).Date()
	return int32((year-1970)*12 + int(month) - 1)
}

// FirstDayOf is the day number of the first day of a month.
func FirstDayOf(month int32) int32 {
	return int32(floorDivide(time.Date(1970, time.Month(1+month), 1, 0, 0, 0, 0, time.UTC).UnixMilli(), day))
}

// dateOf is midnight of the day in UTC, for its calendar.
func dateOf(day int32) time.Time { return time.Unix(int64(day)*86_400, 0).UTC() }

// calendar names days on the calendar of a zone. It remembers how long the zone's offset holds: asking takes longer than
// the rest of a day's arithmetic.
type calendar struct {
	zone     *time.Location
	from, to int64 // the offset holds for from ≤ ms < to
	offset   int64 // milliseconds
	found    []int32
}

// dayOf is DayOf in the calendar's zone.
func (c *calendar) dayOf(ms int64) int32 {
	if ms < c.from || ms >= c.to {
		c.ask(ms)
	}
	return int32(floorDivide(ms+c.offset, day))
}

func (c *calendar) ask(ms int64) {
	t := time.UnixMilli(ms).In(c.zone)
	_, offset := t.Zone()
	from, to := t.ZoneBounds()
	c.offset, c.from, c.to = int64(offset)*second, math.MinInt64, math.MaxInt64
	if !from.IsZero() {
		c.from = from.UnixMilli()
	}
	if !to.IsZero() {
		c.to = to.UnixMilli()
	}
}

// days are the days with a fact, each once, ascending. One list of them is in use at a time.
func (c *calendar) days(facts Facts) []int32 {
	days := c.found[:0]
	rising := true
	for _, f := range facts { // in order, but where a zone repeats an hour around midnight the day before comes again
		day := c.dayOf(f.T)
		if n := len(days); n == 0 || days[n-1] != day {
			rising = rising && (n == 0 || days[n-1] < day)
			days = append(days, day)
		}
	}
	if !rising {
		slices.Sort(days)
		days = slices.Compact(days)
	}
	c.found = days
	return days
}

func floorDivide(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func modulo(a, b int64) int64 { return a - floorDivide(a, b)*b }

package report

import (
	"slices"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/report/measure"
)

// Period is a span of whole days on the calendar of the store's time zone, both included.
type Period struct{ From, To int32 } // day numbers: days since 1970-01-01

// allTime holds every day that a statement can be of: from before the year 1 to the year 4707. An event is no later than its
// statement was stored.
var allTime = Period{-1_000_000, 1_000_000}

// All reports whether the period has no bounds.
func (p Period) All() bool { return p == allTime }

// Has reports whether a day lies in the period.
func (p Period) Has(day int32) bool { return day >= p.From && day <= p.To }

// Ranges are the names of periods that end today, in the order of the documentation.
var Ranges = []string{"today", "7d", "30d", "90d", "365d", "week", "month", "year", "all"}

// DefaultRange is the period of a question that names none.
const DefaultRange = "30d"

// rangeOf is the period of a name: of that many days up to today, or of the week, month or year that today is in.
func rangeOf(name string, today int32) (Period, bool) {
	days := map[string]int32{"today": 1, "7d": 7, "30d": 30, "90d": 90, "365d": 365}
	if n, ok := days[name]; ok {
		return Period{today - n + 1, today}, true
	}
	month := measure.MonthOf(today)
	switch name {
	case "week":
		return Period{measure.WeekOf(today), measure.WeekOf(today) + 6}, true
	case "month":
		return Period{measure.FirstDayOf(month), measure.FirstDayOf(month+1) - 1}, true
	case "year":
		january := month - int32((int(month)%12+12)%12)
		return Period{measure.FirstDayOf(january), measure.FirstDayOf(january+12) - 1}, true
	case "all":
		return allTime, true
	}
	return Period{}, false
}

// periodOf reads the parameters range, from and to.
func periodOf(name, from, to string, today int32) (Period, error) {
	if name != "" && (from != "" || to != "") {
		return Period{}, invalid("range", "either range or from and to say which days are meant, not both")
	}
	if name != "" || from == "" && to == "" {
		if name == "" {
			name = DefaultRange
		}
		p, ok := rangeOf(name, today)
		if !ok {
			return Period{}, invalid("range", "%q is no range: it is one of %s", name, strings.Join(Ranges, ", "))
		}
		return p, nil
	}
	p := allTime
	for _, bound := range []struct {
		name, text string
		into       *int32
	}{{"from", from, &p.From}, {"to", to, &p.To}} {
		if bound.text == "" {
			continue
		}
		day, err := time.Parse(time.DateOnly, bound.text)
		if err != nil {
			return Period{}, invalid(bound.name, "%q is no date: write it as 2026-01-31", bound.text)
		}
		*bound.into = int32(day.Unix() / 86_400)
	}
	if to == "" { // up to today
		p.To = max(today, p.From)
	}
	if p.From > p.To {
		return Period{}, invalid("from", "the first day is after the last")
	}
	return p, nil
}

// DateOf writes a day number as 2026-01-31; "" for a bound of all time.
func DateOf(day int32) string {
	if day == allTime.From || day == allTime.To {
		return ""
	}
	return time.Unix(int64(day)*86_400, 0).UTC().Format(time.DateOnly)
}

type namedGrain struct {
	name  string
	grain measure.Grain
}

// grains are those of reports over time, by the values of the parameter by.
var grains = []namedGrain{{"day", measure.Day}, {"week", measure.Week}, {"month", measure.Month}}

// grainNames are the values of the parameter by.
func grainNames() []string {
	var names []string
	for _, g := range grains {
		names = append(names, g.name)
	}
	return names
}

func grainOf(name string) (measure.Grain, bool) {
	i := slices.IndexFunc(grains, func(g namedGrain) bool { return g.name == name })
	if i < 0 {
		return 0, false
	}
	return grains[i].grain, true
}

// span is one day, week or month: its number in cells, and its days.
type span struct {
	at   int32
	days Period
}

// spanOf is the one that a day is in.
func spanOf(day int32, g measure.Grain) span {
	switch g {
	case measure.Week:
		monday := measure.WeekOf(day)
		return span{monday, Period{monday, monday + 6}}
	case measure.Month:
		month := measure.MonthOf(day)
		return span{month, Period{measure.FirstDayOf(month), measure.FirstDayOf(month+1) - 1}}
	}
	return span{day, Period{day, day}}
}

// spansOf lists those that a period touches, whole.
func spansOf(p Period, g measure.Grain) []span {
	var spans []span
	for day := p.From; day <= p.To; {
		s := spanOf(day, g)
		spans = append(spans, s)
		day = s.days.To + 1
	}
	return spans
}

// whole is the one span that a period is exactly, if it is one.
func (p Period) whole() (measure.Cell, bool) {
	if p.All() {
		return measure.Cell{Grain: measure.Total}, true
	}
	for _, g := range grains {
		if s := spanOf(p.From, g.grain); s.days == p {
			return measure.Cell{Grain: g.grain, At: s.at}, true
		}
	}
	return measure.Cell{}, false
}

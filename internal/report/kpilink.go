package report

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

type unitMeasure struct {
	id, title, measure string
	of                 func(u *unit) float64 // NaN when there is none
}

// unitMeasures are the figures of one learner that a KPI can be held against.
var unitMeasures = []unitMeasure{
	{"statements", "Statements", "M01", func(u *unit) float64 { return float64(u.statements) }},
	{"days", "Active days", "M03", func(u *unit) float64 { return float64(u.days) }},
	{"sessions", "Sessions", "M10", func(u *unit) float64 { return float64(u.sessions) }},
	{"contents", "Contents touched", "M09", func(u *unit) float64 { return float64(u.contents) }},
	{"starts", "Starts", "M20", func(u *unit) float64 { return float64(u.starts) }},
	{"completions", "Completions", "M21", func(u *unit) float64 { return float64(u.completions) }},
	{"passed", "Passed attempts", "M24", func(u *unit) float64 { return float64(u.passed) }},
	{"score", "Mean of the first scores", "M26", func(u *unit) float64 {
		if !u.hasScore {
			return math.NaN()
		}
		return u.firstScore
	}},
	{"activeTime", "Active time", "M29", func(u *unit) float64 { return seconds(u.active) }},
	{"watchTime", "Watch time", "M41", func(u *unit) float64 { return seconds(u.watched) }},
	{"uniqueSeconds", "Unique seconds", "M42", func(u *unit) float64 { return seconds(u.unique) }},
	{"difficulty", "Share of correct first responses", "M61", func(u *unit) float64 {
		if u.answered == 0 {
			return math.NaN()
		}
		return float64(u.correct) / float64(u.answered)
	}},
}

func unitMeasureIDs() []string {
	var ids []string
	for _, m := range unitMeasures {
		ids = append(ids, m.id)
	}
	return ids
}

var linkColumns = []result.Column{
	label("kpi", "KPI"), text("measure", "Measure"), text("unit", "Unit"),
	count("units", "Units", "M80"),
	amount("pearson", "Pearson r", "M80", result.Plain), amount("spearman", "Spearman ρ", "M80", result.Plain),
	{ID: "verdict", Title: "Verdict", Measure: "M80", Kind: result.Text},
}

var pointColumns = []result.Column{
	label("unit", "Unit"), label("period", "Period"), amount("x", "Measure", "M80", result.Plain), amount("y", "KPI", "M80", result.Plain),
}

// point is one unit of the KPI link.
type point struct {
	unit    fact.Hash
	period  string // of groups
	learned int    // learners behind the measure
	measure.Pair
}

// link is a KPI with the points that the question makes of it.
type link struct {
	kpi    KPI
	title  string
	points []point
}

// enough is how many units a verdict needs.
func (l *link) enough() int {
	if l.kpi.Unit == unitGroup {
		return measure.EnoughGroups
	}
	return measure.EnoughUnits
}

// kpiLink is M80 in one row.
func kpiLink(a *asking) (*result.Table, error) {
	l, err := a.link()
	if err != nil {
		return nil, err
	}
	t := &result.Table{Columns: a.report.Columns}
	n := len(l.points)
	who, none := learnersBehind(l), result.Absent(result.NotEnough)
	row := result.Row{result.Named(l.kpi.Name), result.Named(l.title), result.Named(l.kpi.Unit), result.Counted(int64(n), who)}
	if n < l.enough() && !a.store.TestData {
		t.Rows = []result.Row{append(row, none, none, result.Named(fmt.Sprintf("not enough data: it takes %d", l.enough())))}
		return t, nil
	}
	pairs := make([]measure.Pair, n)
	for i, p := range l.points {
		pairs[i] = p.Pair
	}
	c := measure.Correlate(pairs, 1)
	coefficient := func(r float64, i measure.Interval) result.Cell {
		cell := figure(r, int64(n), who)
		if cell.State == result.Shown && !i.None() {
			cell = cell.Within(i.Low, i.High)
		}
		return cell
	}
	t.Rows = []result.Row{append(row, coefficient(c.Pearson, c.PearsonInterval), coefficient(c.Spearman, c.SpearmanInterval), result.Named(string(c.Verdict())))}
	return t, nil
}

func learnersBehind(l *link) int {
	if l.kpi.Unit == unitLearner {
		return len(l.points)
	}
	n := 0
	for _, p := range l.points {
		n += p.learned
	}
	return n
}

// kpiPoints are the points of the scatter.
func kpiPoints(a *asking) (*result.Table, error) {
	l, err := a.link()
	if err != nil {
		return nil, err
	}
	t := &result.Table{Columns: a.report.Columns}
	for _, p := range l.points {
		t.Rows = append(t.Rows, result.Row{result.Named(keyText(p.unit)), result.Named(p.period),
			result.Measured(p.X, 0, result.NotPersonal), result.Measured(p.Y, 0, result.NotPersonal)})
	}
	return t, nil
}

// link reads the KPI and computes the measure of each of its units.
func (a *asking) link() (*link, error) {
	if a.q.KPI == "" || a.q.Measure == "" {
		return nil, invalid("kpi", "name the KPI and the measure that it is held against")
	}
	kpi, err := a.kpi(a.ctx, a.store, a.q.KPI)
	if err != nil {
		return nil, err
	}
	if a.store.HideNames && kpi.Unit == unitLearner {
		return nil, notFound("this store hides names: KPIs are linked for groups only")
	}
	rows, err := a.rowsOf(a.ctx, a.store, kpi)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(unitMeasures, func(m unitMeasure) bool { return m.id == a.q.Measure })
	l := &link{kpi: kpi, title: unitMeasures[i].title}
	if kpi.Unit == unitGroup {
		l.points, err = a.groupPoints(rows, unitMeasures[i].of)
	} else {
		l.points, err = a.learnerPoints(rows, unitMeasures[i].of)
	}
	slices.SortFunc(l.points, func(p, q point) int {
		return cmp.Or(slices.Compare(p.unit[:], q.unit[:]), cmp.Compare(p.period, q.period))
	})
	return l, err
}

var errUnit = errors.New("read KPI: a unit is no key")

// mean is the mean of values.
type mean struct {
	sum float64
	n   int
}

func (m mean) plus(v float64) mean { return mean{m.sum + v, m.n + 1} }

func (m mean) value() float64 { return m.sum / float64(m.n) }

// learnerPoints holds the mean of a learner's values in the period against the learner's measure in the period.
func (a *asking) learnerPoints(rows []KPIRow, of func(*unit) float64) ([]point, error) {
	if a.q.Lag > 0 {
		return nil, invalid("lag", "a KPI of learners has no periods to be shifted by")
	}
	values := map[string]mean{}
	for _, r := range rows {
		if day, ok := dayOf(r.Date); ok && a.period.Has(day) {
			values[r.Unit] = values[r.Unit].plus(r.Value)
		}
	}
	var points []point
	err := a.ledgers(func(l *learner) error {
		kpi, ok := values[keyText(l.Learner)]
		if !ok || l.Unattributed {
			return nil
		}
		u := a.unitOf(l.facts, a.moments())
		if x := of(&u); u.statements > 0 && !math.IsNaN(x) {
			points = append(points, point{l.Learner, "", 1, measure.Pair{X: x, Y: kpi.value()}})
		}
		return nil
	})
	return points, err
}

// dayOf is the day number of a date; ok is false when it is none.
func dayOf(date string) (day int32, ok bool) {
	t, err := time.Parse(time.DateOnly, date)
	return int32(t.Unix() / 86_400), err == nil
}

// groupSpan is a group in one day, week or month.
type groupSpan struct {
	group fact.Hash
	span  span
}

// groupPoints holds the mean of a group's values in a month (or week or day) against the mean of the measure over its learners in
// that time, or so many before it.
func (a *asking) groupPoints(rows []KPIRow, of func(*unit) float64) ([]point, error) {
	grain, _ := grainOf(cmp.Or(a.q.By, "month"))
	kpis, spans, err := a.groupValues(rows, grain)
	if err != nil {
		return nil, err
	}
	if len(spans) > maxSpans {
		return nil, &Refusal{ErrBound, "by", fmt.Sprintf("the KPI has more than %d periods: name a shorter range, or by=month", maxSpans)}
	}
	measures := map[groupSpan]mean{}
	err = a.ledgers(func(l *learner) error {
		if l.Unattributed {
			return nil
		}
		byGroup := map[fact.Hash]measure.Facts{}
		for _, f := range l.facts {
			if (f.Group != fact.Hash{}) {
				byGroup[f.Group] = append(byGroup[f.Group], f)
			}
		}
		for group, facts := range byGroup {
			for s, moments := range spans {
				at := groupSpan{group, s}
				if _, ok := kpis[at]; !ok {
					continue
				}
				u := a.unitOf(facts, moments)
				if x := of(&u); u.statements > 0 && !math.IsNaN(x) {
					measures[at] = measures[at].plus(x)
				}
			}
		}
		return nil
	})
	var points []point
	for at, m := range measures {
		if m.n >= measure.EnoughGroupMembers || a.store.TestData {
			points = append(points, point{at.group, nameSpan(at.span, grain), m.n, measure.Pair{X: m.value(), Y: kpis[at].value()}})
		}
	}
	return points, err
}

// groupValues are the means of a KPI's values by group and by the span that the measure is taken in, which the lag shifts, and
// the moments of those spans.
func (a *asking) groupValues(rows []KPIRow, grain measure.Grain) (map[groupSpan]mean, map[span]measure.Period, error) {
	values, spans := map[groupSpan]mean{}, map[span]measure.Period{}
	for _, r := range rows {
		day, ok := dayOf(r.Date)
		if !ok {
			continue
		}
		s := spanOf(day, grain)
		if !a.period.All() && (s.days.To < a.period.From || s.days.From > a.period.To) {
			continue // the period is widened to whole spans, as that of the measure
		}
		group, err := keyOf(r.Unit, true, nil)
		if err != nil {
			return nil, nil, errUnit
		}
		for range a.q.Lag {
			s = spanOf(s.days.From-1, grain)
		}
		if _, ok := spans[s]; !ok {
			spans[s] = measure.Period{From: measure.StartOf(s.days.From, a.zone), To: measure.StartOf(s.days.To+1, a.zone)}
		}
		at := groupSpan{group, s}
		values[at] = values[at].plus(r.Value)
	}
	return values, spans, nil
}

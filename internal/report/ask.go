package report

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cairn-lrs/cairn/internal/report/result"
)

// Question is what is asked of a report of the catalogue.
type Question struct {
	Report          string
	Range, From, To string // see periodOf
	Filter          Filter
	By              string // of reports over time: day, week or month
	Sort            string // id of a column, with a "-" before it for the greatest first; "" is the report's own order
	Top             int    // rows that are wanted; 0: all
	KPI, Measure    string // of the KPI link
	Lag             int    // likewise, in periods
	Width           int    // of the bins of a heat map, in seconds; 0: a hundredth of the video
}

// Param is a parameter that reports take.
type Param struct {
	Name   string
	About  string
	Values []string // that it may have; nil: any
	Number bool
	Least  int // of a number
	Most   int
	take   func(q *Question) *string
	number func(q *Question) *int
}

// params are all of them, in the order of the documentation.
var params = []Param{
	{Name: "range", About: "The days that count, up to today in the store's time zone. The default is " + DefaultRange + ".", Values: Ranges,
		take: func(q *Question) *string { return &q.Range }},
	{Name: "from", About: "The first day that counts, as 2026-01-31.", take: func(q *Question) *string { return &q.From }},
	{Name: "to", About: "The last day that counts; today where only from is given.", take: func(q *Question) *string { return &q.To }},
	{Name: "content", About: "The id of an activity: it and everything under it, by parent or grouping.", take: func(q *Question) *string { return &q.Filter.Content }},
	{Name: "kind", About: "Contents of this kind only.", Values: KindNames, take: func(q *Question) *string { return &q.Filter.Kind }},
	{Name: "learner", About: "One learner: the key of 16 characters that reports give, or the Agent as JSON.", take: func(q *Question) *string { return &q.Filter.Learner }},
	{Name: "group", About: "Statements with this identified Group as team: a key, or the Group as JSON.", take: func(q *Question) *string { return &q.Filter.Group }},
	{Name: "registration", About: "Statements with this registration, a UUID.", take: func(q *Question) *string { return &q.Filter.Registration }},
	{Name: "platform", About: "Statements with this context.platform.", take: func(q *Question) *string { return &q.Filter.Platform }},
	{Name: "language", About: "Statements with this context.language.", take: func(q *Question) *string { return &q.Filter.Language }},
	{Name: "by", About: "The span of time that a row is about; weeks are ISO weeks. The period is widened to whole ones.", Values: grainNames(),
		take: func(q *Question) *string { return &q.By }},
	{Name: "kpi", About: "The name of an imported KPI.", take: func(q *Question) *string { return &q.KPI }},
	{Name: "measure", About: "What the KPI is held against.", Values: unitMeasureIDs(), take: func(q *Question) *string { return &q.Measure }},
	{Name: "sort", About: "The id of a column to order the rows by, with a - before it for the greatest first. What is not shown stands last.", take: func(q *Question) *string { return &q.Sort }},
	{Name: "top", About: "How many rows are wanted, counted in that order.", Number: true, Least: 1, Most: 10_000,
		number: func(q *Question) *int { return &q.Top }},
	{Name: "lag", About: "How many periods the KPI comes after the measure.", Number: true, Least: 0, Most: 3,
		number: func(q *Question) *int { return &q.Lag }},
	{Name: "width", About: "How many seconds of the video a bin has; else a hundredth of it, and at least one.", Number: true, Least: 1, Most: 3600,
		number: func(q *Question) *int { return &q.Width }},
}

// Params are all of them, in the order of the documentation.
func Params() []Param { return params }

// commonParams are those of every report.
var commonParams = []string{"range", "from", "to", "content", "kind", "group", "registration", "platform", "language", "sort", "top"}

// ParamsOf lists the parameters that a report takes.
func (r *Report) ParamsOf() []Param {
	var all []Param
	for _, p := range params {
		if slices.Contains(r.Params, p.Name) || !r.Bare && slices.Contains(commonParams, p.Name) {
			all = append(all, p)
		}
	}
	return all
}

// QuestionOf reads the parameters of a report. Each must be one that it takes.
func (r *Report) QuestionOf(values map[string]string) (Question, error) {
	q := Question{Report: r.ID}
	takes := r.ParamsOf()
	for _, name := range slices.Sorted(maps.Keys(values)) { // the same refusal each time
		value := values[name]
		i := slices.IndexFunc(takes, func(p Param) bool { return p.Name == name })
		if i < 0 {
			return q, invalid(name, "the report %s takes no parameter %q: it takes %s", r.ID, name, strings.Join(namesOf(takes), ", "))
		}
		p := takes[i]
		if p.Number {
			n, err := strconv.Atoi(value)
			if err != nil || n < p.Least || n > p.Most {
				return q, invalid(name, "%s must be a number from %d to %d", name, p.Least, p.Most)
			}
			*p.number(&q) = n
			continue
		}
		if value == "" {
			return q, invalid(name, "%s is empty: leave it out", name)
		}
		if p.Values != nil && !slices.Contains(p.Values, value) {
			return q, invalid(name, "%q is not one of those of %s: %s", value, name, strings.Join(p.Values, ", "))
		}
		*p.take(&q) = value
	}
	return q, r.checkSort(q.Sort)
}

func namesOf(params []Param) []string {
	names := make([]string, len(params))
	for i, p := range params {
		names[i] = p.Name
	}
	return names
}

// checkSort refuses an order by what is no column.
func (r *Report) checkSort(sort string) error {
	id := strings.TrimPrefix(sort, "-")
	if sort == "" || slices.ContainsFunc(r.Columns, func(c result.Column) bool { return c.ID == id }) {
		return nil
	}
	return invalid("sort", "%q is no column of %s: it has %s", id, r.ID, strings.Join(columnIDs(r.Columns), ", "))
}

func columnIDs(columns []result.Column) []string {
	ids := make([]string, len(columns))
	for i, c := range columns {
		ids[i] = c.ID
	}
	return ids
}

package report

import (
	"cmp"
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

// Custom is a question of one's own, as JSON:
//
//	{"title": "Platforms", "measures": ["learners", "completionRate"], "by": ["platform"],
//	 "filters": {"content": "http://example.com/course"}, "range": "90d", "order": "-learners", "top": 20}
//
// or a funnel, "who did this and then that":
//
//	{"funnel": {"windowDays": 14, "steps": [
//	  {"did": "started", "content": "http://example.com/a"}, {"did": "completed", "content": "http://example.com/b"}]}}
type Custom struct {
	Title    string       `json:"title,omitzero"`
	Measures []string     `json:"measures,omitzero"`
	By       []string     `json:"by,omitzero"`
	Filters  CustomFilter `json:"filters,omitzero"`
	Range    string       `json:"range,omitzero"`
	From     string       `json:"from,omitzero"`
	To       string       `json:"to,omitzero"`
	Order    string       `json:"order,omitzero"`
	Top      int          `json:"top,omitzero"`
	Funnel   *Funnel      `json:"funnel,omitzero"`
}

// CustomFilter is a Filter as JSON.
type CustomFilter struct {
	Content      string `json:"content,omitzero"`
	Kind         string `json:"kind,omitzero"`
	Learner      string `json:"learner,omitzero"`
	Group        string `json:"group,omitzero"`
	Registration string `json:"registration,omitzero"`
	Platform     string `json:"platform,omitzero"`
	Language     string `json:"language,omitzero"`
}

// Bounds of a question of one's own.
const (
	maxDimensions = 2
	maxTitle      = 200
	maxQueryBytes = 16 << 10
	maxGroups     = 10_000 // rows before the top ones are taken
)

// customMeasures are the figures that it may ask for.
func customMeasures() []result.Column {
	return slices.Concat([]result.Column{
		count("statements", "Statements", "M01"), count("learners", "Learners", "M02"),
		amount("watchTime", "Watch time", "M41", result.Seconds),
		count("firstResponses", "First responses", "M60"),
		{ID: "difficulty", Title: "Difficulty p", Measure: "M61", Kind: result.Rate, Unit: result.Share, Whole: "firstResponses"},
	}, attemptColumns)
}

// CustomMeasures are the names of the figures that a question of one's own may ask for.
func CustomMeasures() []string { return columnIDs(customMeasures()) }

// Dimensions are what its rows may be about.
var Dimensions = []string{"content", "kind", "group", "platform", "language", "day", "week", "month"}

// ParseCustom reads a question of one's own and says what is wrong in it. What depends on the store is checked when it is asked.
func ParseCustom(text []byte) (Custom, error) {
	var q Custom
	if len(text) > maxQueryBytes {
		return q, invalid("", "a query has at most %d bytes", maxQueryBytes)
	}
	if err := json.Unmarshal(text, &q, json.RejectUnknownMembers(true)); err != nil {
		return q, unreadable(err)
	}
	if len(q.Title) > maxTitle {
		return q, invalid("/title", "the title has at most %d bytes", maxTitle)
	}
	if _, err := periodOf(q.Range, q.From, q.To, 0); err != nil {
		return q, within("", err)
	}
	if q.Top < 0 || q.Top > maxGroups {
		return q, invalid("/top", "top is a number from 1 to %d", maxGroups)
	}
	if q.Funnel != nil {
		if len(q.Measures) > 0 || len(q.By) > 0 || q.Order != "" || q.Top > 0 {
			return q, invalid("/funnel", "a funnel has its own rows: leave out measures, by, order and top")
		}
		return q, q.Funnel.check()
	}
	return q, q.checkTable()
}

// within says where in a query what a parameter of reports may not be stands.
func within(object string, err error) error {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return &Refusal{r.Kind, object + "/" + r.Param, r.Message}
	}
	return err
}

// members are those of each object of a query.
var members = map[string]string{
	"":               "title, measures, by, filters, range, from, to, order, top and funnel",
	"/filters":       "content, kind, learner, group, registration, platform and language",
	"/funnel":        "steps and windowDays",
	"/funnel/steps/": "did, verb, content and progress",
}

// unreadable says where the JSON is not what is expected.
func unreadable(err error) error {
	if e, ok := errors.AsType[*json.SemanticError](err); ok {
		at := string(e.JSONPointer)
		if errors.Is(err, json.ErrUnknownName) {
			object := at[:strings.LastIndexByte(at, '/')]
			return invalid(at, "%s is not known: what can stand there is %s", at, members[strings.TrimRight(object, "0123456789")])
		}
		return invalid(at, "%s is of the wrong type: it must be %s", cmp.Or(at, "the query"), wanted(e.GoType))
	}
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at := string(e.JSONPointer)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return invalid(at, "%s is there twice", at)
		}
		return invalid(at, "the query is not JSON from byte %d on", e.ByteOffset)
	}
	return invalid("", "the query is not JSON")
}

// wanted says which kind of JSON becomes a value of a type of Custom.
func wanted(t reflect.Type) string {
	switch {
	case t == nil || t.Kind() == reflect.Struct || t.Kind() == reflect.Pointer:
		return "an object"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.String:
		return "a text"
	case t.Kind() == reflect.Int:
		return "a whole number, written with digits alone"
	}
	return "a number"
}

// checkTable holds measures, dimensions and order to what there is.
func (q *Custom) checkTable() error {
	if len(q.Measures) == 0 {
		return invalid("/measures", "name at least one measure: %s", strings.Join(CustomMeasures(), ", "))
	}
	if len(q.By) > maxDimensions {
		return invalid("/by", "rows are about at most %d dimensions", maxDimensions)
	}
	for _, list := range []struct {
		at    string
		names []string
		of    []string
	}{{"/measures", q.Measures, CustomMeasures()}, {"/by", q.By, Dimensions}} {
		for i, name := range list.names {
			at := fmt.Sprintf("%s/%d", list.at, i)
			if !slices.Contains(list.of, name) {
				return invalid(at, "%q is not one of %s", name, strings.Join(list.of, ", "))
			}
			if slices.Index(list.names, name) != i {
				return invalid(at, "%q is there twice", name)
			}
		}
	}
	overTime := slices.ContainsFunc(q.By, func(by string) bool { _, is := grainOf(by); return is })
	if overTime && slices.Contains(q.Measures, "watchTime") {
		return invalid("/measures", "watchTime cannot be told by day, week or month: players send all that was played in a registration again and again")
	}
	if order := strings.TrimPrefix(q.Order, "-"); q.Order != "" && !slices.Contains(q.Measures, order) && !slices.Contains(q.By, order) {
		return invalid("/order", "order is one of the measures or dimensions of the query, with a - before it for the greatest first")
	}
	return nil
}

// checkStore holds a question to what a store may be asked.
func (q *Custom) checkStore(store auth.Store) error {
	if _, err := sieveOf(Filter(q.Filters), store, store.HideNames); err != nil {
		return within("/filters", err)
	}
	cohorts := 0
	for _, name := range []string{"group", "platform", "language"} {
		cohorts += bit(slices.Contains(q.By, name))
	}
	for _, value := range []string{q.Filters.Group, q.Filters.Platform, q.Filters.Language} {
		cohorts += bit(value != "")
	}
	if store.HideNames && cohorts > 1 {
		return invalid("/by", "this store hides names: of group, platform and language one may stand in a question, as filter or dimension")
	}
	return nil
}

// report is the report that a question of one's own makes.
func (q *Custom) report() *Report {
	r := &Report{ID: "custom", Title: cmp.Or(q.Title, "Custom report"), Row: "a combination of the dimensions", Chart: "table", Roads: []Road{Ledgers}}
	if q.Funnel != nil {
		r.Columns, r.Chart, r.Row = funnelColumns, "funnel", "a step"
		r.answer = func(a *asking) (*result.Table, error) { return a.funnel(q.Funnel.Steps, q.Funnel.window(), false) }
		return r
	}
	all := customMeasures()
	for _, by := range q.By {
		r.Columns = append(r.Columns, label(by, strings.ToUpper(by[:1])+by[1:]))
	}
	if len(q.By) == 0 {
		r.Columns = append(r.Columns, label("scope", "Scope"))
	}
	for _, name := range q.Measures {
		r.Columns = append(r.Columns, all[slices.IndexFunc(all, func(c result.Column) bool { return c.ID == name })])
	}
	r.answer = q.table
	return r
}

// Custom answers a question of one's own.
func (s *Service) Custom(ctx context.Context, store auth.Store, q Custom) (*Answer, error) {
	if err := q.checkStore(store); err != nil {
		return nil, err
	}
	r := q.report()
	a, err := s.ask(ctx, store, r, Question{Report: r.ID, Range: q.Range, From: q.From, To: q.To, Filter: Filter(q.Filters)})
	if err != nil {
		return nil, err
	}
	t, err := r.answer(a)
	if err != nil {
		return nil, a.refused(err)
	}
	return a.finish(t, q.Order, q.Top)
}

// group is a row in the making: one combination of the dimensions.
type group struct {
	attemptSum
	statements             int64
	viewed, watched        int64 // statements of viewers, milliseconds
	learners, viewers      int
	responses, correct     int64
	answered, right, wrong int // learners
}

// table computes the rows.
func (q *Custom) table(a *asking) (*result.Table, error) {
	if err := a.readContents(); err != nil {
		return nil, err
	}
	groups := map[string]*group{}
	err := a.ledgers(func(l *learner) error {
		for key, one := range q.groupsOf(a, l) {
			if groups[key] == nil {
				if len(groups) == maxGroups {
					return &Refusal{ErrBound, "/by", fmt.Sprintf("the answer has more than %d rows: filter more, or leave a dimension out", maxGroups)}
				}
				groups[key] = &group{}
			}
			groups[key].addOne(one, l.Unattributed)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return q.rows(a, groups), nil
}

// groupsOf are the groups that one learner is in, of what that learner did.
func (q *Custom) groupsOf(a *asking, l *learner) map[string]*group {
	groups := map[string]*group{}
	of := func(key string) *group {
		if groups[key] == nil {
			groups[key] = &group{}
		}
		return groups[key]
	}
	moments := a.moments()
	watched := measure.WatchTimes(l.facts)
	for i, f := range l.facts {
		if moments.Holds(f.T) {
			g := of(a.keyOfFact(q.By, f, f.T))
			g.statements++
			g.viewed += int64(bit(f.Video != nil))
			g.watched += watched[i]
		}
	}
	if l.Unattributed {
		return groups
	}
	for _, x := range measure.AnswersIn(l.facts, moments) {
		if first := x.First; first.Judged {
			g := of(a.keyOfFact(q.By, first.By, first.T))
			g.responses++
			g.correct += int64(bit(first.Correct))
		}
	}
	for _, attempts := range attemptsOf(l.facts) {
		keyOf := func(x *measure.Attempt) string { return a.keyOfFact(q.By, x.Facts[0], x.Begin()) }
		keys := map[string]bool{}
		for i := range attempts {
			if x := &attempts[i]; moments.Holds(x.Begin()) {
				keys[keyOf(x)] = true
			}
		}
		for key := range keys {
			wanted := func(x *measure.Attempt) bool { return moments.Holds(x.Begin()) && keyOf(x) == key }
			of(key).addSome(attempts, wanted, a.now.UnixMilli())
		}
	}
	return groups
}

// addOne adds the group of one learner.
func (g *group) addOne(one *group, unattributed bool) {
	g.statements += one.statements
	if unattributed {
		return
	}
	g.learners += some(one.statements)
	g.watched += one.watched
	g.viewers += some(one.viewed)
	g.responses += one.responses
	g.correct += one.correct
	g.answered += some(one.responses)
	g.right += some(one.correct)
	g.wrong += some(one.responses - one.correct)
	g.addLearner(&one.attemptSum)
}

const keySeparator = "\x00"

// keyOfFact is the row that a fact is in.
func (a *asking) keyOfFact(by []string, f *fact.Fact, t int64) string {
	parts := make([]string, len(by))
	for i, dimension := range by {
		switch dimension {
		case "content":
			parts[i] = a.id(f.Content)
		case "kind":
			if (f.Content != fact.Hash{}) {
				parts[i] = KindNames[a.kindOf(f.Content)]
			}
		case "group":
			if (f.Group != fact.Hash{}) {
				parts[i] = keyText(f.Group)
			}
		case "platform":
			parts[i] = f.Platform
		case "language":
			parts[i] = f.Language
		default:
			grain, _ := grainOf(dimension)
			parts[i] = nameSpan(spanOf(a.day(t), grain), grain)
		}
	}
	return strings.Join(parts, keySeparator)
}

func (q *Custom) rows(a *asking, groups map[string]*group) *result.Table {
	t := &result.Table{Columns: a.report.Columns}
	if slices.Contains(q.Measures, "starts") && slices.Contains(q.Measures, "completions") {
		t.Parts = attemptParts
	}
	for key, g := range groups {
		all := append([]result.Cell{
			statementsOf(g.statements, g.learners), result.Counted(int64(g.learners), g.learners),
			total(g.watched, int64(g.viewers), g.viewers),
			result.Counted(g.responses, g.answered),
			rate(g.correct, g.responses, g.answered, g.right, g.wrong),
		}, g.cells()...)
		var row result.Row
		if len(q.By) == 0 {
			row = result.Row{result.Named(cmp.Or(q.Filters.Content, "store"))}
		} else {
			for part := range strings.SplitSeq(key, keySeparator) {
				row = append(row, result.Named(part))
			}
		}
		for _, name := range q.Measures {
			row = append(row, all[slices.Index(CustomMeasures(), name)])
		}
		t.Rows = append(t.Rows, row)
	}
	slices.SortFunc(t.Rows, func(x, y result.Row) int {
		for i := range max(1, len(q.By)) {
			if order := cmp.Compare(x[i].Text, y[i].Text); order != 0 {
				return order
			}
		}
		return 0
	})
	return t
}

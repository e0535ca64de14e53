package report

import (
	"context"
	"encoding/json/v2"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

// asked is what all learners answered to the questions of the scope in the period.
type asked struct {
	items  map[fact.Hash]*itemSum
	scores map[fact.Hash]measure.Scores // by parent
}

// itemSum is one question.
type itemSum struct {
	measure.Item
	parent    fact.Hash // of several, that of the learner who answered last: the order of ledgers differs from store to store
	parentAt  int64
	responses map[fact.Hash]string // by learner: the first judged response
	surveys   map[fact.Hash]string // the first response of those whose responses are not judged
}

func (a *asking) answers() (*asked, error) {
	if err := a.readContents(); err != nil {
		return nil, err
	}
	all := &asked{items: map[fact.Hash]*itemSum{}, scores: map[fact.Hash]measure.Scores{}}
	err := a.ledgers(func(l *learner) error {
		if !l.Unattributed {
			all.add(l.Learner, measure.AnswersIn(l.facts, a.moments()))
		}
		return nil
	})
	return all, err
}

func (s *asked) add(learner fact.Hash, answers []measure.Answers) {
	parents := map[fact.Hash]bool{}
	for i := range answers {
		x := &answers[i]
		item := s.items[x.Item]
		if item == nil {
			item = &itemSum{responses: map[fact.Hash]string{}, surveys: map[fact.Hash]string{}}
			s.items[x.Item] = item
		}
		item.Add(x)
		if none := (fact.Hash{}); x.Parent != none && (item.parent == none || x.Earliest.T > item.parentAt) {
			item.parent, item.parentAt = x.Parent, x.Earliest.T
		}
		if x.First.Judged {
			item.responses[learner] = x.First.Response
		} else {
			item.surveys[learner] = x.Earliest.Response
		}
		parents[x.Parent] = true
	}
	for parent := range parents {
		if s.scores[parent] == nil {
			s.scores[parent] = measure.Scores{}
		}
		s.scores[parent].Add(learner, parent, answers)
	}
}

// matrix arranges the scores of one parent's questions, nil where there are too few for what is computed from them.
func (a *asking) matrix(s measure.Scores) *measure.Matrix {
	m := s.Matrix()
	if m.Enough() || a.store.TestData && len(m.Learners) > 1 && len(m.Items) > 1 {
		return m
	}
	return nil
}

var questionColumns = []result.Column{
	contentColumns[0], contentColumns[1], text("parent", "Parent"),
	count("firstResponses", "First responses", "M60"),
	{ID: "difficulty", Title: "Difficulty p", Measure: "M61", Kind: result.Rate, Unit: result.Share, Whole: "firstResponses"},
	share("eventual", "Eventual success", "M62"),
	amount("attemptsToSuccess", "Attempts to success", "M63", result.Plain),
	amount("discrimination", "Discrimination r", "M64", result.Plain),
	amount("upperLower", "Upper less lower", "M65", result.Share),
	amount("alpha", "Alpha of the parent's questions", "M66", result.Plain),
	amount("time", "Median time on the question", "M69", result.Seconds),
	{ID: "flags", Title: "Flags", Measure: "M68", Kind: result.Text},
}

// questions is M60 to M66, M68 and M69: a row for each question of the scope.
func questions(a *asking) (*result.Table, error) {
	all, err := a.answers()
	if err != nil {
		return nil, err
	}
	matrices := map[fact.Hash]*measure.Matrix{}
	for parent, s := range all.scores {
		matrices[parent] = a.matrix(s)
	}
	if len(all.items) == 0 {
		a.notes = append(a.notes, "Not tracked: no statement with the verb answered is about a question.")
	}
	t := &result.Table{Columns: a.report.Columns}
	for h, item := range all.items {
		n := int(item.Responses)
		row := append(a.contentCells(h)[:2:2], result.Named(a.id(item.parent)), result.Counted(item.Responses, n),
			rate(item.Correct, item.Responses, n, int(item.Correct), n-int(item.Correct)),
			rate(item.EverCorrect, item.Responses, n, int(item.EverCorrect), n-int(item.EverCorrect)),
			figure(item.AttemptsToSuccess(), item.EverCorrect, int(item.EverCorrect)))
		row = append(row, item.matrixCells(h, matrices[item.parent])...)
		row = append(row, median(item.Times, 1000, len(item.Times)), result.Named(item.flags(a.k, h, matrices[item.parent])))
		t.Rows = append(t.Rows, row)
	}
	sortByLabel(t)
	return t, nil
}

// figure is an amount that may not be there.
func figure(v float64, n int64, learners int) result.Cell {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return result.Absent(result.NotEnough)
	}
	return result.Measured(v, n, learners)
}

// matrixCells are M64 to M66 of a question.
func (s *itemSum) matrixCells(h fact.Hash, m *measure.Matrix) []result.Cell {
	none := result.Absent(result.NotEnough)
	if m == nil {
		return []result.Cell{none, none, none}
	}
	n := len(m.Learners)
	alpha := figure(m.Alpha(), int64(n), n)
	i, ok := m.Item(h)
	if !ok {
		return []result.Cell{none, none, alpha}
	}
	return []result.Cell{figure(m.Discrimination(i), int64(n), n), figure(m.UpperLower(i), int64(n), n), alpha}
}

// flags are told of questions whose figures are.
func (s *itemSum) flags(k int, h fact.Hash, m *measure.Matrix) string {
	if int(s.Responses) < k {
		return ""
	}
	r := math.NaN()
	if m != nil {
		if i, ok := m.Item(h); ok {
			r = m.Discrimination(i)
		}
	}
	var words []string
	for _, f := range measure.ItemFlags(s.Difficulty(), r) {
		words = append(words, string(f))
	}
	return strings.Join(words, ", ")
}

// itemDefinition is what of a question's definition its responses are read by.
type itemDefinition struct {
	Type    string      `json:"interactionType"`
	Correct []string    `json:"correctResponsesPattern"`
	Choices []component `json:"choices"`
	Scale   []component `json:"scale"`
}

type component struct {
	ID          string            `json:"id"`
	Description map[string]string `json:"description"`
}

// definitionOf reads the canonical definition of a question.
func (s *Service) definitionOf(ctx context.Context, a *asking, id string) (itemDefinition, error) {
	var d itemDefinition
	known, err := s.Definitions.Definitions(ctx, a.store, []string{id})
	if err != nil {
		return d, err
	}
	if text := known[id]; text != nil && json.Unmarshal(text, &d) != nil {
		return itemDefinition{}, nil // a definition that cannot be read labels nothing
	}
	return d, nil
}

var answerColumns = []result.Column{
	label("option", "Option"), text("what", "Label"), sums(count("responses", "First responses", "M67")),
	{ID: "share", Title: "Share", Measure: "M67", Kind: result.Rate, Unit: result.Share, Outcome: "responses"},
	share("top", "Share among the best 27 %", "M67"), share("bottom", "Share among the weakest 27 %", "M67"),
	text("key", "Key"), {ID: "flags", Title: "Flags", Measure: "M68", Kind: result.Text},
}

// distractors is M67: a row for each option of one question, and for each set of options. Options that fewer than k learners
// chose are told without what was chosen, since they may hold words of their own.
func distractors(a *asking) (*result.Table, error) {
	if a.q.Filter.Content == "" {
		return nil, invalid("content", "name one question by the id of its activity")
	}
	all, err := a.answers()
	if err != nil {
		return nil, err
	}
	t := &result.Table{Columns: withoutSums(a.report.Columns)}
	item := all.items[a.sieve.scope]
	if item == nil {
		return t, nil
	}
	d, err := a.definitionOf(a.ctx, a, a.q.Filter.Content)
	if err != nil {
		return nil, err
	}
	interaction := measure.Interaction{Type: d.Type, Correct: d.Correct}
	matrix, at, err := a.family(item.parent)
	if err != nil {
		return nil, err
	}
	responses := item.responses
	if len(responses) == 0 {
		responses = item.surveys
		a.notes = append(a.notes, "No statement says whether a response is correct: the first responses are shown, and nothing is judged.")
	}
	var choices []string
	labels := map[string]string{}
	for _, c := range slices.Concat(d.Choices, d.Scale) {
		choices = append(choices, c.ID)
		labels[c.ID] = english(c.Description)
	}
	n := int64(len(responses))
	for _, o := range interaction.Distractors(responses, choices, matrix, at) {
		t.Rows = append(t.Rows, a.optionRow(&o, n, labels, slices.Contains(choices, o.Option)))
	}
	return t, nil
}

// family arranges the answers to all questions of the parent of the one in question, and says which of them that is; nil where
// the best and the weakest cannot be told. It reads the ledgers of the parent's learners.
func (a *asking) family(parent fact.Hash) (m *measure.Matrix, at int, err error) {
	if (parent == fact.Hash{}) {
		return nil, 0, nil
	}
	question := a.sieve.scope
	a.sieve.scope = parent
	defer func() { a.sieve.scope = question }()
	a.ledger = 0 // those of the question are among them
	all, err := a.answers()
	if errors.Is(err, ErrBound) {
		a.notes = append(a.notes, "The best and the weakest 27 % are not told: "+err.Error()+".")
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	if m = a.matrix(all.scores[parent]); m == nil {
		return nil, 0, nil
	}
	at, ok := m.Item(question)
	if !ok { // all answered alike
		return nil, 0, nil
	}
	return m, at, nil
}

// withoutSums are columns whose cells are not added up: a learner can choose several options.
func withoutSums(columns []result.Column) []result.Column {
	columns = slices.Clone(columns)
	for i := range columns {
		columns[i].Sums = false
	}
	return columns
}

func (a *asking) optionRow(o *measure.Distractor, n int64, labels map[string]string, known bool) result.Row {
	chose := int(o.Responses)
	name, title := o.Option, labels[o.Option]
	if !known && chose < a.k && !o.Key {
		name, title = "(another response)", "of fewer learners than may be told"
	}
	if o.Set {
		title = "exactly these"
	}
	group := func(r measure.Rate) result.Cell { return rate(r.K, r.N, int(r.N), int(r.K), int(r.N-r.K)) }
	key := ""
	if o.Key {
		key = "key"
	}
	var flags []string
	if chose >= a.k || chose == 0 {
		for _, f := range o.Flags(n) {
			flags = append(flags, string(f))
		}
	}
	return result.Row{result.Named(name), result.Named(title), result.Counted(o.Responses, chose),
		rate(o.Responses, n, int(n), chose, int(n)-chose), group(o.Top), group(o.Bottom), result.Named(key), result.Named(strings.Join(flags, ", "))}
}

// english takes English of a language map, else the language whose tag comes first.
func english(m map[string]string) string {
	best, text := "", ""
	for tag, value := range m {
		rank := "1" + tag
		if strings.HasPrefix(tag, "en") {
			rank = "0" + tag
		}
		if best == "" || rank < best {
			best, text = rank, value
		}
	}
	return text
}

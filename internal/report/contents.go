package report

import (
	"encoding/json/v2"
	"slices"
	"time"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
	"github.com/cairn-lrs/cairn/internal/report/sentence"
)

// readContents reads what every hash of an activity stands for, once.
func (a *asking) readContents() error {
	if a.names != nil {
		return nil
	}
	names, err := a.Rows.Contents(a.ctx, a.store, &a.reads)
	if err != nil {
		return err
	}
	a.names = make(map[fact.Hash]rollup.Name, len(names))
	for _, n := range names {
		if !n.Verb {
			a.names[n.Hash] = n
		}
	}
	return nil
}

// kindOf is the kind of a content: the first of what statements said of it. readContents comes before.
func (a *asking) kindOf(h fact.Hash) fact.Kind {
	for _, k := range a.names[h].Kinds {
		if k != fact.KindOther {
			return k
		}
	}
	return fact.KindOther
}

// id is the IRI of a content.
func (a *asking) id(h fact.Hash) string { return a.names[h].IRI }

// title is the name of a content.
func (a *asking) title(h fact.Hash) string {
	n := a.names[h]
	definition, err := json.Marshal(struct {
		Name any `json:"name,omitempty"`
	}{n.Display})
	if err != nil {
		definition = nil // a display that is no JSON names nothing
	}
	return sentence.Name(n.IRI, definition)
}

// contentColumns say which content a row is about.
var contentColumns = []result.Column{
	{ID: "content", Title: "Content", Kind: result.Label},
	{ID: "name", Title: "Name", Kind: result.Text},
	{ID: "kind", Title: "Kind", Kind: result.Text},
}

func (a *asking) contentCells(h fact.Hash) result.Row {
	return result.Row{result.Named(a.id(h)), result.Named(a.title(h)), result.Named(KindNames[a.kindOf(h)])}
}

// contentSum is what a row of the report of contents adds up.
type contentSum struct {
	attemptSum
	learners int
	lastUsed int64
	under    map[fact.Hash]int // learners who touched it under an activity
}

// contents is M07 to M09: a row for each content that somebody touched in the period.
func contents(a *asking) (*result.Table, error) {
	if err := a.readContents(); err != nil {
		return nil, err
	}
	sums, touched, parents := map[fact.Hash]*contentSum{}, map[fact.Hash]int{}, measure.Parents{}
	asOf := a.now.UnixMilli()
	err := a.ledgers(func(l *learner) error {
		if l.Unattributed {
			return nil
		}
		parents.Add(l.facts)
		for scope := range scopesOf(a.inPeriod(l.facts)) {
			touched[scope]++
		}
		for content, facts := range byContent(l.facts) {
			in := a.inPeriod(facts)
			if len(in) == 0 {
				continue
			}
			s := sums[content]
			if s == nil {
				s = &contentSum{under: map[fact.Hash]int{}}
				sums[content] = s
			}
			s.learners++
			s.lastUsed = max(s.lastUsed, in[len(in)-1].T)
			for scope := range scopesOf(in) {
				s.under[scope]++
			}
			one := attemptSum{}
			one.addContent(measure.AttemptsAt(l.facts, content), a.moments(), asOf)
			s.addLearner(&one)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t := &result.Table{Columns: a.report.Columns, Parts: attemptParts}
	for h, s := range sums {
		row := append(a.contentCells(h), result.Counted(int64(s.learners), s.learners))
		n, of := s.under[parents.Of(h)], touched[parents.Of(h)]
		use := result.Absent(result.NotEnough)
		if of > 0 {
			use = rate(int64(n), int64(of), of, n, of-n)
		}
		row = append(row, use)
		row = append(row, s.cells()...)
		t.Rows = append(t.Rows, append(row, result.Cell{Text: a.dateTime(s.lastUsed), Learners: result.NotPersonal}))
	}
	sortByLabel(t)
	return t, nil
}

// dateTime writes a moment in the store's time zone.
func (a *asking) dateTime(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).In(a.zone).Format("2006-01-02T15:04:05.000Z07:00")
}

// sortByLabel gives rows that came from a map the same order each time: by all that they are about, since one learner has several
// contents.
func sortByLabel(t *result.Table) {
	for _, c := range slices.Backward(t.Columns) {
		if c.Kind == result.Label {
			t.Sort(c.ID, false)
		}
	}
}

// unused is M08: contents that were ever seen and that nobody touched in the period.
func unused(a *asking) (*result.Table, error) {
	if err := a.readContents(); err != nil {
		return nil, err
	}
	seen, used := map[fact.Hash]bool{}, map[fact.Hash]bool{}
	last := map[fact.Hash]int64{}
	err := a.ledgers(func(l *learner) error {
		for _, f := range l.facts {
			if (f.Content == fact.Hash{}) {
				continue
			}
			seen[f.Content] = true
			last[f.Content] = max(last[f.Content], f.T)
			if a.moments().Holds(f.T) {
				used[f.Content] = true
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t := &result.Table{Columns: a.report.Columns}
	for h := range seen {
		if !used[h] {
			t.Rows = append(t.Rows, append(a.contentCells(h), result.Named(a.dateTime(last[h]))))
		}
	}
	sortByLabel(t)
	return t, nil
}

// kinds is M09 and M30: a row for each kind of content.
func kinds(a *asking) (*result.Table, error) {
	if err := a.readContents(); err != nil {
		return nil, err
	}
	type kindSum struct {
		attemptSum
		learners int
	}
	sums := make([]kindSum, len(KindNames))
	asOf := a.now.UnixMilli()
	err := a.ledgers(func(l *learner) error {
		if l.Unattributed {
			return nil
		}
		touched := make([]bool, len(sums))
		for _, f := range a.inPeriod(l.facts) {
			if (f.Content != fact.Hash{}) {
				touched[a.kindOf(f.Content)] = true
			}
		}
		own := make([]attemptSum, len(sums))
		for content, attempts := range attemptsOf(l.facts) {
			own[a.kindOf(content)].addContent(attempts, a.moments(), asOf)
		}
		for k := range sums {
			if touched[k] {
				sums[k].learners++
			}
			sums[k].addLearner(&own[k])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t := &result.Table{Columns: a.report.Columns, Parts: attemptParts}
	for k := range sums {
		s := &sums[k]
		if s.learners == 0 && s.Starts == 0 {
			continue
		}
		row := append(result.Row{result.Named(KindNames[k]), result.Counted(int64(s.learners), s.learners)}, s.cells()...)
		others := measure.Rate{}
		for other := range sums {
			if other != k {
				others.K += sums[other].InTime
				others.N += sums[other].Matured
			}
		}
		t.Rows = append(t.Rows, append(row, s.differenceTo(others)))
	}
	return t, nil
}

// differenceTo is the completion rate (M23) less that of all other kinds together, with its interval. It is told for rates of at
// least 30 attempts each.
func (s *attemptSum) differenceTo(others measure.Rate) result.Cell {
	if s.Matured < result.FewestPlain || others.N < result.FewestPlain {
		return result.Absent(result.NotEnough)
	}
	d, i := measure.Newcombe(s.MaturedRate(), others)
	c := result.Measured(d, s.Matured, s.matured).Within(i.Low, i.High)
	c.Hit, c.Miss = s.inTime, s.late
	return c
}

// scopesOf is every activity that facts are under.
func scopesOf(facts measure.Facts) map[fact.Hash]bool {
	scopes := map[fact.Hash]bool{}
	for _, f := range facts {
		scopes[f.Content], scopes[f.Parent] = true, true
		for _, g := range f.Groupings {
			scopes[g] = true
		}
	}
	delete(scopes, fact.Hash{})
	return scopes
}

// byContent groups facts by the activity that they are about.
func byContent(facts measure.Facts) map[fact.Hash]measure.Facts {
	groups := map[fact.Hash]measure.Facts{}
	for _, f := range facts {
		if (f.Content != fact.Hash{}) {
			groups[f.Content] = append(groups[f.Content], f)
		}
	}
	return groups
}

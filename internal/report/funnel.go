package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// Funnel is M27 with steps of one's own: who did this and then that.
type Funnel struct {
	Steps      []Step `json:"steps"`
	WindowDays int    `json:"windowDays,omitzero"` // 0: 30
}

// Step is one of them: an event of a class, or with a verb, about a content or about anything.
type Step struct {
	Did      string  `json:"did,omitzero"`      // a class of events
	Verb     string  `json:"verb,omitzero"`     // or a verb's IRI
	Content  string  `json:"content,omitzero"`  // "": anything in the scope of the question
	Progress float64 `json:"progress,omitzero"` // of did "progressed": at least so much, 0 to 1
}

// Bounds of funnels.
const (
	leastSteps, mostSteps = 2, 6
	defaultWindow         = 30
	mostWindow            = 366
)

// classes are the classes of events by name.
var classes = []struct {
	name  string
	class fact.Class
}{
	{"launched", fact.Launched}, {"started", fact.Started}, {"progressed", fact.Progressed}, {"answered", fact.Answered}, {"completed", fact.Completed},
	{"passed", fact.Passed}, {"failed", fact.Failed}, {"waived", fact.Waived}, {"satisfied", fact.Satisfied}, {"abandoned", fact.Abandoned}, {"ended", fact.Ended},
}

// ClassNames are the values of did.
func ClassNames() []string {
	var names []string
	for _, c := range classes {
		names = append(names, c.name)
	}
	return names
}

func (f *Funnel) window() time.Duration {
	days := f.WindowDays
	if days == 0 {
		days = defaultWindow
	}
	return time.Duration(days) * 24 * time.Hour
}

func (f *Funnel) check() error {
	if len(f.Steps) < leastSteps || len(f.Steps) > mostSteps {
		return invalid("/funnel/steps", "a funnel has %d to %d steps", leastSteps, mostSteps)
	}
	if f.WindowDays < 0 || f.WindowDays > mostWindow {
		return invalid("/funnel/windowDays", "windowDays is a number from 1 to %d", mostWindow)
	}
	for i, s := range f.Steps {
		at := fmt.Sprintf("/funnel/steps/%d", i)
		switch {
		case (s.Did == "") == (s.Verb == ""):
			return invalid(at, "a step has either did, one of %s, or verb, the id of one", strings.Join(ClassNames(), ", "))
		case s.Did != "" && !slices.Contains(ClassNames(), s.Did):
			return invalid(at+"/did", "%q is not one of %s", s.Did, strings.Join(ClassNames(), ", "))
		case s.Verb != "" && !xapi.ValidIRI(s.Verb):
			return invalid(at+"/verb", "verb must be the id of one, an IRI with a scheme")
		case s.Content != "" && !xapi.ValidIRI(s.Content):
			return invalid(at+"/content", "content must be the id of an activity, an IRI with a scheme")
		case s.Progress < 0 || s.Progress > 1 || s.Progress > 0 && s.Did != "progressed":
			return invalid(at+"/progress", "progress is a share from 0 to 1, of did progressed")
		}
	}
	return nil
}

var funnelColumns = []result.Column{
	label("step", "Step"), text("what", "What"), count("learners", "Learners", "M27"),
	{ID: "ofPrevious", Title: "Of the step before", Measure: "M27", Kind: result.Rate, Unit: result.Share, Outcome: "learners", Above: true},
	{ID: "ofFirst", Title: "Of the first step", Measure: "M27", Kind: result.Rate, Unit: result.Share, Outcome: "learners"},
}

// step is a Step with the store's hashes in it.
type step struct {
	class    fact.Class
	verb     fact.Hash
	content  fact.Hash
	progress int32
}

func (a *asking) step(s Step) step {
	hash := fact.Hasher(a.store.Term)
	var out step
	for _, c := range classes {
		if c.name == s.Did {
			out.class = c.class
		}
	}
	if s.Verb != "" {
		out.verb = hash.Verb(s.Verb)
	}
	if s.Content != "" {
		out.content = hash.Activity(s.Content)
	}
	out.progress = int32(s.Progress * 1_000_000)
	return out
}

// events are those of a learner's facts that the step asks for, in order. Progress counts whichever statement tells it; an
// attempt is started by its first event where no event says so.
func (s step) events(facts measure.Facts) measure.Facts {
	if (s.content != fact.Hash{}) {
		facts = facts.About(s.content)
	}
	if s.class == fact.Started {
		return measure.StartFacts(facts)
	}
	return facts.Where(func(f *fact.Fact) bool {
		if s.progress > 0 {
			return f.Progress >= s.progress
		}
		return f.Class.Has(s.class) && (s.verb == fact.Hash{} || f.Verb == s.verb)
	})
}

// funnel counts the learners who reach each step. Optional steps are left out when nobody took them.
func (a *asking) funnel(steps []Step, window time.Duration, optional bool) (*result.Table, error) {
	f := measure.Funnel{Period: a.moments(), Window: window.Milliseconds()}
	for i, s := range steps {
		f.Steps = append(f.Steps, measure.Step{Events: a.step(s).events, Again: slices.Contains(steps[:i], s), Optional: optional})
	}
	err := a.ledgers(func(l *learner) error {
		if !l.Unattributed {
			f.Add(l.facts)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t := &result.Table{Columns: a.report.Columns}
	shown := make([]bool, len(steps))
	for i, s := range f.Result() {
		shown[s.Step] = true
		n := int(s.Learners)
		row := result.Row{result.Named(fmt.Sprint(i + 1)), result.Named(steps[s.Step].words()), result.Counted(s.Learners, n)}
		for _, of := range []measure.Rate{s.Previous, s.First} {
			if i == 0 {
				row = append(row, result.Absent(result.NotEnough))
				continue
			}
			row = append(row, rate(of.K, of.N, int(of.N), n, int(of.N)-n))
		}
		t.Rows = append(t.Rows, row)
	}
	for i, s := range steps {
		if s.Content = ""; !shown[i] {
			a.notes = append(a.notes, "Not tracked: no statement says that somebody "+s.words()+".")
		}
	}
	return t, nil
}

func (s Step) words() string {
	words := s.Did + s.Verb
	if s.Progress > 0 {
		words += fmt.Sprintf(" %.0f %%", s.Progress*100)
	}
	if s.Content != "" {
		words += " " + s.Content
	}
	return words
}

// usualSteps are those of the report. The ones that nobody took are left out: no statement says them.
var usualSteps = []Step{{Did: "launched"}, {Did: "started"}, {Did: "progressed", Progress: 0.5}, {Did: "completed"}, {Did: "passed"}}

// usualFunnel is the report: the usual steps of one content.
func usualFunnel(a *asking) (*result.Table, error) {
	if a.q.Filter.Content == "" {
		return nil, invalid("content", "name one content by the id of its activity; steps of several contents can be asked for by POST to /reports/v1/query")
	}
	steps := slices.Clone(usualSteps)
	for i := range steps {
		steps[i].Content = a.q.Filter.Content
	}
	return a.funnel(steps, defaultWindow*24*time.Hour, true)
}

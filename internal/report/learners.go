package report

import (
	"encoding/json/v2"
	"fmt"
	"strings"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
)

// learnerColumns say which learner a row is about.
var learnerColumns = []result.Column{
	{ID: "learner", Title: "Key", Kind: result.Label},
	{ID: "name", Title: "Name", Kind: result.Text},
	{ID: "identifier", Title: "Identifier", Kind: result.Text},
}

func learnerCells(l *rollup.Ledger) result.Row {
	return result.Row{result.Named(keyText(l.Learner)), result.Named(nameOf(l)), result.Named(identifierOf(l))}
}

// nameOf is what a learner is called: by name, by the account's, or by a nickname.
func nameOf(l *rollup.Ledger) string {
	if name := strings.TrimSpace(l.Name); name != "" {
		return name
	}
	return nickname(l.Learner)
}

// identifierOf writes the identifier in the form that imports of KPIs take.
func identifierOf(l *rollup.Ledger) string {
	var i struct {
		Mbox    string `json:"mbox"`
		SHA1    string `json:"mbox_sha1sum"`
		OpenID  string `json:"openid"`
		Account struct {
			HomePage string `json:"homePage"`
			Name     string `json:"name"`
		} `json:"account"`
	}
	if json.Unmarshal([]byte(l.Identity), &i) != nil { // one that cannot be read is not shown
		return ""
	}
	if i.Account.HomePage != "" {
		return i.Account.HomePage + "|" + i.Account.Name
	}
	return i.Mbox + i.SHA1 + i.OpenID
}

// named is a figure about one learner by name. It tells of one, as its row says.
func named(n int64) result.Cell { return result.Counted(n, result.NotPersonal) }

func namedTime(ms int64) result.Cell {
	return result.Measured(seconds(ms), 0, result.NotPersonal)
}

// unit is what is known of one learner in the period, for the list of learners and for the KPI link.
type unit struct {
	statements, days, contents          int64
	starts, completions, passed, failed int64
	answered, correct                   int64 // first responses that were judged
	sessions                            int64
	active, watched, unique             int64 // ms
	firstScore                          float64
	hasScore                            bool
	first, last                         int64 // moments
}

// unitOf sums up one learner in a period.
func (a *asking) unitOf(facts measure.Facts, moments measure.Period) unit {
	in := facts.In(moments)
	var u unit
	if len(in) == 0 {
		return u
	}
	days := map[int32]bool{}
	for _, f := range in {
		days[a.day(f.T)] = true
	}
	u.statements, u.days, u.first, u.last = int64(len(in)), int64(len(days)), in[0].T, in[len(in)-1].T
	u.contents = int64(len(byContent(in)))
	sum, asOf := attemptSum{}, a.now.UnixMilli()
	for _, attempts := range attemptsOf(facts) {
		sum.addContent(attempts, moments, asOf)
	}
	u.starts, u.completions, u.passed, u.failed = sum.Starts+sum.Waived, sum.Completed, sum.Passed, sum.Judged-sum.Passed
	if len(sum.scores) > 0 {
		u.hasScore = true
		for _, s := range sum.scores {
			u.firstScore += float64(s) / 10_000
		}
		u.firstScore /= float64(len(sum.scores))
	}
	for _, answers := range measure.AnswersIn(facts, moments) {
		u.answered += int64(bit(answers.First.Judged))
		u.correct += int64(bit(answers.First.Judged && answers.First.Correct))
	}
	for _, v := range measure.ViewingsIn(facts, moments) {
		w := v.Watch(v.Length)
		u.watched += w.WatchTime
		u.unique += w.Unique
	}
	u.sessions, u.active = measure.SessionsIn(facts, moments)
	return u
}

// learners is a row for each learner with a statement in the period.
func learners(a *asking) (*result.Table, error) {
	t := &result.Table{Columns: a.report.Columns}
	err := a.ledgers(func(l *learner) error {
		if l.Unattributed {
			return nil
		}
		u := a.unitOf(l.facts, a.moments())
		if u.statements == 0 {
			return nil
		}
		score := result.Absent(result.NotEnough)
		if u.hasScore {
			score = result.Measured(u.firstScore, 0, result.NotPersonal)
		}
		t.Rows = append(t.Rows, append(learnerCells(&l.Ledger),
			named(u.statements), named(u.days), named(u.sessions), named(u.contents), named(u.starts), named(u.completions),
			score, namedTime(u.active), namedTime(u.watched),
			result.Named(a.dateTime(u.first)), result.Named(a.dateTime(u.last))))
		return nil
	})
	if err != nil {
		return nil, err
	}
	sortByLabel(t)
	return t, nil
}

// oneLearner is a row for each content that one learner touched.
func oneLearner(a *asking) (*result.Table, error) {
	if (a.sieve.learner == fact.Hash{}) {
		return nil, invalid("learner", "name one learner: by the key that the report learners gives, or by the Agent as JSON")
	}
	if err := a.readContents(); err != nil {
		return nil, err
	}
	t := &result.Table{Columns: a.report.Columns}
	asOf := a.now.UnixMilli()
	err := a.ledgers(func(l *learner) error {
		watches := map[fact.Hash]measure.Watch{}
		for _, v := range measure.ViewingsIn(l.facts, a.moments()) {
			watches[v.Content] = v.Watch(v.Length)
		}
		answers := map[fact.Hash]measure.Answers{}
		for _, x := range measure.AnswersIn(l.facts, a.moments()) {
			answers[x.Item] = x
		}
		for h, facts := range byContent(l.facts) {
			in := a.inPeriod(facts)
			if len(in) == 0 {
				continue
			}
			sum := attemptSum{}
			sum.addContent(measure.AttemptsAt(l.facts, h), a.moments(), asOf)
			t.Rows = append(t.Rows, a.learnerRow(h, in, &sum, watches, answers))
		}
		a.notes = append(a.notes, fmt.Sprintf("%s, %s", nameOf(&l.Ledger), identifierOf(&l.Ledger)))
		return nil
	})
	if err != nil {
		return nil, err
	}
	sortByLabel(t)
	return t, nil
}

func (a *asking) learnerRow(h fact.Hash, in measure.Facts, sum *attemptSum, watches map[fact.Hash]measure.Watch, answers map[fact.Hash]measure.Answers) result.Row {
	none := result.Absent(result.NotEnough)
	score, active, watch, unique, cover, responses := none, none, none, none, none, none
	if len(sum.scores) > 0 {
		score = result.Measured(float64(sum.scores[0])/10_000, 0, result.NotPersonal)
	}
	if len(sum.actives) > 0 {
		active = namedTime(sum.active)
	}
	if w, ok := watches[h]; ok {
		watch, unique = namedTime(w.WatchTime), namedTime(w.Unique)
		if w.Length > 0 {
			cover = result.Measured(w.Coverage().Value(), 0, result.NotPersonal)
		}
	}
	answer := ""
	if x, ok := answers[h]; ok && x.First.Judged {
		responses = named(int64(x.Judged))
		answer = map[bool]string{true: "first response correct", false: "first response wrong"}[x.First.Correct]
	}
	return append(a.contentCells(h), named(int64(len(in))), named(sum.Starts+sum.Waived), named(sum.Completed), named(sum.Passed), named(sum.Judged-sum.Passed),
		score, active, watch, unique, cover, responses, result.Named(answer),
		result.Named(a.dateTime(in[0].T)), result.Named(a.dateTime(in[len(in)-1].T)))
}

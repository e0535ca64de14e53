// Package report answers questions about a store: the catalogue of reports, questions of one's own, what is live, and KPIs held
// against learning. It reads ledgers and buckets (package rollup), never statements, and protects small numbers (package result)
// before anything is given out. README.md tells how the packages fit together.
package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
	"github.com/cairn-lrs/cairn/internal/report/rollup"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Rows are where reports read from; *rollup.Reader, whose comments are the contract.
type Rows interface {
	Buckets(ctx context.Context, store auth.Store, scope fact.Hash, grain measure.Grain, from, to int32, reads *rollup.Reads) (measure.Sums, error)
	Ledger(ctx context.Context, store auth.Store, learner fact.Hash, reads *rollup.Reads) (rollup.Ledger, error)
	Ledgers(ctx context.Context, store auth.Store, scope fact.Hash, reads *rollup.Reads) iter.Seq2[rollup.Ledger, error]
	Contents(ctx context.Context, store auth.Store, reads *rollup.Reads) ([]rollup.Name, error)
	Through(ctx context.Context, store auth.Store, reads *rollup.Reads) (time.Time, error)
	NotCounted(ctx context.Context, store auth.Store, most int, reads *rollup.Reads) (n int, more bool, err error)
}

// Definer knows the canonical definitions of activities.
type Definer interface {
	// Definitions returns the definitions (JSON) of those activities that have one.
	Definitions(ctx context.Context, store auth.Store, activityIDs []string) (map[string][]byte, error)
}

// Feed lists the newest statements of a store.
type Feed interface {
	// Newest returns at most limit live statements that were stored after a time, the oldest first, and how many entries of
	// the index were read. With the zero time it returns the newest ones.
	Newest(ctx context.Context, store auth.Store, after time.Time, limit int) (statements []Stored, read int, err error)
}

// Stored is a statement as the feed gives it.
type Stored struct {
	ID   string
	At   time.Time
	JSON []byte
}

// DefaultBound is how many ledgers one answer may read where nothing else is configured.
const DefaultBound = 10_000

// Config is what a Service stands on.
type Config struct {
	Rows        Rows
	Definitions Definer
	Feed        Feed
	Tables      table.DB // of saved queries and KPIs
	Bound       int      // the most ledgers that one answer may read; 0: DefaultBound
	Now         func() time.Time
}

// Service answers questions. It is safe for concurrent use.
type Service struct {
	Config
	tails tails
}

// New makes a Service.
func New(c Config) *Service {
	c.Bound = cmp.Or(c.Bound, DefaultBound)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Tables != nil {
		c.Tables = table.Metered(c.Tables)
	}
	return &Service{Config: c}
}

// asking is one question on its way to its answer.
type asking struct {
	*Service
	ctx    context.Context
	store  auth.Store
	zone   *time.Location
	now    time.Time
	today  int32
	report *Report
	q      Question
	period Period
	held   *moments // what was computed of period
	sieve  sieve
	k      int
	reads  rollup.Reads
	road   Road
	ledger int // ledgers read
	notes  []string
	names  map[fact.Hash]rollup.Name // of contents, once asked for
}

// Answer answers a question about a store.
func (s *Service) Answer(ctx context.Context, store auth.Store, q Question) (*Answer, error) {
	r, err := ReportOf(q.Report, store)
	if err != nil {
		return nil, err
	}
	a, err := s.ask(ctx, store, r, q)
	if err != nil {
		return nil, err
	}
	t, err := r.answer(a)
	if err != nil {
		return nil, a.refused(err)
	}
	return a.finish(t, cmp.Or(q.Sort, r.Sort), q.Top)
}

// ask begins a question.
func (s *Service) ask(ctx context.Context, store auth.Store, r *Report, q Question) (*asking, error) {
	zone, err := rollup.Zone(store.TimeZone)
	if err != nil {
		return nil, err
	}
	a := &asking{Service: s, ctx: ctx, store: store, zone: zone, now: s.Now(), report: r, q: q, road: Ledgers, k: smallest(store)}
	a.today = measure.DayOf(a.now.UnixMilli(), zone)
	if a.period, err = periodOf(q.Range, q.From, q.To, a.today); err != nil {
		return nil, err
	}
	a.sieve, err = sieveOf(q.Filter, store, store.HideNames)
	return a, err
}

// smallest is the fewest learners that a store's reports tell.
func smallest(store auth.Store) int { return cmp.Or(store.SmallNumber, result.DefaultK) }

// finish protects small numbers, then sorts and cuts.
func (a *asking) finish(t *result.Table, sort string, top int) (*Answer, error) {
	if !a.report.Personal {
		t.Protect(a.k)
	}
	if sort != "" {
		t.Sort(strings.TrimPrefix(sort, "-"), strings.HasPrefix(sort, "-"))
	}
	if top > 0 && len(t.Rows) > top {
		t.Rows, t.Total = t.Rows[:top], nil
	}
	through, err := a.Rows.Through(a.ctx, a.store, &a.reads)
	if err != nil {
		return nil, a.refused(err)
	}
	notes := a.notes
	if a.report.Caption != "" {
		notes = append([]string{a.report.Caption}, notes...)
	}
	return &Answer{
		Report: a.report, Table: t, Period: a.period, Zone: a.zone.String(), Filter: a.q.Filter, K: a.k, Names: !a.store.HideNames,
		Test: a.store.TestData, Notes: notes, Read: Read{a.road, a.reads.Items, a.ledger}, AsOf: a.now, Through: through,
	}, nil
}

// refused turns running into a bound into a refusal that says what to do.
func (a *asking) refused(err error) error {
	if errors.Is(err, rollup.ErrTooManyReads) {
		return &Refusal{ErrBound, "", fmt.Sprintf("this answer needs more than %d rows: %s", a.reads.Most, narrow)}
	}
	return err
}

// narrow says how to stay below a bound.
const narrow = "name a content, which only those who have touched it are read for; or ask for a whole day, week or month, or all time, without another filter than content, which needs none of them"

// itemsPerLedger is how many rows a ledger may have on average before an answer stops: 80 KB of facts each.
const itemsPerLedger = 20

// ledgers calls f with each learner who has a fact in the scope of the question, and the facts that pass its filter, in their
// order and of any time. It reads one bucket first, which knows how many learners there are, so that what is over the bound costs
// nothing else.
func (a *asking) ledgers(f func(l *learner) error) error {
	a.road = Ledgers
	if a.sieve.kind != nil {
		if err := a.readContents(); err != nil {
			return err
		}
	}
	if (a.sieve.learner != fact.Hash{}) {
		l, err := a.Rows.Ledger(a.ctx, a.store, a.sieve.learner, &a.reads)
		if err != nil {
			return err
		}
		return a.give(l, f)
	}
	sums, err := a.Rows.Buckets(a.ctx, a.store, a.sieve.scope, measure.Total, 0, 0, &a.reads)
	if err != nil {
		return err
	}
	n := sums[measure.Cell{Scope: a.sieve.scope, Grain: measure.Total, Counter: measure.Learners}]
	if n > int64(a.Bound) {
		return &Refusal{ErrBound, "", fmt.Sprintf("this answer needs the ledgers of %d learners, and reads %d at most: %s", n, a.Bound, narrow)}
	}
	a.reads.Most = a.reads.Items + a.Bound*itemsPerLedger
	for l, err := range a.Rows.Ledgers(a.ctx, a.store, a.sieve.scope, &a.reads) {
		if err != nil {
			return err
		}
		if err := a.give(l, f); err != nil {
			return err
		}
	}
	return nil
}

// learner is what a report gets of one ledger.
type learner struct {
	rollup.Ledger
	facts measure.Facts // that pass the filter, in order
}

func (a *asking) give(l rollup.Ledger, f func(*learner) error) error {
	a.ledger++
	out := &learner{Ledger: l}
	out.facts = measure.Of(l.Facts).Where(a.takes)
	if len(out.facts) == 0 {
		return nil
	}
	return f(out)
}

// takes reports whether a fact passes the filter of the question. Kinds are known before ledgers are read.
func (a *asking) takes(f *fact.Fact) bool {
	return a.sieve.takes(f) && (a.sieve.kind == nil || f.Content != fact.Hash{} && a.kindOf(f.Content) == *a.sieve.kind)
}

// inPeriod keeps the facts of the period of the question.
func (a *asking) inPeriod(facts measure.Facts) measure.Facts {
	if a.period.All() {
		return facts
	}
	return facts.In(a.moments())
}

// moments is a period in milliseconds.
type moments struct {
	days Period
	measure.Period
}

// moments is the period of the question in milliseconds.
func (a *asking) moments() measure.Period {
	if a.held == nil || a.held.days != a.period {
		a.held = &moments{a.period, measure.Period{From: math.MinInt64, To: math.MaxInt64}}
		if a.period.From != allTime.From {
			a.held.From = measure.StartOf(a.period.From, a.zone)
		}
		if a.period.To != allTime.To {
			a.held.To = measure.StartOf(a.period.To+1, a.zone)
		}
	}
	return a.held.Period
}

// day is the day of a moment on the store's calendar.
func (a *asking) day(ms int64) int32 { return measure.DayOf(ms, a.zone) }

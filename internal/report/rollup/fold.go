package rollup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Folder folds events into ledgers and buckets. It may be given any event any number of times, in any order, beside other
// Folders: the rows come out the same. It is not safe for concurrent use; several of them are.
type Folder struct {
	Tables table.DB
	Stores *Stores
	Lane   uint8            // of the buckets that it adds to, below Lanes
	Log    *slog.Logger     // nil: none
	Now    func() time.Time // nil: time.Now

	// KeepFacts is of how many facts ledgers are remembered, about: then only what was written since is read before one is
	// changed. A longer ledger is remembered alone. 0 remembers none.
	KeepFacts int
	// OnlyWriter says that others seldom write these tables: what is remembered is not even asked for.
	OnlyWriter bool

	layout  layout                        // the zero one: usualLayout
	only    func(auth.Store) []generation // of a rebuild: where to fold; nil: where reports read, and what is being built
	names   *namesKnown
	kept    *keptLedgers
	through map[space]int64 // what freshRow says, as far as is known
}

// NewFolder completes a Folder.
func NewFolder(f Folder) *Folder {
	if f.Log == nil {
		f.Log = slog.New(slog.DiscardHandler)
	}
	if f.Now == nil {
		f.Now = time.Now
	}
	if f.layout == (layout{}) {
		f.layout = usualLayout
	}
	f.Lane %= Lanes
	f.names, f.kept, f.through = newNamesKnown(), newKeptLedgers(f.KeepFacts), map[space]int64{}
	return &f
}

// Fold folds events in. When it returns nil each is counted, or put down as a dead letter. After an error any of them may be,
// and all may be given again.
func (f *Folder) Fold(ctx context.Context, events []Event) error {
	dead, err := f.fold(ctx, events)
	if err != nil {
		return err
	}
	return f.putDead(ctx, dead)
}

func (f *Folder) fold(ctx context.Context, events []Event) (dead []DeadLetter, err error) {
	byStore := map[string][]Event{}
	for _, e := range events {
		if e.Store == "" || e.StatementID == "" { // not even the key of its item can be read
			f.Log.ErrorContext(ctx, "a statement without a name is not counted: cairn fsck tells more", "reason", e.Reason)
			continue
		}
		byStore[e.Store] = append(byStore[e.Store], e)
	}
	for _, id := range slices.Sorted(maps.Keys(byStore)) {
		store, err := f.Stores.Store(ctx, id)
		if errors.Is(err, auth.ErrNotFound) {
			for _, e := range byStore[id] {
				dead = append(dead, f.letter(id, e.StatementID, errors.New("there is no such store")))
			}
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("fold changes: %w", err)
		}
		more, err := f.foldStore(ctx, store, byStore[id])
		if err != nil {
			return nil, fmt.Errorf("fold changes: %w", err)
		}
		dead = append(dead, more...)
	}
	return dead, nil
}

func (f *Folder) letter(store, statementID string, reason error) DeadLetter {
	return DeadLetter{Store: store, StatementID: statementID, Reason: reason.Error(), When: f.Now()}
}

func (f *Folder) foldStore(ctx context.Context, store auth.Store, events []Event) (dead []DeadLetter, err error) {
	r, err := readEvents(ctx, store, events)
	if err != nil {
		return nil, err
	}
	for id, reason := range r.unreadable {
		dead = append(dead, f.letter(store.ID, id, reason))
	}
	into, err := f.generations(store)
	if err != nil {
		return nil, err
	}
	for _, g := range into {
		run := foldRun{Folder: f, g: g, pending: maps.Clone(r.changes), dead: map[string]error{}, most: map[fact.Hash]int{}}
		if err := run.run(ctx, r.names); err != nil {
			return nil, err
		}
		for id, reason := range run.dead {
			dead = append(dead, f.letter(store.ID, id, reason))
		}
		if err := f.refresh(ctx, g.space, r.newest, run.wrote); err != nil {
			return nil, err
		}
	}
	return dead, nil
}

func (f *Folder) generations(store auth.Store) ([]generation, error) {
	if f.only != nil {
		return f.only(store), nil
	}
	return generations(store)
}

// foldRun folds the changes of one store into one generation.
type foldRun struct {
	*Folder
	g       generation
	pending map[fact.Hash][]change // by ledger: what is not committed yet
	dead    map[string]error       // by statement
	most    map[fact.Hash]int      // by ledger: how many changes go into one group, where not all do
	alone   bool                   // each ledger in a group of its own, to find out which one cannot be written
	wrote   bool
}

// ledgersAtOnce bounds how many ledgers are in memory together.
const ledgersAtOnce = 256

func (r *foldRun) run(ctx context.Context, names map[fact.Hash]nameSeen) error {
	if err := r.putNames(ctx, r.g.space, names); err != nil {
		return err
	}
	learners := slices.SortedFunc(maps.Keys(r.pending), func(a, b fact.Hash) int { return bytes.Compare(a[:], b[:]) })
	for chunk := range slices.Chunk(learners, ledgersAtOnce) {
		if err := r.foldLearners(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// foldLearners folds until nothing of these ledgers is pending. A group that another writer was quicker than, or whose reply
// was lost, is read and computed again: what was committed after all then makes no difference.
func (r *foldRun) foldLearners(ctx context.Context, learners []fact.Hash) error {
	for try := 0; len(learners) > 0; {
		ledgers, err := r.load(ctx, learners)
		if err != nil {
			return err
		}
		plans := make([]*plan, 0, len(learners))
		for _, learner := range learners {
			if err := table.Rest(ctx); err != nil {
				return err
			}
			if p := r.plan(learner, ledgers[learner]); p != nil {
				plans = append(plans, p)
			}
		}
		progress, err := r.commit(ctx, plans)
		if err != nil {
			return err
		}
		learners = slices.DeleteFunc(slices.Clone(learners), func(h fact.Hash) bool { return len(r.pending[h]) == 0 })
		if len(learners) == 0 {
			return nil
		}
		if progress || len(plans) == 0 { // halves are to be tried
			try = 0
			continue
		}
		try++
		if err := table.Pause(ctx, try); err != nil {
			return err
		}
	}
	return nil
}

// plan is what is to be written for one ledger.
type plan struct {
	learner fact.Hash
	done    int // changes of the ledger that it does
	before  saved
	after   *ledger
	ledger  []table.Write
	bytes   int // of ledger
	sums    []addition
	rows    []bucket // that the sums change; see rowsChanged
	index   []table.Write
}

// maxRows is how many buckets one ledger may change in one group: there must be room for its own items too.
const maxRows = 90

// plan computes what the pending changes of a ledger do: of all of them, or, when one group has no room for that, of half as many
// at the next try. It is nil when nothing is to be written now.
func (r *foldRun) plan(learner fact.Hash, before loaded) *plan {
	changes := r.pending[learner]
	if before.err != nil {
		r.bury(learner, changes, before.err)
		return nil
	}
	if before.ledger.full(r.layout) {
		changes = r.buryLive(before.ledger, changes)
	}
	if most, ok := r.most[learner]; ok {
		changes = changes[:min(most, len(changes))]
	}
	if len(changes) == 0 {
		r.kept.put(r.g.space, before.ledger, true)
		return nil
	}
	p, err := r.planFor(before.ledger, changes)
	switch {
	case err == nil && p == nil:
		r.kept.put(r.g.space, before.ledger, true)
		r.done(learner, len(changes))
	case err == nil:
		return p
	case len(changes) > 1:
		r.most[learner] = len(changes) / 2
	default:
		r.bury(learner, changes, err)
	}
	return nil
}

// done takes the first changes of a ledger off what is pending.
func (r *foldRun) done(learner fact.Hash, n int) { r.pending[learner] = r.pending[learner][n:] }

// bury gives the first changes of a ledger up.
func (r *foldRun) bury(learner fact.Hash, changes []change, reason error) {
	for _, c := range changes {
		r.dead[c.statementID] = reason
	}
	r.done(learner, len(changes))
}

// buryLive gives up what a full ledger would have to add, and returns the rest: it still takes facts back.
func (r *foldRun) buryLive(l *ledger, changes []change) []change {
	rest := changes[:0:0]
	for _, c := range changes {
		if stored, ok := l.stored[c.fact.ID]; c.live && (!ok || stored < c.fact.Stored) {
			r.dead[c.statementID] = errLedgerFull
			continue
		}
		rest = append(rest, c)
	}
	r.pending[l.learner] = rest
	return rest
}

// planFor changes the ledger. The error is errTooWide; then it is loaded again.
func (r *foldRun) planFor(l *ledger, changes []change) (p *plan, err error) {
	before := l.save(changes)
	defer func() {
		if err != nil {
			r.kept.put(r.g.space, before.back(), true)
		}
	}()
	old := l.facts
	if !l.apply(changes) {
		return nil, nil
	}
	p = &plan{learner: l.learner, done: len(changes), before: before, after: l}
	p.sums = additionsOf(measure.Difference(old, l.facts, r.g.zone, l.unattributed))
	p.rows = rowsChanged(p.sums)
	if len(p.rows) > maxRows {
		return nil, errTooWide
	}
	p.ledger = l.writes(r.g.space, r.layout)
	for i := range p.ledger {
		p.bytes += p.ledger[i].Item.Size()
	}
	if len(p.ledger)+len(p.rows) > table.MaxGroup || p.bytes > groupBytes {
		return nil, errTooWide
	}
	p.index = indexRowsOf(r.g.space, l.learner, old, changes)
	return p, nil
}

// indexRowsOf are the index rows of scopes that the ledger had no fact under before.
func indexRowsOf(s space, learner fact.Hash, old []fact.Fact, changes []change) (rows []table.Write) {
	var scopes []fact.Hash
	for i := range changes {
		if f := &changes[i].fact; changes[i].live {
			scopes = append(append(scopes, f.Content, f.Parent), f.Groupings...)
		}
	}
	slices.SortFunc(scopes, func(a, b fact.Hash) int { return bytes.Compare(a[:], b[:]) })
	for _, scope := range slices.Compact(scopes) {
		if scope == (fact.Hash{}) || anyUnder(old, scope) {
			continue
		}
		rows = append(rows, table.Put(schema.Rollups, table.Item{
			schema.PK: table.S(s.index(scope)), schema.SK: table.B(slices.Clone(learner[:])),
		}))
	}
	return rows
}

// scopeOf is the nth activity that a fact is under; zero where there is none.
func scopeOf(f *fact.Fact, n int) fact.Hash {
	switch n {
	case 0:
		return f.Content
	case 1:
		return f.Parent
	}
	return f.Groupings[n-2]
}

// anyUnder looks from the end: what was done last goes on, as a rule.
func anyUnder(facts []fact.Fact, scope fact.Hash) bool {
	for i := len(facts) - 1; i >= 0; i-- {
		if facts[i].Under(scope) {
			return true
		}
	}
	return false
}

// commit writes the plans, packed into groups, and reports whether any of it was done.
func (r *foldRun) commit(ctx context.Context, plans []*plan) (progress bool, err error) {
	var index []table.Write
	for _, p := range plans {
		index = append(index, p.index...)
	}
	if len(index) > 0 {
		if _, err := r.Tables.Batch(ctx, index); err != nil {
			return false, fmt.Errorf("write index rows: %w", err)
		}
		r.wrote = true
	}
	for _, group := range pack(plans, r.alone) {
		_, err := r.Tables.Group(ctx, "", group.writes(r.g.space, r.Lane))
		switch {
		case err == nil:
			progress, r.wrote = true, true
			for _, p := range group.plans {
				r.kept.put(r.g.space, p.after, true)
				r.done(p.learner, p.done)
			}
			continue
		case errors.Is(err, table.ErrCondition), errors.Is(err, table.ErrConflict), errors.Is(err, table.ErrUnknown), errors.Is(err, table.ErrThrottled):
			if ctx.Err() != nil {
				return false, fmt.Errorf("write ledgers: %w", err)
			}
		case errors.Is(err, table.ErrInvalid):
			progress = true
			if p := group.plans[0]; len(group.plans) == 1 {
				r.bury(p.learner, r.pending[p.learner][:p.done], fmt.Errorf("its rows cannot be written: %w", err))
			}
			r.alone = true
		default:
			return false, fmt.Errorf("write ledgers: %w", err)
		}
		for _, p := range group.plans {
			r.kept.put(r.g.space, p.before.back(), false)
		}
	}
	return progress, nil
}

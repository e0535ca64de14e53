package rollup

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Reader reads ledgers and buckets of the generation that a store's reports read. It is safe for concurrent use.
type Reader struct {
	Tables table.DB
}

// Reads counts the items that one report reads, and bounds them. It is not safe for concurrent use.
type Reads struct {
	Most  int // 0: no bound
	Items int // read so far
}

// ErrTooManyReads says that a report would read more items than it may.
var ErrTooManyReads = errors.New("the report would read more rows than its bound")

// count notes items that were read; the error wraps ErrTooManyReads.
func (r *Reads) count(n int) error {
	r.Items += n
	if r.Most > 0 && r.Items > r.Most {
		return fmt.Errorf("%w of %d", ErrTooManyReads, r.Most)
	}
	return nil
}

// current is where a store's reports read.
func current(store auth.Store) space { return space{store.ID, store.Generation} }

// Buckets returns the sums of one scope (zero: the store) between two times, both included, in the grain's numbers
// (measure.Cell.At). Days and weeks lie in the same rows, one a week and lane: for either grain the cells of both come, those
// of the weeks that begin with or before from included. For Total, from and to are 0.
func (r *Reader) Buckets(ctx context.Context, store auth.Store, scope fact.Hash, grain measure.Grain, from, to int32, reads *Reads) (measure.Sums, error) {
	if grain == measure.Week || grain == measure.Day {
		grain, from = measure.Day, measure.WeekOf(from)
	}
	return readBuckets(ctx, r.Tables, current(store), scope, grain, from, to, reads)
}

func readBuckets(ctx context.Context, tables table.DB, s space, scope fact.Hash, grain measure.Grain, from, to int32, reads *Reads) (measure.Sums, error) {
	sums := measure.Sums{}
	q := table.Query{Table: schema.Rollups, Partition: s.buckets(scope), Consistency: table.Strong,
		From: bucketSort(grain, from, 0), To: bucketSort(grain, to, 255)}
	for item, err := range items(ctx, tables, q, reads) {
		if err == nil {
			err = readBucket(sums, scope, item)
		}
		if err != nil {
			return nil, fmt.Errorf("read buckets: %w", err)
		}
	}
	return sums, nil
}

// Ledger returns the facts of one learner; a Ledger without facts when there is none.
func (r *Reader) Ledger(ctx context.Context, store auth.Store, learner fact.Hash, reads *Reads) (Ledger, error) {
	var found Ledger
	err := r.load(ctx, current(store), []fact.Hash{learner}, reads, func(l Ledger) bool { found = l; return true })
	return found, err
}

// ledgersPerCall is how many ledgers are read together.
const ledgersPerCall = 100

// Ledgers yields the ledgers that have a fact in a scope, in no particular order, each whole: with the facts of other scopes.
// The zero scope yields all ledgers of the store. An error is the last that is yielded.
func (r *Reader) Ledgers(ctx context.Context, store auth.Store, scope fact.Hash, reads *Reads) iter.Seq2[Ledger, error] {
	s := current(store)
	return func(yield func(Ledger, error) bool) {
		stopped := false
		give := func(l Ledger) bool {
			stopped = stopped || !yield(l, nil)
			return !stopped
		}
		var err error
		if scope == (fact.Hash{}) {
			err = r.scan(ctx, s, reads, give)
		} else {
			err = r.under(ctx, s, scope, reads, give)
		}
		if err != nil && !stopped {
			yield(Ledger{}, err)
		}
	}
}

// items yields the items of a query and counts them.
func items(ctx context.Context, tables table.DB, q table.Query, reads *Reads) iter.Seq2[table.Item, error] {
	return func(yield func(table.Item, error) bool) {
		for item, err := range table.Items(table.QueryPages(ctx, tables, q)) {
			if err == nil {
				err = reads.count(1)
			}
			if !yield(item, err) || err != nil {
				return
			}
		}
	}
}

// under yields the ledgers that the index rows of a scope name and that have a fact in it.
func (r *Reader) under(ctx context.Context, s space, scope fact.Hash, reads *Reads, give func(Ledger) bool) error {
	more := true
	giveIfUnder := func(l Ledger) bool {
		if anyUnder(l.Facts, scope) {
			more = give(l)
		}
		return more
	}
	var learners []fact.Hash
	q := table.Query{Table: schema.Rollups, Partition: s.index(scope), Consistency: table.Strong}
	for item, err := range items(ctx, r.Tables, q, reads) {
		if err != nil {
			return err
		}
		if len(item[schema.SK].B) == len(fact.Hash{}) {
			learners = append(learners, fact.Hash(item[schema.SK].B))
		}
		if len(learners) < ledgersPerCall {
			continue
		}
		if err := r.load(ctx, s, learners, reads, giveIfUnder); err != nil || !more {
			return err
		}
		learners = learners[:0]
	}
	return r.load(ctx, s, learners, reads, giveIfUnder)
}

// pagesAtOnce bounds how much of long ledgers is in memory together: of one alone there may be more.
const pagesAtOnce = 200

// load yields some ledgers.
func (r *Reader) load(ctx context.Context, s space, learners []fact.Hash, reads *Reads, give func(Ledger) bool) error {
	if err := reads.count(len(learners)); err != nil {
		return err
	}
	ledgers, err := readHeads(ctx, r.Tables, s, learners, nil, table.Strong)
	if err != nil {
		return err
	}
	for len(learners) > 0 {
		some, pages := 1, ledgers[learners[0]].missing()
		for some < len(learners) && pages+ledgers[learners[some]].missing() <= pagesAtOnce {
			pages += ledgers[learners[some]].missing()
			some++
		}
		if err := reads.count(pages); err != nil {
			return err
		}
		if err := readPages(ctx, r.Tables, s, learners[:some], ledgers, table.Strong); err != nil {
			return err
		}
		for _, learner := range learners[:some] {
			l := ledgers[learner]
			delete(ledgers, learner)
			if l.err != nil {
				return l.err
			}
			if !give(l.ledger.export()) {
				return nil
			}
		}
		learners = learners[some:]
	}
	return nil
}

// scan yields every ledger of a store.
func (r *Reader) scan(ctx context.Context, s space, reads *Reads, give func(Ledger) bool) error {
	for shard := range ledgerShards {
		for l, err := range ledgersIn(ctx, r.Tables, s, shard, reads) {
			if err == nil {
				err = l.err
			}
			if err != nil {
				return err
			}
			if !give(l.ledger.export()) {
				return nil
			}
		}
	}
	return nil
}

// ledgersIn yields one shard of a store's ledgers in the order of the learners' hashes. An error is the last that is yielded;
// what is wrong with one ledger is in it. The head comes before its pages, so a page that is written in between holds more than
// the head says, never less.
func ledgersIn(ctx context.Context, tables table.DB, s space, shard int, reads *Reads) iter.Seq2[loaded, error] {
	return func(yield func(loaded, error) bool) {
		var open loaded
		known := false
		q := table.Query{Table: schema.Rollups, Partition: s.ledgers(shard), Consistency: table.Strong}
		for item, err := range items(ctx, tables, q, reads) {
			learner, n, ok := splitPageSort(item[schema.SK].B)
			if err == nil && !ok {
				err = fmt.Errorf("read ledger: a key of %d bytes", len(item[schema.SK].B))
			}
			if err != nil {
				yield(loaded{}, err)
				return
			}
			if known && open.learner == learner {
				if open.err == nil {
					open.err = open.ledger.addPage(n, item)
				}
				continue
			}
			if known && !yield(open.checked(), nil) {
				return
			}
			open, known = loaded{learner: learner}, true
			if open.ledger, open.err = readHead(learner, item); n > 0 {
				open.err = fmt.Errorf("read ledger: page %d has no head", n)
			}
		}
		if known {
			yield(open.checked(), nil)
		}
	}
}

// Contents lists every activity and verb that statements have named, by hash. Those whose statements were all voided since are
// among them.
func (r *Reader) Contents(ctx context.Context, store auth.Store, reads *Reads) ([]Name, error) {
	return readContents(ctx, r.Tables, current(store), reads)
}

func readContents(ctx context.Context, tables table.DB, s space, reads *Reads) ([]Name, error) {
	var names []Name
	q := table.Query{Table: schema.Rollups, Partition: s.partition(nameRows), Consistency: table.Strong}
	for item, err := range items(ctx, tables, q, reads) {
		if err != nil {
			return nil, fmt.Errorf("read names: %w", err)
		}
		if len(item[schema.SK].B) == len(fact.Hash{}) {
			names = append(names, nameOf(item).export(fact.Hash(item[schema.SK].B)))
		}
	}
	return names, nil
}

// Through returns the newest stored time that is folded in: up to it reports have, as a rule, everything. The zero time when
// nothing was.
func (r *Reader) Through(ctx context.Context, store auth.Store, reads *Reads) (time.Time, error) {
	newest := int64(0)
	q := table.Query{Table: schema.Rollups, Partition: current(store).partition(freshRow)}
	for item, err := range items(ctx, r.Tables, q, reads) {
		if err != nil {
			return time.Time{}, err
		}
		newest = max(newest, item[schema.Through].N)
	}
	if newest == 0 {
		return time.Time{}, nil
	}
	return time.UnixMilli(newest).UTC(), nil
}

// NotCounted is how many statements of the store are dead letters, at most so many of them; more says that there are others.
func (r *Reader) NotCounted(ctx context.Context, store auth.Store, most int, reads *Reads) (n int, more bool, err error) {
	letters, more, err := DeadLetters(ctx, r.Tables, store.ID, "", most)
	if err != nil {
		return 0, false, fmt.Errorf("read dead letters: %w", err)
	}
	return len(letters), more, reads.count(len(letters))
}

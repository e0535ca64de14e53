package rollup

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// Difference is one thing that is not as it should be.
type Difference struct {
	Store  string `json:"store"`
	What   string `json:"what"` // one of the words below
	Detail string `json:"detail"`
}

// What can differ.
const (
	WrongLedger  = "wrong ledger"
	WrongBuckets = "wrong buckets"
	WrongIndex   = "wrong index"
)

// storeScope is the scope of everything.
var storeScope fact.Hash

// comparison compares two generations of one store while changes are folded into both.
type comparison struct {
	tables   table.DB
	old, new space
	report   func(Difference)
	pause    func(ctx context.Context, look int) error // between two looks at what differs
}

// pausesOf lets a change come to the other generation too, ever longer: all looks are within about the given time.
func pausesOf(all time.Duration) func(ctx context.Context, look int) error {
	return func(ctx context.Context, look int) error {
		return table.Sleep(ctx, time.Duration(look*look)*all/285) // 1 + 4 + … + 81
	}
}

// settle returns those of the items that differ still after they were looked at several times, ever later: a change comes to
// one generation first, and to the other some seconds after it was stored.
func settle[T any](ctx context.Context, items []T, pause func(context.Context, int) error, same func(T) (bool, error)) (left []T, err error) {
	const looks = 10 // with nine pauses between them
	left = slices.Clone(items)
	for look := 1; len(left) > 0; look++ {
		var differ []T
		for _, item := range left {
			equal, err := same(item)
			if err != nil {
				return nil, err
			}
			if !equal {
				differ = append(differ, item)
			}
		}
		left = differ
		if look == looks || len(left) == 0 {
			break
		}
		if err := pause(ctx, look); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// ledgers compares all ledgers.
func (c *comparison) ledgers(ctx context.Context) error {
	var suspects []fact.Hash
	for shard := range ledgerShards {
		more, err := c.suspects(ctx, shard)
		if err != nil {
			return err
		}
		suspects = append(suspects, more...)
	}
	counts := map[fact.Hash]string{}
	left, err := settle(ctx, suspects, c.pause, func(learner fact.Hash) (bool, error) {
		same, detail, err := c.sameLedger(ctx, learner)
		counts[learner] = detail
		return same, err
	})
	for _, learner := range left {
		c.report(Difference{c.new.store, WrongLedger, "learner " + hashText(learner) + ": " + counts[learner]})
	}
	return err
}

// suspects walks a shard of both side by side, in the order of the learners, and returns whose ledgers differ now.
func (c *comparison) suspects(ctx context.Context, shard int) (learners []fact.Hash, err error) {
	nextOld, stopOld := iter.Pull2(ledgersIn(ctx, c.tables, c.old, shard, &Reads{}))
	defer stopOld()
	nextNew, stopNew := iter.Pull2(ledgersIn(ctx, c.tables, c.new, shard, &Reads{}))
	defer stopNew()
	old, err, moreOld := nextOld()
	if err != nil {
		return nil, err
	}
	rebuilt, err, moreNew := nextNew()
	for err == nil && (moreOld || moreNew) {
		order := bytes.Compare(old.learner[:], rebuilt.learner[:])
		switch {
		case !moreOld:
			order = 1
		case !moreNew:
			order = -1
		}
		switch {
		case order < 0 && !old.empty():
			learners = append(learners, old.learner)
		case order > 0 && !rebuilt.empty():
			learners = append(learners, rebuilt.learner)
		case order == 0 && !old.equals(rebuilt):
			learners = append(learners, old.learner)
		}
		if order <= 0 {
			old, err, moreOld = nextOld()
		}
		if order >= 0 && err == nil {
			rebuilt, err, moreNew = nextNew()
		}
	}
	return learners, err
}

func (l loaded) empty() bool { return l.err == nil && len(l.ledger.facts) == 0 }

// equals reports whether both have the same facts. What cannot be read equals nothing.
func (l loaded) equals(m loaded) bool {
	return l.err == nil && m.err == nil && equalFacts(l.ledger.facts, m.ledger.facts)
}

// equalFacts compares facts in order. Equal pages have equal bytes.
func equalFacts(a, b []fact.Fact) bool {
	return len(a) == len(b) && bytes.Equal(encodePage(page{facts: slices.Clone(a)}), encodePage(page{facts: slices.Clone(b)}))
}

// sameLedger looks at one learner again.
func (c *comparison) sameLedger(ctx context.Context, learner fact.Hash) (same bool, detail string, err error) {
	var read [2]loaded
	var facts [2]string
	for i, s := range []space{c.old, c.new} {
		found, err := loadLedgers(ctx, c.tables, s, []fact.Hash{learner}, nil, table.Strong)
		if err != nil {
			return false, "", err
		}
		read[i] = found[learner]
		facts[i] = "cannot be read"
		if read[i].err == nil {
			facts[i] = fmt.Sprintf("%d facts", len(read[i].ledger.facts))
		}
	}
	return read[0].equals(read[1]), facts[0] + ", rebuilt " + facts[1], nil
}

// buckets compares the sums of every scope that either generation names.
func (c *comparison) buckets(ctx context.Context) error {
	names := map[fact.Hash]string{storeScope: "the store"}
	for _, s := range []space{c.old, c.new} {
		contents, err := readContents(ctx, c.tables, s, &Reads{})
		if err != nil {
			return err
		}
		for _, n := range contents {
			if !n.Verb {
				names[n.Hash] = n.IRI
			}
		}
	}
	differ := map[fact.Hash]int{}
	left, err := settle(ctx, slices.Collect(maps.Keys(names)), c.pause, func(scope fact.Hash) (bool, error) {
		old, err := allBuckets(ctx, c.tables, c.old, scope)
		if err != nil {
			return false, err
		}
		rebuilt, err := allBuckets(ctx, c.tables, c.new, scope)
		if err != nil {
			return false, err
		}
		old.AddAll(rebuilt, -1)
		differ[scope] = len(old)
		return len(old) == 0, nil
	})
	for _, scope := range left {
		c.report(Difference{c.new.store, WrongBuckets, fmt.Sprintf("%s: %d sums differ from the rebuilt ones", names[scope], differ[scope])})
	}
	return err
}

// allBuckets reads every sum of a scope.
func allBuckets(ctx context.Context, tables table.DB, s space, scope fact.Hash) (measure.Sums, error) {
	sums := measure.Sums{}
	q := table.Query{Table: schema.Rollups, Partition: s.buckets(scope), Consistency: table.Strong}
	for item, err := range table.Items(table.QueryPages(ctx, tables, q)) {
		if err == nil {
			err = readBucket(sums, scope, item)
		}
		if err != nil {
			return nil, fmt.Errorf("read buckets: %w", err)
		}
	}
	return sums, nil
}

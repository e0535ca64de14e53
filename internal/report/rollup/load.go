package rollup

import (
	"context"
	"fmt"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// loaded is a ledger, or why it cannot be read.
type loaded struct {
	learner fact.Hash
	ledger  *ledger
	err     error
}

// checked is the ledger when all of its pages were read.
func (l loaded) checked() loaded {
	if l.err == nil && l.ledger.read < l.ledger.pages {
		l.err = fmt.Errorf("read ledger: %d of its %d pages are there", l.ledger.read, l.ledger.pages)
	}
	if l.err == nil {
		l.ledger.settle()
	}
	return l
}

// load reads ledgers, strongly: the heads first, then the pages that they name. So a page that was written since holds more
// than the head says, never less, and the head's version tells on commit.
func (r *foldRun) load(ctx context.Context, learners []fact.Hash) (map[fact.Hash]loaded, error) {
	out := make(map[fact.Hash]loaded, len(learners))
	var asked []fact.Hash
	for _, learner := range learners {
		if l := r.kept.take(r.g.space, learner); l != nil {
			out[learner] = loaded{learner, l, nil}
			continue
		}
		asked = append(asked, learner)
	}
	read, _, err := loadLedgers(ctx, r.Tables, r.g.space, asked, table.Strong)
	if err != nil {
		return nil, err
	}
	for learner, l := range read {
		out[learner] = l
	}
	return out, nil
}

// loadLedgers reads ledgers and counts the items. One that is not there is empty.
func loadLedgers(ctx context.Context, tables table.DB, s space, learners []fact.Hash, c table.Consistency) (map[fact.Hash]loaded, int, error) {
	out := make(map[fact.Hash]loaded, len(learners))
	if len(learners) == 0 {
		return out, 0, nil
	}
	refs := make([]table.Ref, len(learners))
	for i, learner := range learners {
		refs[i] = s.pageRef(learner, 0)
	}
	heads, _, err := tables.BatchGet(ctx, refs, c)
	if err != nil {
		return nil, 0, fmt.Errorf("read ledgers: %w", err)
	}
	type sealed struct {
		learner fact.Hash
		n       int
	}
	var pages []sealed
	refs = refs[:0]
	for i, learner := range learners {
		if heads[i] == nil {
			out[learner] = loaded{learner, newLedger(learner), nil}
			continue
		}
		l, err := readHead(learner, heads[i])
		if err == nil && l.pages == 0 {
			l.settle()
		}
		out[learner] = loaded{learner, l, err}
		if err != nil {
			continue
		}
		for n := 1; n <= l.pages; n++ {
			pages = append(pages, sealed{learner, n})
			refs = append(refs, s.pageRef(learner, n))
		}
	}
	read := len(learners) + len(refs)
	if len(refs) == 0 {
		return out, read, nil
	}
	items, _, err := tables.BatchGet(ctx, refs, c)
	if err != nil {
		return nil, 0, fmt.Errorf("read pages of ledgers: %w", err)
	}
	for i, at := range pages {
		if l := out[at.learner]; l.err == nil && items[i] != nil {
			l.err = l.ledger.addPage(at.n, items[i])
			out[at.learner] = l
		}
	}
	for _, at := range pages {
		if l := out[at.learner]; at.n == 1 {
			out[at.learner] = l.checked()
		}
	}
	return out, read, nil
}

// keptLedgers remembers ledgers of one process that nobody else writes, as they are stored. A version that is not the stored one
// fails the commit, so a memory that is too old costs a second try and nothing else. A ledger that is being changed is taken out:
// nothing may be remembered that might not be stored.
type keptLedgers struct {
	room  int // facts
	facts int
	kept  map[namedHash]*ledger
}

func newKeptLedgers(room int) *keptLedgers {
	return &keptLedgers{room: room, kept: map[namedHash]*ledger{}}
}

func (k *keptLedgers) take(s space, learner fact.Hash) *ledger {
	key := namedHash{s, learner}
	l := k.kept[key]
	if l != nil {
		k.facts -= weight(l)
		delete(k.kept, key)
	}
	return l
}

func (k *keptLedgers) put(s space, l *ledger) {
	k.take(s, l.learner)
	if weight(l) > k.room {
		return
	}
	for key, other := range k.kept { // any of them: an order of use would cost more than it saves
		if k.facts+weight(l) <= k.room {
			break
		}
		k.facts -= weight(other)
		delete(k.kept, key)
	}
	k.kept[namedHash{s, l.learner}] = l
	k.facts += weight(l)
}

// weight is a ledger's facts, and something for itself.
func weight(l *ledger) int { return len(l.facts) + len(l.tombs) + 4 }

// refresh notes up to which stored time changes were folded in. It never goes back within a process; beside others, or after a
// restart, it may for a moment.
func (f *Folder) refresh(ctx context.Context, s space, newest int64, wrote bool) error {
	if newest <= f.through[s] || !wrote {
		return nil
	}
	ref := table.Ref{Table: schema.Rollups, Key: table.Key{Partition: s.partition(freshRow), Sort: []byte{f.Lane}}}
	if f.through[s] == 0 {
		item, _, err := f.Tables.Get(ctx, ref, table.Strong)
		if err != nil {
			return fmt.Errorf("read how far rollups are: %w", err)
		}
		f.through[s] = item[schema.Through].N
		if newest <= f.through[s] {
			return nil
		}
	}
	item := table.Item{schema.PK: table.S(ref.Key.Partition), schema.SK: table.B(ref.Key.Sort), schema.Through: table.N(newest)}
	if _, err := f.Tables.Batch(ctx, []table.Write{table.Put(schema.Rollups, item)}); err != nil {
		return fmt.Errorf("write how far rollups are: %w", err)
	}
	f.through[s] = newest
	return nil
}

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
// than the head says, never less, and the head's version tells on commit. Of what is remembered only what is newer is read.
func (r *foldRun) load(ctx context.Context, learners []fact.Hash) (map[fact.Hash]loaded, error) {
	out := make(map[fact.Hash]loaded, len(learners))
	known := map[fact.Hash]*ledger{}
	var asked []fact.Hash
	for _, learner := range learners {
		l, newest := r.kept.take(r.g.space, learner)
		if l != nil && newest && r.OnlyWriter {
			out[learner] = loaded{learner, l, nil}
			continue
		}
		asked = append(asked, learner)
		known[learner] = l
	}
	read, err := loadLedgers(ctx, r.Tables, r.g.space, asked, known, table.Strong)
	if err != nil {
		return nil, err
	}
	for learner, l := range read {
		out[learner] = l
	}
	return out, nil
}

// loadLedgers reads ledgers. One that is not there is empty. What is known of them from before is used up.
func loadLedgers(ctx context.Context, tables table.DB, s space, learners []fact.Hash, known map[fact.Hash]*ledger, c table.Consistency) (map[fact.Hash]loaded, error) {
	ledgers, err := readHeads(ctx, tables, s, learners, known, c)
	if err != nil {
		return nil, err
	}
	return ledgers, readPages(ctx, tables, s, learners, ledgers, c)
}

// readHeads reads the heads of ledgers, an item each. What has no pages to be read is whole then.
func readHeads(ctx context.Context, tables table.DB, s space, learners []fact.Hash, known map[fact.Hash]*ledger, c table.Consistency) (map[fact.Hash]loaded, error) {
	out := make(map[fact.Hash]loaded, len(learners))
	if len(learners) == 0 {
		return out, nil
	}
	refs := make([]table.Ref, len(learners))
	for i, learner := range learners {
		refs[i] = s.pageRef(learner, 0)
	}
	heads, _, err := tables.BatchGet(ctx, refs, c)
	if err != nil {
		return nil, fmt.Errorf("read ledgers: %w", err)
	}
	for i, learner := range learners {
		if heads[i] == nil {
			out[learner] = loaded{learner, newLedger(learner), nil}
			continue
		}
		l, err := readHead(learner, heads[i])
		if before := known[learner]; before != nil && err == nil {
			if before.version == l.version {
				out[learner] = loaded{learner, before, nil}
				continue
			}
			l.goOn(before)
		}
		if err == nil && l.read == l.pages {
			l.settle()
		}
		out[learner] = loaded{learner, l, err}
	}
	return out, nil
}

// missing is how many pages of a ledger are to be read.
func (l loaded) missing() int {
	if l.err != nil {
		return 0
	}
	return l.ledger.pages - l.ledger.read
}

// readPages reads the pages that are missing to some of the ledgers whose heads were read.
func readPages(ctx context.Context, tables table.DB, s space, learners []fact.Hash, ledgers map[fact.Hash]loaded, c table.Consistency) error {
	var refs []table.Ref
	for _, learner := range learners {
		l := ledgers[learner]
		for i := range l.missing() {
			refs = append(refs, s.pageRef(learner, l.ledger.read+1+i))
		}
	}
	if len(refs) == 0 {
		return nil
	}
	items, _, err := tables.BatchGet(ctx, refs, c)
	if err != nil {
		return fmt.Errorf("read pages of ledgers: %w", err)
	}
	for _, learner := range learners {
		l := ledgers[learner]
		missing := l.missing()
		if missing == 0 {
			continue
		}
		first := l.ledger.read + 1
		for i, item := range items[:missing] {
			if l.err == nil && item != nil {
				l.err = l.ledger.addPage(first+i, item)
			}
		}
		items = items[missing:]
		ledgers[learner] = l.checked()
	}
	return nil
}

// keptLedgers remembers ledgers of one process as they are, or were, stored. A version that is not the stored one fails the
// commit, so a memory that is too old costs a second try and nothing else. A ledger that is being changed is taken out: nothing
// may be remembered that might not be stored.
type keptLedgers struct {
	room  int // facts; 0 remembers none
	facts int
	kept  map[namedHash]keptLedger
}

type keptLedger struct {
	*ledger
	newest bool // nothing newer is known to be stored
}

func newKeptLedgers(room int) *keptLedgers {
	return &keptLedgers{room: room, kept: map[namedHash]keptLedger{}}
}

// take returns what is remembered of a ledger and forgets it; nil when nothing is.
func (k *keptLedgers) take(s space, learner fact.Hash) (l *ledger, newest bool) {
	key := namedHash{s, learner}
	kept, ok := k.kept[key]
	if ok {
		k.facts -= weight(kept.ledger)
		delete(k.kept, key)
	}
	return kept.ledger, kept.newest
}

// put remembers a ledger, and forgets others when there is no room. A ledger that needs more than all of the room is remembered
// alone: to read it again takes longest.
func (k *keptLedgers) put(s space, l *ledger, newest bool) {
	if k.room == 0 {
		return
	}
	k.take(s, l.learner)
	for key, other := range k.kept { // any of them: an order of use would cost more than it saves
		if k.facts+weight(l) <= k.room {
			break
		}
		k.facts -= weight(other.ledger)
		delete(k.kept, key)
	}
	k.kept[namedHash{s, l.learner}] = keptLedger{l, newest}
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

package lrs

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Where one process is the only writer, what statements bring for merged items waits in memory and is merged together. An
// activity that is a question to one verb and a lesson to another would change with every other statement; this way it is
// written once a second. Readers of a merged item see what waits for it. The follower merges before it writes a checkpoint, and
// recovery merges again what came after the checkpoint, so a crash loses nothing.

// mergeMemory is what an only writer remembers of merged items: what is settled, and what waits. A nil mergeMemory remembers
// nothing. It is safe for concurrent use.
type mergeMemory struct {
	seed    maphash.Seed
	stripes [64]mergeStripe // by item
}

type mergeStripe struct {
	turn sync.Mutex // held while items of the stripe are merged

	mu      sync.Mutex
	settled map[string][]uint64     // marks by item
	waiting map[string]contribution // by item
	bytes   int                     // of what waits
	merging map[string]contribution // by item: what is being merged, and may not be written yet
}

// Bounds of a stripe. When settled is full it is emptied, which only costs reads; when waiting is full it is merged.
const (
	maxRemembered    = 4096     // items in settled
	maxMarks         = 16       // marks of one of them
	maxWaitingBytes  = 64 << 10 // of all that waits
	maxWaitingPieces = 16       // for one item
)

func newMergeMemory() *mergeMemory { return &mergeMemory{seed: maphash.MakeSeed()} }

// stripe gives the stripe of an item.
func (m *mergeMemory) stripe(ref table.Ref) *mergeStripe {
	item := maphash.String(m.seed, ref.Key.Partition) // the kind of its term tells the tables apart
	return &m.stripes[item%uint64(len(m.stripes))]
}

// find gives the stripe of a contribution's item and the marks of what is brought for it.
func (m *mergeMemory) find(c contribution) (*mergeStripe, []uint64) {
	ref := c.ref()
	marks := c.marks(func(piece ...[]byte) uint64 {
		var h maphash.Hash
		h.SetSeed(m.seed)
		h.WriteString(ref.Key.Partition) // none of these fails
		for _, p := range piece {
			h.Write(p)
		}
		return h.Sum64()
	})
	return m.stripe(ref), marks
}

// holds reports whether all that is brought is settled.
func (m *mergeMemory) holds(c contribution) bool {
	if m == nil {
		return false
	}
	stripe, marks := m.find(c)
	stripe.mu.Lock()
	defer stripe.mu.Unlock()
	settled := stripe.settled[c.ref().Key.Partition]
	return !slices.ContainsFunc(marks, func(mark uint64) bool { return !slices.Contains(settled, mark) })
}

// remember notes that all that is brought is settled, unless something waits for the item that may change that.
func (m *mergeMemory) remember(c contribution) {
	if m == nil {
		return
	}
	stripe, marks := m.find(c)
	item := c.ref().Key.Partition
	stripe.mu.Lock()
	defer stripe.mu.Unlock()
	if _, waits := stripe.waiting[item]; waits {
		return
	}
	if stripe.settled == nil || len(stripe.settled) >= maxRemembered {
		stripe.settled = map[string][]uint64{}
	}
	if len(stripe.settled[item]) > maxMarks {
		delete(stripe.settled, item)
	}
	stripe.settled[item] = append(stripe.settled[item], marks...)
}

// await lets contributions wait, and merges a stripe in which too many do.
func (s *Service) await(ctx context.Context, list []contribution) error {
	for _, c := range list {
		stripe := s.merged.stripe(c.ref())
		if !stripe.await(c.own()) {
			continue
		}
		if err := s.drain(ctx, stripe); err != nil {
			return err
		}
	}
	return nil
}

// await adds to what waits for an item, of which nothing is settled from then on, and reports whether too much waits.
func (m *mergeStripe) await(c contribution) (full bool) {
	item := c.ref().Key.Partition
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.waiting == nil {
		m.waiting = map[string]contribution{}
	}
	before := 0
	if earlier, ok := m.waiting[item]; ok {
		_, before = earlier.size()
		c = earlier.join(c)
	}
	delete(m.settled, item)
	pieces, bytes := c.size()
	m.waiting[item] = c
	m.bytes += bytes - before
	return m.bytes > maxWaitingBytes || pieces > maxWaitingPieces
}

// MergeWaiting merges everything that waits. A process that ends in order calls it last.
func (s *Service) MergeWaiting(ctx context.Context) error {
	if s.merged == nil {
		return nil
	}
	for i := range s.merged.stripes {
		if err := s.drain(ctx, &s.merged.stripes[i]); err != nil {
			return fmt.Errorf("merge what statements say: %w", err)
		}
	}
	return nil
}

// drain merges what waits in a stripe. After an error the rest of it waits again.
func (s *Service) drain(ctx context.Context, stripe *mergeStripe) (err error) {
	stripe.turn.Lock()
	defer stripe.turn.Unlock()
	for _, c := range stripe.begin() {
		if err == nil {
			err = s.contributeOne(ctx, c, nil, false)
		}
		if err != nil {
			stripe.await(c)
		}
	}
	stripe.end()
	return err
}

// begin takes what waits, to be merged.
func (m *mergeStripe) begin() map[string]contribution {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.merging, m.waiting, m.bytes = m.waiting, nil, 0
	return m.merging
}

// end says that what was taken is written, or waits again.
func (m *mergeStripe) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.merging = nil
}

// waitingFor is what waits for an item or is being merged into it.
func (m *mergeMemory) waitingFor(ref table.Ref) (all []contribution) {
	if m == nil {
		return nil
	}
	stripe := m.stripe(ref)
	stripe.mu.Lock()
	defer stripe.mu.Unlock()
	for _, waits := range []map[string]contribution{stripe.merging, stripe.waiting} {
		if c, ok := waits[ref.Key.Partition]; ok {
			all = append(all, c)
		}
	}
	return all
}

// mergedItems reads merged items, with what waits for them; nil where there is none. They have neither key nor version.
func (s *Service) mergedItems(ctx context.Context, refs []table.Ref) ([]table.Item, error) {
	waiting := make([][]contribution, len(refs)) // taken first: what is written in between is then in both, which changes nothing
	for i, ref := range refs {
		waiting[i] = s.merged.waitingFor(ref)
	}
	items, err := s.batchGet(ctx, refs)
	if err != nil {
		return nil, err
	}
	for i := range items {
		for _, c := range waiting[i] {
			next, _, err := c.merge(items[i])
			if err != nil {
				return nil, err
			}
			if next != nil {
				items[i] = next
			}
		}
	}
	return items, nil
}

package rollup

import (
	"slices"

	"github.com/cairn-lrs/cairn/internal/table"
)

// group is what is committed together: ledgers with the sums of all their differences.
type group struct {
	plans []*plan
	rows  map[bucket]bool
	items int // of ledgers
	bytes int
}

// groupBytes leaves room for the buckets.
const groupBytes = table.MaxGroupBytes - 512<<10

// pack puts as many plans into a group as it has room for. A bucket is written once a group, however many ledgers change it,
// so the plans lie in the order of the buckets that they change: those that share most meet.
func pack(plans []*plan, alone bool) []*group {
	slices.SortFunc(plans, func(a, b *plan) int {
		if c := slices.CompareFunc(a.order(), b.order(), bucket.compare); c != 0 {
			return c
		}
		return slices.Compare(a.learner[:], b.learner[:])
	})
	var groups []*group
	open := &group{rows: map[bucket]bool{}}
	for _, p := range plans {
		if len(open.plans) > 0 && (alone || !open.fits(p)) {
			groups = append(groups, open)
			open = &group{rows: map[bucket]bool{}}
		}
		open.add(p)
	}
	if len(open.plans) > 0 {
		groups = append(groups, open)
	}
	return groups
}

// order is the buckets of a plan, those of the activities first: all share the store's.
func (p *plan) order() []bucket {
	if p.sorted == nil {
		for b := range p.rows {
			p.sorted = append(p.sorted, b)
		}
		slices.SortFunc(p.sorted, func(a, b bucket) int { return -a.compare(b) })
	}
	return p.sorted
}

func (p *plan) bytes() int {
	n := 0
	for _, w := range p.ledger {
		n += w.Item.Size()
	}
	return n
}

func (g *group) fits(p *plan) bool {
	rows := len(g.rows)
	for b := range p.rows {
		if !g.rows[b] {
			rows++
		}
	}
	return rows+g.items+len(p.ledger) <= table.MaxGroup && g.bytes+p.bytes() <= groupBytes
}

func (g *group) add(p *plan) {
	g.plans = append(g.plans, p)
	for b := range p.rows {
		g.rows[b] = true
	}
	g.items += len(p.ledger)
	g.bytes += p.bytes()
}

// writes are the items of the ledgers, then the sums.
func (g *group) writes(s space, lane uint8) []table.Write {
	var writes []table.Write
	sums := additions{}
	for _, p := range g.plans {
		writes = append(writes, p.ledger...)
		sums.add(p.sums)
	}
	return append(writes, sums.writes(s, lane)...)
}

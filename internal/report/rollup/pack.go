package rollup

import (
	"bytes"
	"slices"

	"github.com/cairn-lrs/cairn/internal/table"
)

// group is what is committed together: ledgers with the sums of all their differences.
type group struct {
	plans []*plan
	rows  []bucket // that they change, as in a plan
	items int      // of ledgers
	bytes int
}

// groupBytes leaves room for the buckets.
const groupBytes = table.MaxGroupBytes - 512<<10

// pack puts as many plans into a group as it has room for. A bucket is written once a group, however many ledgers change it,
// so the plans lie in the order of the buckets that they change: those that share most meet.
func pack(plans []*plan, alone bool) []*group {
	slices.SortFunc(plans, func(a, b *plan) int {
		if c := slices.CompareFunc(a.rows, b.rows, bucket.compare); c != 0 {
			return c
		}
		return bytes.Compare(a.learner[:], b.learner[:])
	})
	var groups []*group
	var open *group
	for _, p := range plans {
		if open == nil || alone || !open.add(p) {
			open = &group{[]*plan{p}, p.rows, len(p.ledger), p.bytes}
			groups = append(groups, open)
		}
	}
	return groups
}

// add adds a plan and reports true, if there is room for it.
func (g *group) add(p *plan) bool {
	rows := bothRows(g.rows, p.rows)
	if len(rows)+g.items+len(p.ledger) > table.MaxGroup || g.bytes+p.bytes > groupBytes {
		return false
	}
	g.plans, g.rows = append(g.plans, p), rows
	g.items += len(p.ledger)
	g.bytes += p.bytes
	return true
}

// rowsChanged are the buckets of additions, which are in order, each once, those of the activities before the store's: all plans
// share that.
func rowsChanged(sums []addition) []bucket {
	rows := make([]bucket, 0, len(sums))
	for i := len(sums) - 1; i >= 0; i-- {
		if n := len(rows); n == 0 || rows[n-1] != sums[i].bucket {
			rows = append(rows, sums[i].bucket)
		}
	}
	return rows
}

// bothRows are the rows of two plans or groups, each once, in the order of rowsChanged.
func bothRows(a, b []bucket) []bucket {
	out := make([]bucket, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch c := a[0].compare(b[0]); {
		case c > 0:
			out, a = append(out, a[0]), a[1:]
		case c < 0:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// writes are the items of the ledgers, then the sums.
func (g *group) writes(s space, lane uint8) []table.Write {
	var writes []table.Write
	var sums []addition
	for _, p := range g.plans {
		writes = append(writes, p.ledger...)
		sums = append(sums, p.sums...)
	}
	return append(writes, bucketWrites(s, lane, sums)...)
}

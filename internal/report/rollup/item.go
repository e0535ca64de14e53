package rollup

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// The head of a ledger is written with every fold, so it is kept within one write unit: when it grows out of it, its facts
// go to the tail, the last of the sealed pages, and the head is empty again. The tail grows to one read unit; then the next
// one begins. A fact is so written about three times: once or more in the head, once to twice in the tail.
const (
	headBytes = 1 << 10
	pageBytes = 4<<10 - 128 // leaves room for the key

	// headLeast is what the head's page may have however long the learner's identity and name are.
	headLeast = 256
)

// Bounds of one ledger. They keep a fold within the memory and the time of a function.
const (
	maxLedgerPages    = 1024    // 4 MB
	maxLedgerSegments = 1 << 20 // played segments, 16 bytes each in memory; in a page a list repeats nothing
)

// writes are the items of a changed ledger: the head, under the condition that nobody has written it since it was read,
// and the pages that changed with it. The ledger is then as it is when they are committed.
func (l *ledger) writes(s space) []table.Write {
	condition := table.Absent(schema.PK)
	if l.version > 0 {
		condition = table.Equals(schema.Version, table.N(l.version))
	}
	l.version++
	var sealed []table.Write
	body := encodePage(l.head)
	if item := l.headItem(s, body); item.Size() > headBytes && len(body) > headLeast {
		sealed = l.seal(s)
		body = encodePage(page{})
	}
	return append([]table.Write{table.Put(schema.Rollups, l.headItem(s, body), condition)}, sealed...)
}

func (l *ledger) headItem(s space, body []byte) table.Item {
	ref := s.pageRef(l.learner, 0)
	b := make([]byte, 0, len(body)+len(l.identity)+len(l.name)+16)
	b = appendText(b, l.identity)
	b = appendText(b, l.name)
	b = binary.AppendVarint(b, l.named)
	b = binary.AppendUvarint(b, uint64(l.pages))
	return table.Item{
		schema.PK: table.S(ref.Key.Partition), schema.SK: table.B(ref.Key.Sort),
		schema.Version: table.N(l.version), schema.Body: table.B(append(b, body...)),
	}
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// seal moves what stands in the head to the tail, and what that has no room for to further pages.
func (l *ledger) seal(s space) []table.Write {
	rest := page{
		facts: slices.DeleteFunc(slices.Concat(l.tail.facts, l.head.facts), func(f fact.Fact) bool { return !l.counts(&f) }),
		tombs: slices.Concat(l.tail.tombs, l.head.tombs),
	}
	sortFacts(rest.facts)
	l.head = page{}
	l.pages = max(l.pages, 1)
	var writes []table.Write
	for {
		n, tombs, body := cut(rest)
		ref := s.pageRef(l.learner, l.pages)
		writes = append(writes, table.Put(schema.Rollups, table.Item{
			schema.PK: table.S(ref.Key.Partition), schema.SK: table.B(ref.Key.Sort), schema.Body: table.B(body),
		}))
		l.tail = page{rest.facts[:n:n], rest.tombs[:tombs:tombs]}
		rest = page{rest.facts[n:], rest.tombs[tombs:]}
		if len(rest.facts) == 0 && len(rest.tombs) == 0 {
			return writes
		}
		l.pages++
	}
}

// tombBytes is about what a tombstone takes.
const tombBytes = 8 + 5

// cut encodes as many of the facts and tombstones as a page has room for, at least one of them.
func cut(p page) (facts, tombs int, body []byte) {
	tombs = min(len(p.tombs), pageBytes/2/tombBytes)
	room := pageBytes - tombs*tombBytes
	w := &writer{}
	for facts < len(p.facts) {
		w.fact(&p.facts[facts])
		if w.size() > room && facts+tombs > 0 {
			return facts, tombs, encodePage(page{p.facts[:facts], p.tombs[:tombs]})
		}
		facts++
	}
	return facts, tombs, encodePage(page{p.facts[:facts], p.tombs[:tombs]})
}

// size is about what the page would take now.
func (w *writer) size() int {
	n := len(w.body) + 12*len(w.hashes.values) + 16*len(w.registrations.values) + 8*len(w.sessions.values) + 13*len(w.shapes.values) + 8
	return n + w.textBytes
}

// readHead reads the head of a ledger. Pages are merged after it.
func readHead(learner fact.Hash, item table.Item) (*ledger, error) {
	l := newLedger(learner)
	l.version = item[schema.Version].N
	r := &reader{b: item[schema.Body].B}
	l.identity = string(r.bytes(r.count(1)))
	l.name = string(r.bytes(r.count(1)))
	l.named = r.varint()
	pages := r.uvarint()
	l.pages = int(pages)
	if r.err != nil || l.version < 1 || pages > math.MaxUint16 {
		return nil, fmt.Errorf("read ledger: %w", errDamagedPage)
	}
	p, err := decodePage(r.b)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	l.head = p
	l.merge(p)
	return l, nil
}

// addPage merges a sealed page.
func (l *ledger) addPage(n int, item table.Item) error {
	p, err := decodePage(item[schema.Body].B)
	if err != nil {
		return fmt.Errorf("read ledger, page %d: %w", n, err)
	}
	l.read++
	if n == l.pages {
		l.tail = p
	}
	l.merge(p)
	return nil
}

// full reports whether the ledger is over its bounds. It is asked before a fold, which may go over them by what it brings.
func (l *ledger) full(pages int) bool { return l.pages >= pages || l.segments >= maxLedgerSegments }

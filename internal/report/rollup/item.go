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
// one begins. Of so many full pages one book is made, in their place: it has the dictionaries once, and a long ledger has few
// items. A fact is so written about four times: once or more in the head, once to twice in the tail, once in a book.
//
// layout says how large these are, in bytes, and what a ledger may have: that keeps a fold within the memory and the time of a
// function. It is part of no stored format.
type layout struct {
	head         int
	headLeast    int // what the head's page may have however long the learner's identity and name are
	page         int
	pagesPerBook int
	mostPages    int
	mostFacts    int
}

var usualLayout = layout{
	head: 1 << 10, headLeast: 256,
	page:         4<<10 - 128, // leaves room for the key
	pagesPerBook: 16,          // at most 64 KB: an item may have 400
	mostPages:    1024,        // 64 MB; before there were books, 4
	mostFacts:    500_000,     // some 300 bytes each in memory
}

// maxLedgerSegments bounds the played segments of a ledger, 16 bytes each in memory; in a page a list repeats nothing.
const maxLedgerSegments = 1 << 20

// headFormat stands before the number of books in a head. Heads that were written before there were books have none: their page
// follows, with its own format.
const headFormat = 2

// writes are the items of a changed ledger: the head, under the condition that nobody has written it since it was read,
// and the pages that changed with it. The ledger is then as it is when they are committed.
func (l *ledger) writes(s space, o layout) []table.Write {
	condition := table.Absent(schema.PK)
	if l.version > 0 {
		condition = table.Equals(schema.Version, table.N(l.version))
	}
	l.version++
	var sealed []table.Write
	body := encodePage(l.head)
	if item := l.headItem(s, body); item.Size() > o.head && len(body) > o.headLeast {
		sealed = l.seal(s, o)
		body = encodePage(page{})
	}
	return append([]table.Write{table.Put(schema.Rollups, l.headItem(s, body), condition)}, sealed...)
}

func (l *ledger) headItem(s space, body []byte) table.Item {
	ref := s.pageRef(l.learner, 0)
	b := make([]byte, 0, len(body)+len(l.identity)+len(l.name)+20)
	b = appendText(b, l.identity)
	b = appendText(b, l.name)
	b = binary.AppendVarint(b, l.named)
	b = binary.AppendUvarint(b, uint64(l.pages))
	b = append(b, headFormat)
	b = binary.AppendUvarint(b, uint64(l.books))
	return table.Item{
		schema.PK: table.S(ref.Key.Partition), schema.SK: table.B(ref.Key.Sort),
		schema.Version: table.N(l.version), schema.Body: table.B(append(b, body...)),
	}
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// seal moves what stands in the head to the tail, and what that has no room for to further pages; then it makes books. The pages
// that a book was made of are written over by and by.
func (l *ledger) seal(s space, o layout) []table.Write {
	full := l.recent[:max(0, len(l.recent)-1)]
	changed := l.books + len(full) + 1 // the first page that is written
	recent := slices.Concat(full, cut(l.together(slices.Concat(l.recent[len(full):], []page{l.head})...), o.page))
	l.head = page{}
	var writes []table.Write
	put := func(n int, p page) {
		ref := s.pageRef(l.learner, n)
		writes = append(writes, table.Put(schema.Rollups, table.Item{
			schema.PK: table.S(ref.Key.Partition), schema.SK: table.B(ref.Key.Sort), schema.Body: table.B(encodePage(p)),
		}))
	}
	for len(recent) > o.pagesPerBook {
		l.books++
		put(l.books, l.together(recent[:o.pagesPerBook]...))
		recent = recent[o.pagesPerBook:]
		changed = l.books + 1
	}
	l.recent, l.pages = recent, l.books+len(recent)
	l.read = l.pages // what is remembered is whole
	for n := changed; n <= l.pages; n++ {
		put(n, recent[n-l.books-1])
	}
	return writes
}

// together makes one page of several: what counts of their facts, and all tombstones.
func (l *ledger) together(pages ...page) (all page) {
	for _, p := range pages {
		all.facts = append(all.facts, p.facts...)
		all.tombs = append(all.tombs, p.tombs...)
	}
	all.facts = slices.DeleteFunc(all.facts, func(f fact.Fact) bool { return !l.counts(&f) })
	sortFacts(all.facts)
	return all
}

// tombBytes is about what a tombstone takes.
const tombBytes = 8 + 5

// cut makes pages of so many bytes of what stands in one: each has as many facts and tombstones as there is room for.
func cut(rest page, bytes int) (pages []page) {
	for first := true; first || len(rest.facts) > 0 || len(rest.tombs) > 0; first = false {
		tombs := min(len(rest.tombs), bytes/2/tombBytes)
		facts := fitting(rest.facts, bytes-tombs*tombBytes)
		if tombs == 0 {
			facts = max(facts, min(1, len(rest.facts)))
		}
		pages = append(pages, page{rest.facts[:facts:facts], rest.tombs[:tombs:tombs]})
		rest = page{rest.facts[facts:], rest.tombs[tombs:]}
	}
	return pages
}

// fitting is how many of the facts take about so many bytes.
func fitting(facts []fact.Fact, room int) int {
	w := &writer{}
	for n := range facts {
		if w.fact(&facts[n]); w.size() > room {
			return n
		}
	}
	return len(facts)
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
	books := max(pages, 1) - 1
	if len(r.b) > 0 && r.b[0] == headFormat {
		r.byte()
		books = r.uvarint()
	}
	if r.err != nil || l.version < 1 || pages > math.MaxUint16 || books > 0 && books >= pages {
		return nil, fmt.Errorf("read ledger: %w", errDamagedPage)
	}
	l.pages, l.books = int(pages), int(books)
	p, err := decodePage(r.b)
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	l.head = p
	return l, nil
}

// addPage merges a sealed page.
func (l *ledger) addPage(n int, item table.Item) error {
	p, err := decodePage(item[schema.Body].B)
	if err != nil {
		return fmt.Errorf("read ledger, page %d: %w", n, err)
	}
	l.read++
	if n > l.books && n <= l.pages {
		l.recent = append(l.recent, p)
	}
	l.merge(p)
	return nil
}

// full reports whether the ledger is over its bounds. It is asked before a fold, which may go over them by what it brings.
func (l *ledger) full(o layout) bool {
	return l.pages >= o.mostPages || len(l.facts) >= o.mostFacts || l.segments >= maxLedgerSegments
}

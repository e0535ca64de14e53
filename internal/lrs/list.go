package lrs

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/table"
)

// The work of one page. A page is cut short once it has a statement and has cost this much; only a page with no
// statement at all goes on, to the hard bounds.
const (
	softEntries = 5_000
	softTime    = 3 * time.Second
	hardEntries = 200_000
	hardTime    = 15 * time.Second
	probeFirst  = 2   // rounds until the first look whether another filter is the more selective one
	probeEvery  = 4   // and between later ones
	maxPerPage  = 500 // entries asked for at once from one partition
)

// Query returns the first page of a list. Source: xAPI 1.0.3 Communication 2.1.3.
func (s *Service) Query(ctx context.Context, p auth.Principal, q Query) (Page, error) {
	return s.list(ctx, p, planOf(p.Store, q, s.Positions.Now()))
}

// More returns the page that a cursor of an earlier page stands for.
func (s *Service) More(ctx context.Context, p auth.Principal, cursor string) (Page, error) {
	pl, err := unseal(p, cursor, s.Positions.Now())
	if err != nil {
		return Page{}, &Refusal{Kind: ErrInvalid, Statement: -1, Message: "more: this link is not valid for this credential, or too old", Cause: err}
	}
	return s.list(ctx, p, pl)
}

// listing is one page in the making.
type listing struct {
	*Service
	p       auth.Principal
	plan    plan
	filters []anyOf // of the plan and of the credential's scopes
	lanes   []*lane
	page    Page
	bytes   int64
	decided position.Position // every statement through here is on the page or does not match
	entries int               // read so far
	began   time.Time
}

func (s *Service) list(ctx context.Context, p auth.Principal, pl plan) (Page, error) {
	reader, err := readerOf(p)
	if err != nil {
		return Page{}, err
	}
	l := &listing{Service: s, p: p, plan: pl, filters: pl.filters, began: s.Positions.Now(),
		page: Page{Format: pl.format, Attachments: pl.attachments}}
	if reader != nil {
		l.filters = append(l.filters[:len(l.filters):len(l.filters)], reader)
	}
	if pl.empty() {
		return l.page, nil
	}
	l.decided = pl.start()
	l.openLanes()
	done, err := l.fill(ctx)
	if err != nil {
		return Page{}, unavailable("the statements could not be listed", err)
	}
	if rest := pl.from(l.decided); !done && !rest.empty() {
		if l.page.More, err = rest.seal(p, s.Positions.Now()); err != nil {
			return Page{}, err
		}
	}
	return l.page, nil
}

// openLanes makes a lane for every filter that partitions list, or one lane of all statements by time. Lanes of few statements,
// such as a learner's or a registration's, come first.
func (l *listing) openLanes() {
	perPage := l.plan.limit + 1
	for _, f := range l.filters {
		if kind := f[len(f)-1].kind(); kind != authorityKind && kind != ownerKind {
			l.lanes = append(l.lanes, newLane(l.p.Store, l.plan, f, perPage))
		}
	}
	slices.SortStableFunc(l.lanes, func(a, b *lane) int { return cmp.Compare(a.breadth(), b.breadth()) })
	if len(l.lanes) == 0 {
		l.lanes = append(l.lanes, newLane(l.p.Store, l.plan, nil, perPage))
	}
}

// fill reads until the page is full or cut, or until there are no more statements, which is done. It begins with the lanes of few
// statements, if there are any: as often as not one or two pages of them are all, and the other lanes need not be read.
func (l *listing) fill(ctx context.Context) (done bool, err error) {
	for _, ln := range l.lanes {
		if ln.breadth() > l.lanes[0].breadth() {
			break
		}
		if err := l.load(ctx, ln); err != nil {
			return false, err
		}
		if ln.frontier(l.plan) == l.plan.end() {
			break // it reached the end: no other lane can be more selective
		}
	}
	for round := 1; ; round++ {
		driver := l.furthest()
		frontier := driver.frontier(l.plan)
		full, err := l.takeAll(ctx, driver.take(l.plan, frontier))
		if err != nil || full {
			return false, err
		}
		l.decided = frontier
		if frontier == l.plan.end() {
			return true, nil
		}
		if l.spent() {
			return false, nil
		}
		if round == probeFirst || round%probeEvery == 0 {
			for _, other := range l.lanes {
				if other != driver {
					other.skip(l.plan, frontier)
					if err := l.load(ctx, other); err != nil {
						return false, err
					}
				}
			}
		}
		driver.widen()
		if err := l.load(ctx, driver); err != nil {
			return false, err
		}
	}
}

func (l *listing) load(ctx context.Context, ln *lane) error {
	n, err := ln.load(ctx, l.Tables, l.OwnDisk)
	l.entries += n
	return err
}

// furthest is the lane whose loaded pages reach furthest: its filter is the most selective one, as far as is known.
func (l *listing) furthest() *lane {
	best := l.lanes[0]
	for _, ln := range l.lanes[1:] {
		if l.plan.before(best.frontier(l.plan), ln.frontier(l.plan)) {
			best = ln
		}
	}
	return best
}

// spent reports whether the page has cost as much as it may.
func (l *listing) spent() bool {
	took := l.Positions.Now().Sub(l.began)
	if len(l.page.Statements) > 0 {
		return l.entries >= softEntries || took >= softTime
	}
	return l.entries >= hardEntries || took >= hardTime
}

// takeAll adds the entries that match to the page, and overwrites their slice. full means that one did not fit: then everything
// before that one is decided.
func (l *listing) takeAll(ctx context.Context, entries []entry) (full bool, err error) {
	matching := entries[:0]
	for _, e := range entries {
		if l.plan.before(l.decided, e.position) && (e.terms == nil || l.admitsAll(e.terms)) {
			matching = append(matching, e)
		}
	}
	for len(matching) > 0 {
		room := l.plan.limit - len(l.page.Statements)
		if room == 0 {
			l.decideBefore(matching[0].position) // something follows, as far as the index knows
			return true, nil
		}
		chunk := matching[:min(room, len(matching), lookBatch)]
		matching = matching[len(chunk):]
		records, err := l.fetch(ctx, chunk)
		if err != nil {
			return false, err
		}
		l.page.Statements = slices.Grow(l.page.Statements, len(records))
		for _, r := range records {
			fits, err := l.add(ctx, r)
			if err != nil {
				return false, err
			}
			if !fits {
				l.decideBefore(r.position)
				return true, nil
			}
		}
	}
	return false, nil
}

// decideBefore says that everything that is listed before the position is decided.
func (l *listing) decideBefore(p position.Position) {
	if l.plan.ascending {
		l.decided = p.Previous()
	} else {
		l.decided = p.Next()
	}
}

// admitsAll reports whether a set of effective terms, as an item holds it, has a term of every filter.
func (l *listing) admitsAll(terms [][]byte) bool {
	for _, filter := range l.filters {
		if !filter.admitsMembers(terms) {
			return false
		}
	}
	return true
}

func (f anyOf) admitsMembers(terms [][]byte) bool {
	for _, have := range terms {
		for _, want := range f {
			if string(have) == string(want[:]) {
				return true
			}
		}
	}
	return false
}

// add appends a statement to the page unless it would grow past what one reply can carry. The first always fits.
func (l *listing) add(ctx context.Context, r *record) (fits bool, err error) {
	st, err := l.statement(ctx, r)
	if err != nil {
		return false, err
	}
	size := int64(len(st.Body))
	if l.plan.attachments {
		size += r.attachmentBytes
	}
	if len(l.page.Statements) > 0 && l.bytes+size > PageBytes {
		return false, nil
	}
	l.bytes += size
	l.page.Statements = append(l.page.Statements, st)
	return true, nil
}

// fetch reads the statements of entries, in their order, and leaves out what is not to be listed: voided ones, entries
// of attempts that failed, and those that a filter does not admit. What an eventual read does not find, or finds with
// another position or fewer terms than its entry promises, is read again strongly first.
func (l *listing) fetch(ctx context.Context, entries []entry) ([]*record, error) {
	records, err := l.read(ctx, entries, table.Eventual)
	if err != nil {
		return nil, err
	}
	var doubtful []entry
	var at []int
	for i, e := range entries {
		if !e.keptBy(records[i]) {
			doubtful, at = append(doubtful, e), append(at, i)
		}
	}
	if len(doubtful) > 0 {
		again, err := l.read(ctx, doubtful, table.Strong)
		if err != nil {
			return nil, err
		}
		for i, r := range again {
			records[at[i]] = r
		}
	}
	listed := records[:0]
	for i, e := range entries {
		if r := records[i]; e.keptBy(r) && !r.voided && l.admitsAll(r.termList) {
			listed = append(listed, r)
		}
	}
	return listed, nil
}

func (l *listing) read(ctx context.Context, entries []entry, c table.Consistency) ([]*record, error) {
	refs := make([]table.Ref, len(entries))
	for i, e := range entries {
		refs[i] = statementRef(l.p.Store.ID, e.id)
	}
	rows, _, err := l.Tables.Select(ctx, refs, c, givenOutColumns...)
	if err != nil {
		return nil, err
	}
	records, found := make([]*record, len(rows)), make([]record, len(rows))
	for i, row := range rows {
		if row == nil {
			continue
		}
		r := &found[i]
		r.store, r.id = l.p.Store.ID, entries[i].id
		if err := r.takeGivenOut(row); err != nil {
			return nil, err
		}
		records[i] = r
	}
	return records, nil
}

// keptBy reports whether the statement is what the entry says.
func (e entry) keptBy(r *record) bool {
	if r == nil || r.position != e.position {
		return false
	}
	if e.terms == nil {
		return e.promised.admitsMembers(r.termList)
	}
	return len(r.termList) >= len(e.terms) // terms only grow: the larger set holds the smaller
}

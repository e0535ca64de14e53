package lrs

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// entry is one statement as an index or Terms lists it.
type entry struct {
	position position.Position
	id       statementID
	terms    [][]byte // effective terms; nil from Terms, whose entries do not carry them
	promised anyOf    // from Terms: the statement has one of these, or the entry is of an attempt that failed
}

// lane lists all statements of one filter in the order of a plan, page by page, merged from the filter's partitions.
type lane struct {
	filter  anyOf
	sources []*source
}

// source is one partition that a lane reads.
type source struct {
	query  table.Query
	loaded []entry           // read and not taken yet
	last   position.Position // of the last entry that was read; the bound before the first
	done   bool
}

// newLane makes the lane of a filter. perPage is how many statements a page of the whole lane is to have.
func newLane(store auth.Store, pl plan, filter anyOf, perPage int) *lane {
	l := &lane{filter: filter}
	for _, q := range filter.partitions(store) {
		q.From, q.To, q.Descending = pl.low[:], pl.high[:], !pl.ascending
		q.Limit, q.Only = perPage, entryAttributes(q)
		if sharded(q, store) {
			// An even spread plus some slack. A shard that has more of the page than that is read again.
			q.Limit = perPage/store.Shards + perPage/(4*store.Shards) + 4
		}
		l.sources = append(l.sources, &source{query: q, last: pl.start()})
	}
	return l
}

// entryAttributes are those that an entry of a partition is made of (see source.entry).
func entryAttributes(q table.Query) []string {
	if q.Index != "" {
		return indexEntry
	}
	return termsEntry
}

var (
	indexEntry = []string{schema.PK, schema.Position, schema.EffectiveTerms}
	termsEntry = []string{schema.SK, schema.StatementID}
)

// breadth is 1 for a lane of sharded kinds, whose terms are on many statements each, and 0 for any other.
func (l *lane) breadth() int {
	if len(l.filter) == 0 || l.filter[0].kind().sharded() {
		return 1
	}
	return 0
}

// sharded reports whether a partition is one of several shards.
func sharded(q table.Query, store auth.Store) bool {
	if q.Index != "" {
		return store.Shards > 1 && (q.Index == schema.ByTime || q.Index == schema.ByVerb || q.Index == schema.ByActivity)
	}
	return store.Shards > 1
}

// load reads one more page of every source that has nothing loaded: side by side, or one after the other on a local disk, where
// a page takes less time than a goroutine (BenchmarkRequests/agentUnknown: 100 allocations instead of 108).
func (l *lane) load(ctx context.Context, tables table.DB, ownDisk bool) (read int, err error) {
	var hungry []*source
	for _, src := range l.sources {
		if len(src.loaded) == 0 && !src.done {
			hungry = append(hungry, src)
		}
	}
	if ownDisk || len(hungry) == 1 {
		for i := 0; i < len(hungry) && err == nil; i++ {
			err = hungry[i].load(ctx, tables, l.filter)
		}
	} else {
		group, ctx := errgroup.WithContext(ctx)
		for _, src := range hungry {
			group.Go(func() error { return src.load(ctx, tables, l.filter) })
		}
		err = group.Wait()
	}
	for _, src := range hungry {
		read += len(src.loaded)
	}
	return read, err
}

func (src *source) load(ctx context.Context, tables table.DB, filter anyOf) error {
	page, _, err := tables.Query(ctx, src.query)
	if err != nil {
		return fmt.Errorf("query %s%s: %w", src.query.Table, src.query.Index, err)
	}
	src.loaded = slices.Grow(src.loaded, len(page.Rows))
	for _, row := range page.Rows {
		e, err := src.entry(row, filter)
		if err != nil {
			return err
		}
		src.loaded = append(src.loaded, e)
		src.last = e.position
	}
	src.query.After, src.done = page.Next, page.Next == nil
	return nil
}

func (src *source) entry(row table.Row, filter anyOf) (entry, error) {
	if src.query.Index != "" {
		key, sort, terms := row[0].S, row[1].B, row[2].Set
		_, id, err := splitStatementKey(key)
		if err != nil {
			return entry{}, err
		}
		at, err := position.Parse(sort)
		return entry{position: at, id: id, terms: terms}, err
	}
	sort, id := row[0].B, row[1].B
	if len(id) != len(statementID{}) {
		return entry{}, fmt.Errorf("read term entry: id of %d bytes", len(id))
	}
	at, err := position.Parse(sort)
	return entry{position: at, id: statementID(id), promised: filter}, err
}

// widen doubles the pages of a lane that has to be read further.
func (l *lane) widen() {
	for _, src := range l.sources {
		src.query.Limit = min(2*src.query.Limit, maxPerPage)
	}
}

// frontier is the position through which everything of the lane is loaded.
func (l *lane) frontier(pl plan) position.Position {
	reach := pl.end()
	for _, src := range l.sources {
		if !src.done && pl.before(src.last, reach) {
			reach = src.last
		}
	}
	return reach
}

// take removes the loaded entries through a position and returns them in order, each statement once. Of a statement
// that several partitions list, the entry that carries terms is kept.
func (l *lane) take(pl plan, through position.Position) []entry {
	var taken []entry
	for _, src := range l.sources {
		n := 0
		for n < len(src.loaded) && !pl.before(through, src.loaded[n].position) {
			n++
		}
		if len(taken) == 0 {
			taken = src.loaded[:n:n] // nearly always one source has it all
		} else {
			taken = append(taken, src.loaded[:n]...)
		}
		src.loaded = src.loaded[n:]
	}
	if len(l.sources) == 1 {
		return taken
	}
	slices.SortStableFunc(taken, func(a, b entry) int {
		c := a.position.Compare(b.position)
		if !pl.ascending {
			c = -c
		}
		if c == 0 && (a.terms == nil) != (b.terms == nil) {
			if a.terms != nil {
				return -1
			}
			return 1
		}
		return c
	})
	return slices.CompactFunc(taken, func(a, b entry) bool { return a.position == b.position })
}

// skip moves a lane that does not drive past a position, so that its next page says how far it would reach from there.
func (l *lane) skip(pl plan, through position.Position) {
	rest := pl.from(through)
	for _, src := range l.sources {
		if src.done || !pl.before(src.last, through) {
			continue
		}
		src.loaded = nil
		src.last = through
		src.query.From, src.query.To, src.query.After = rest.low[:], rest.high[:], nil
	}
}

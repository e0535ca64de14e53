package pebble

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	engine "github.com/cockroachdb/pebble/v2"

	"github.com/cairn-lrs/cairn/internal/table"
)

// Faults are what DynamoDB and the net between may do and a healthy local disk does not: for tests of the code above.
// The zero value changes nothing. What a fault does stays within the contracts of package table.
type Faults struct {
	// OnCall is asked before every call and decides what becomes of it. Calls come at the same time. Nil: nothing
	// goes wrong.
	OnCall func(Call) Fault

	// IndexDelay is asked for every index entry that a write changes, and says how long the change takes to show
	// by Options.Now. Different delays let a query see half a group. The changes of one entry keep their order.
	// Delayed changes are on the disk: they survive a crash and show when the folder is opened. Nil: no delay.
	IndexDelay func() time.Duration

	// Stale lets eventual reads, of indexes too, see a state that is up to so old, chosen anew for each page and for
	// each item of a BatchGet or Select.
	Stale time.Duration

	// ShardSpan ends the shards of every feed after so many sequence numbers. The first shard has two children,
	// by the items' keys, and each of those one child after the next span, and so on. 0: one shard for ever.
	ShardSpan uint64

	// Seed is that of the random choices: which leftovers, which stale state, the order of a group in the feed.
	Seed uint64
}

// Operation names a call.
type Operation string

// The operations that Faults.OnCall is asked for.
const (
	OpGet      Operation = "Get"
	OpBatchGet Operation = "BatchGet"
	OpSelect   Operation = "Select"
	OpQuery    Operation = "Query"
	OpApply    Operation = "Apply"
	OpGroup    Operation = "Group"
	OpBatch    Operation = "Batch"
	OpScan     Operation = "Scan"
	OpChanges  Operation = "Changes"
)

// Call is one call of a DB.
type Call struct {
	Number int64 // counted from 1, over all operations
	Op     Operation
	Table  string // "" for calls that may have several
	Items  int    // how many items are written or asked for
}

// Fault is what becomes of a call. The zero value lets it be.
type Fault struct {
	kind faultKind
	n    int
	err  error
}

type faultKind uint8

const (
	faultNone faultKind = iota
	faultFailed
	faultLost
	faultLeftovers
	faultShort
	faultRepeat
)

// Failed answers the call with an error; nothing is done.
func Failed(err error) Fault { return Fault{kind: faultFailed, err: err} }

// ReplyLost does the call and withholds its outcome: a write answers table.ErrUnknown, a read table.ErrThrottled.
func ReplyLost() Fault { return Fault{kind: faultLost} }

// Leftovers does n of a Batch's writes, chosen at random, and answers table.ErrThrottled.
func Leftovers(n int) Fault { return Fault{kind: faultLeftovers, n: n} }

// Short lets a Query or Changes answer n items at most, with a cursor to go on; with 0, an empty page. A Scan answers
// one item.
func Short(n int) Fault { return Fault{kind: faultShort, n: n} }

// Repeat lets Changes answer up to n changes again that lie before those asked for.
func Repeat(n int) Fault { return Fault{kind: faultRepeat, n: n} }

// faults carries out Faults on one DB.
type faults struct {
	*Faults
	db    *DB
	calls atomic.Int64

	mu    sync.Mutex
	rand  *rand.Rand
	past  []snapshot           // states for stale reads, oldest first; closed with the DB
	due   map[string]time.Time // of the last change of each index entry that was held back
	held  uint64               // numbers the changes held back
	moves sync.Mutex           // held while changes become visible
}

type snapshot struct {
	at    time.Time
	state *engine.Snapshot
}

func newFaults(f *Faults, db *DB) *faults {
	return &faults{
		Faults: f, db: db,
		rand: rand.New(rand.NewPCG(f.Seed, f.Seed)),
		due:  map[string]time.Time{},
	}
}

// close releases the states for stale reads.
func (f *faults) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var err error
	for _, s := range f.past {
		err = errors.Join(err, s.state.Close())
	}
	f.past = nil
	return err
}

// before asks what becomes of a call, and keeps a state for stale reads.
func (f *faults) before(c Call) (Fault, error) {
	f.remember()
	c.Number = f.calls.Add(1)
	if f.OnCall == nil {
		return Fault{}, nil
	}
	fault := f.OnCall(c)
	if fault.kind == faultFailed {
		return fault, fmt.Errorf("fault in %s: %w", c.Op, fault.err)
	}
	return fault, nil
}

// lost replaces the outcome of a call by reason when the fault wants it so.
func (f Fault) lost(err, reason error) error {
	if f.kind == faultLost {
		return fmt.Errorf("fault: reply lost: %w", reason)
	}
	return err
}

func (f *faults) get(ctx context.Context, ref table.Ref, c table.Consistency) (table.Item, table.Cost, error) {
	fault, err := f.before(Call{Op: OpGet, Table: ref.Table, Items: 1})
	if err != nil {
		return nil, table.Cost{}, err
	}
	item, cost, err := f.db.get(ctx, ref, c)
	if err := fault.lost(err, table.ErrThrottled); err != nil {
		return nil, cost, err
	}
	return item, cost, nil
}

func (f *faults) batchGet(ctx context.Context, refs []table.Ref, c table.Consistency) ([]table.Item, table.Cost, error) {
	fault, err := f.before(Call{Op: OpBatchGet, Items: len(refs)})
	if err != nil {
		return nil, table.Cost{}, err
	}
	items, cost, err := f.db.batchGet(ctx, refs, c)
	if err := fault.lost(err, table.ErrThrottled); err != nil {
		return nil, cost, err
	}
	return items, cost, nil
}

func (f *faults) selectRows(ctx context.Context, refs []table.Ref, c table.Consistency, attributes []string) ([]table.Row, table.Cost, error) {
	fault, err := f.before(Call{Op: OpSelect, Items: len(refs)})
	if err != nil {
		return nil, table.Cost{}, err
	}
	rows, cost, err := f.db.selectRows(ctx, refs, c, attributes)
	if err := fault.lost(err, table.ErrThrottled); err != nil {
		return nil, cost, err
	}
	return rows, cost, nil
}

func (f *faults) query(ctx context.Context, q table.Query) (table.Page, table.Cost, error) {
	fault, err := f.before(Call{Op: OpQuery, Table: q.Table})
	if err != nil {
		return table.Page{}, table.Cost{}, err
	}
	if fault.kind == faultShort && fault.n == 0 {
		if _, err := f.db.schemas.CheckQuery(&q); err != nil {
			return table.Page{}, table.Cost{}, err
		}
		next := q.After
		if next == nil {
			next = beginning
		}
		return table.Page{Next: next}, f.db.cost(table.ReadUnits(0, q.Consistency), 0), nil
	}
	if fault.kind == faultShort && (q.Limit == 0 || fault.n < q.Limit) {
		q.Limit = fault.n
	}
	if q.Index != "" {
		if err := f.release(f.db.now()); err != nil {
			return table.Page{}, table.Cost{}, err
		}
	}
	page, cost, err := f.db.query(ctx, q)
	if err := fault.lost(err, table.ErrThrottled); err != nil {
		return table.Page{}, cost, err
	}
	return page, cost, nil
}

func (f *faults) apply(ctx context.Context, w table.Write) (table.Item, table.Cost, error) {
	fault, err := f.before(Call{Op: OpApply, Table: w.Table, Items: 1})
	if err != nil {
		return nil, table.Cost{}, err
	}
	item, cost, err := f.db.apply(ctx, w)
	if err := fault.lost(err, table.ErrUnknown); err != nil {
		return nil, cost, err
	}
	return item, cost, nil
}

func (f *faults) group(ctx context.Context, token string, ws []table.Write) (table.Cost, error) {
	fault, err := f.before(Call{Op: OpGroup, Items: len(ws)})
	if err != nil {
		return table.Cost{}, err
	}
	cost, err := f.db.group(ctx, token, ws)
	return cost, fault.lost(err, table.ErrUnknown)
}

func (f *faults) batch(ctx context.Context, ws []table.Write) (table.Cost, error) {
	fault, err := f.before(Call{Op: OpBatch, Items: len(ws)})
	if err != nil {
		return table.Cost{}, err
	}
	if fault.kind == faultLeftovers {
		some := make([]table.Write, 0, len(ws))
		for _, i := range f.permutation(len(ws))[:min(fault.n, len(ws))] {
			some = append(some, ws[i])
		}
		cost, err := f.db.batch(ctx, some)
		return cost, errors.Join(err, fmt.Errorf("fault: %d writes left: %w", len(ws)-len(some), table.ErrThrottled))
	}
	cost, err := f.db.batch(ctx, ws)
	return cost, fault.lost(err, table.ErrUnknown)
}

func (f *faults) scan(ctx context.Context, name string, segment, of int, cursor table.Cursor) (table.Page, table.Cost, error) {
	fault, err := f.before(Call{Op: OpScan, Table: name})
	if err != nil {
		return table.Page{}, table.Cost{}, err
	}
	most := table.MaxPage
	if fault.kind == faultShort {
		most = 1 // one item
	}
	page, cost, err := f.db.scan(ctx, name, segment, of, cursor, most)
	if err := fault.lost(err, table.ErrThrottled); err != nil {
		return table.Page{}, cost, err
	}
	return page, cost, nil
}

func (f *faults) permutation(n int) []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rand.Perm(n)
}

// shuffle brings the changes of a group into another order, in which they will stand in the feed.
func (f *faults) shuffle(changes []change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rand.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
}

// staleStates is how many states are kept over the time that stale reads may go back.
const staleStates = 4

// remember keeps the present state for later stale reads, unless the last one is young.
func (f *faults) remember() {
	if f.Stale == 0 {
		return
	}
	now := f.db.now()
	if f.IndexDelay != nil && f.release(now) != nil {
		return // the call will say why; a state must not be older than its index entries' delay and its own age
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.past); n > 0 && now.Sub(f.past[n-1].at) < f.Stale/staleStates {
		return
	}
	if f.db.enter(context.Background()) != nil {
		return // the call will say why
	}
	defer f.db.open.RUnlock()
	f.past = append(f.past, snapshot{now, f.db.engine.NewSnapshot()})
}

// reader chooses the state that an eventual read sees.
func (f *faults) reader() engine.Reader {
	f.mu.Lock()
	defer f.mu.Unlock()
	young := f.past
	for len(young) > 0 && f.db.now().Sub(young[0].at) > f.Stale {
		young = young[1:]
	}
	if i := f.rand.IntN(len(young) + 1); i < len(young) {
		return young[i].state
	}
	return f.db.engine
}

package lrs

import (
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/oracle"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// A history is a store's life in small: random statements that refer to each other, void each other and share agents,
// sent by several writers at once, then random queries whose answers must be the oracle's.

const (
	pebbleHistories = 2000
	historiesPerDB  = 50 // then Check derives everything again
)

// history is one with how it is asked about.
type history struct {
	*oracle.History
	queries int
}

func newHistory(seed uint64) *history { return &history{History: oracle.NewHistory(seed), queries: 12} }

// queryOf is an oracle's query as the service takes it.
func queryOf(q oracle.Query) (Query, error) {
	own := Query{
		RelatedAgents: q.RelatedAgents, RelatedActivities: q.RelatedActivities, Verb: q.Verb, Activity: q.Activity,
		Registration: q.Registration, Since: q.Since, Until: q.Until, Ascending: q.Ascending, Limit: q.Limit,
	}
	if q.Agent == nil {
		return own, nil
	}
	raw, err := json.Marshal(q.Agent)
	if err == nil {
		own.Agent, err = xapi.DecodeAgent(raw, xapi.V2)
	}
	return own, err
}

// sendAll sends the statements in random requests by three writers at once. A request that may be repeated is, as a
// client would.
func (h *history) sendAll(ctx context.Context, t testing.TB, s *Service, p auth.Principal, statements map[string]map[string]any) error {
	requests := make(chan []string, len(h.IDs))
	for _, request := range h.Requests() {
		requests <- request
	}
	close(requests)
	var writers sync.WaitGroup
	var mu sync.Mutex
	var failure error
	for range 3 {
		writers.Go(func() {
			for request := range requests {
				var texts []string
				for _, id := range request {
					raw, _ := json.Marshal(statements[id])
					texts = append(texts, string(raw))
				}
				var err error
				for range 50 {
					if _, err = s.Store(ctx, p, decode(t, texts...), nil); !errors.Is(err, ErrUnavailable) {
						break
					}
				}
				if err != nil {
					mu.Lock()
					failure = fmt.Errorf("store %v: %w", request, err)
					mu.Unlock()
				}
			}
		})
	}
	writers.Wait()
	return failure
}

// run plays one history and returns what went wrong.
func (h *history) run(t testing.TB, w *world, p auth.Principal) error {
	statements, err := h.send(t, w, p)
	if err != nil {
		return err
	}
	w.followToTheEnd()
	return h.compare(t.Context(), w, p, statements)
}

// send makes the history's statements and stores them.
func (h *history) send(t testing.TB, w *world, p auth.Principal) (map[string]map[string]any, error) {
	statements := h.Statements()
	return statements, h.sendAll(t.Context(), t, w.service, p, statements)
}

// compare asks random queries and compares each answer with the oracle's.
func (h *history) compare(ctx context.Context, w *world, p auth.Principal, statements map[string]map[string]any) error {
	if err := waitForAll(ctx, w, p); err != nil {
		return err
	}
	var authority map[string]any
	if err := json.Unmarshal(p.Authority, &authority); err != nil {
		return err
	}
	o := oracle.Oracle{Statements: statements, Authority: authority}
	order, stored, err := listAll(ctx, w, p, o)
	if err != nil {
		return err
	}
	for range h.queries {
		asked := h.Query(stored)
		q, err := queryOf(asked)
		if err != nil {
			return err
		}
		got, err := walkQuery(ctx, w, p, q)
		if err != nil {
			return err
		}
		want := o.Answer(asked, order, stored)
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("query %+v lists otherwise than the oracle (-want +got):\n%s", q, diff)
		}
	}
	return nil
}

// waitForAll waits until everything that was stored so far must be listed, as a client would by Consistent-Through.
func waitForAll(ctx context.Context, w *world, p auth.Principal) error {
	now := w.clock.Now()
	for {
		through, err := w.service.ConsistentThrough(ctx)
		if err != nil || through.After(now) {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

// listAll lists everything, checks it against the oracle, and returns the order and the stored times.
func listAll(ctx context.Context, w *world, p auth.Principal, o oracle.Oracle) (order []string, stored map[string]time.Time, err error) {
	stored = map[string]time.Time{}
	for id := range o.Statements {
		st, err := w.service.Statement(ctx, p, id, o.Voided(id))
		if err != nil {
			return nil, nil, fmt.Errorf("statement %s (voided %t): %w", id, o.Voided(id), err)
		}
		stored[id] = st.Stored
	}
	order, err = walkQuery(ctx, w, p, Query{Limit: 5})
	if err != nil {
		return nil, nil, err
	}
	seen := map[string]bool{}
	for i, id := range order {
		if seen[id] || o.Voided(id) || o.Statements[id] == nil {
			return nil, nil, fmt.Errorf("the list of all has %s, which is voided, unknown or there twice", id)
		}
		if i > 0 && stored[id].After(stored[order[i-1]]) {
			return nil, nil, fmt.Errorf("the list of all is not newest first at %s", id)
		}
		seen[id] = true
	}
	for id := range o.Statements {
		if !seen[id] && !o.Voided(id) {
			return nil, nil, fmt.Errorf("the list of all lacks %s", id)
		}
	}
	return order, stored, nil
}

func walkQuery(ctx context.Context, w *world, p auth.Principal, q Query) ([]string, error) {
	ids := []string{}
	page, err := w.service.Query(ctx, p, q)
	for {
		if err != nil {
			return nil, fmt.Errorf("query %+v: %w", q, err)
		}
		for _, st := range page.Statements {
			ids = append(ids, st.ID)
		}
		if page.More == "" {
			return ids, nil
		}
		page, err = w.service.More(ctx, p, page.More)
	}
}

func TestHistoriesOnPebble(t *testing.T) {
	kinds := []struct {
		name   string
		count  int
		faults *pebble.Faults
		lag    time.Duration // what index entries and eventual reads together may be behind
	}{
		{"healthy", 1350, nil, 0},
		{"entries of indexes come late", 100, &pebble.Faults{IndexDelay: randomDelay(4 * time.Millisecond)}, 5 * time.Millisecond},
		{"eventual reads are stale", 100, &pebble.Faults{Stale: 3 * time.Millisecond}, 5 * time.Millisecond},
		{"calls fail, lose their reply, are cut short", 400, &pebble.Faults{OnCall: randomFaults(1)}, 0},
		{"all of that at once", 50, &pebble.Faults{OnCall: randomFaults(2), Stale: 3 * time.Millisecond, IndexDelay: randomDelay(4 * time.Millisecond)}, 10 * time.Millisecond},
	}
	done := 0
	for k, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			for first := 0; first < kind.count; first += historiesPerDB {
				w := newWorld(t, kind.faults)
				w.service.Horizon = OneProcess{Positions: w.clock, IndexLag: kind.lag}
				var stores []auth.Store
				for n := first; n < first+historiesPerDB; n++ {
					seed := uint64(k)*1_000_000 + uint64(n)
					p := principal(storeWith(fmt.Sprintf("store%d", n), 1+n%3))
					if err := newHistory(seed).run(t, w, p); err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
					stores = append(stores, p.Store)
					done++
				}
				quiet(kind.faults, func() { w.check(stores...) })
			}
		})
	}
	t.Logf("histories on Pebble: %d", done)
	if !t.Failed() && done < pebbleHistories {
		t.Errorf("%d histories are fewer than the floor of %d", done, pebbleHistories)
	}
}

// quiet runs f without faults of calls.
func quiet(f *pebble.Faults, run func()) {
	if f != nil {
		defer func(old func(pebble.Call) pebble.Fault) { f.OnCall = old }(f.OnCall)
		f.OnCall = nil
	}
	run()
}

func randomDelay(longest time.Duration) func() time.Duration {
	return func() time.Duration { return rand.N(longest) }
}

// randomFaults lets one call in twelve go wrong.
func randomFaults(seed uint64) func(pebble.Call) pebble.Fault {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 0xfa17))
	return func(c pebble.Call) pebble.Fault {
		mu.Lock()
		defer mu.Unlock()
		if random.IntN(12) > 0 || c.Op == pebble.OpGet || c.Op == pebble.OpScan {
			return pebble.Fault{}
		}
		writes := c.Op == pebble.OpApply || c.Op == pebble.OpGroup || c.Op == pebble.OpBatch
		switch n := random.IntN(5); {
		case c.Op == pebble.OpQuery:
			return pebble.Short(n % 3)
		case !writes:
			return pebble.Fault{}
		case n == 0:
			return pebble.ReplyLost()
		case n == 1 && c.Op == pebble.OpBatch:
			return pebble.Leftovers(random.IntN(c.Items + 1))
		case n == 2 && c.Op != pebble.OpBatch:
			return pebble.Failed(table.ErrConflict)
		default:
			return pebble.Failed(table.ErrThrottled)
		}
	}
}

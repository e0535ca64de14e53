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

// history makes statements and queries from few names, so that they meet.
type history struct {
	*rand.Rand
	ids     []string
	queries int
}

func newHistory(seed uint64) *history {
	h := &history{Rand: rand.New(rand.NewPCG(seed, 0x5eed)), queries: 12}
	for i := range 6 + h.IntN(14) {
		h.ids = append(h.ids, uuidOf(int(seed%1_000_000)*100+i))
	}
	return h
}

func pick[T any](h *history, from ...T) T { return from[h.IntN(len(from))] }

func (h *history) agent() map[string]any {
	n := h.IntN(5)
	if n == 4 {
		return map[string]any{"objectType": "Agent", "account": map[string]any{"homePage": "http://lms.example.org", "name": "ann"}}
	}
	return map[string]any{"objectType": "Agent", "mbox": fmt.Sprintf("mailto:agent%d@example.org", n)}
}

func (h *history) actor() map[string]any {
	if h.IntN(4) > 0 {
		return h.agent()
	}
	members := []any{}
	for range 1 + h.IntN(3) {
		members = append(members, h.agent())
	}
	group := map[string]any{"objectType": "Group", "member": members}
	if h.IntN(2) == 0 {
		group["mbox"] = h.agentMbox()
	}
	return group
}

func (h *history) agentMbox() string { return fmt.Sprintf("mailto:agent%d@example.org", h.IntN(4)) }

func (h *history) verb() string         { return fmt.Sprintf("http://example.org/verb%d", h.IntN(3)) }
func (h *history) activity() string     { return fmt.Sprintf("http://example.org/activity%d", h.IntN(4)) }
func (h *history) registration() string { return uuidOf(9_000_000 + h.IntN(2)) }

func (h *history) context() map[string]any {
	c := map[string]any{}
	if h.IntN(2) == 0 {
		c["registration"] = h.registration()
	}
	if h.IntN(3) == 0 {
		c["instructor"] = h.actor()
	}
	if h.IntN(4) == 0 {
		c["team"] = map[string]any{"objectType": "Group", "member": []any{h.agent()}}
	}
	if h.IntN(3) == 0 {
		c["contextActivities"] = map[string]any{pick(h, "parent", "grouping", "category", "other"): []any{map[string]any{"id": h.activity()}}}
	}
	if h.IntN(5) == 0 {
		c["contextAgents"] = []any{map[string]any{"objectType": "contextAgent", "agent": h.agent()}}
	}
	if h.IntN(5) == 0 {
		c["contextGroups"] = []any{map[string]any{"objectType": "contextGroup", "group": map[string]any{"objectType": "Group", "member": []any{h.agent(), h.agent()}}}}
	}
	if h.IntN(6) == 0 {
		c["statement"] = map[string]any{"objectType": "StatementRef", "id": pick(h, h.ids...)}
	}
	return c
}

func (h *history) event(sub bool) map[string]any {
	e := map[string]any{"actor": h.actor(), "verb": map[string]any{"id": h.verb()}, "context": h.context()}
	switch n := h.IntN(10); {
	case n < 4:
		e["object"] = map[string]any{"objectType": "Activity", "id": h.activity()}
	case n == 4:
		e["object"] = h.actor()
	case n == 5 && !sub:
		inner := h.event(true)
		inner["objectType"] = "SubStatement"
		e["object"] = inner
	case n < 9:
		e["object"] = map[string]any{"objectType": "StatementRef", "id": pick(h, append(h.ids, uuidOf(99_999_999))...)}
	default:
		e["object"] = map[string]any{"objectType": "StatementRef", "id": pick(h, h.ids...)}
		if !sub {
			e["verb"] = map[string]any{"id": "http://adlnet.gov/expapi/verbs/voided"}
		}
	}
	if object := e["object"].(map[string]any); object["objectType"] != "Activity" && len(e["context"].(map[string]any)) == 0 {
		delete(e, "context")
	}
	return e
}

func (h *history) query(stored map[string]time.Time) Query {
	q := Query{Limit: 1 + h.IntN(7), Ascending: h.IntN(2) == 0, RelatedAgents: h.IntN(2) == 0, RelatedActivities: h.IntN(2) == 0}
	if h.IntN(3) == 0 {
		a := h.agent()
		raw, _ := json.Marshal(a)
		q.Agent, _ = xapi.DecodeAgent(raw, xapi.V2)
	}
	if h.IntN(3) == 0 {
		q.Verb = pick(h, h.verb(), h.verb(), "http://adlnet.gov/expapi/verbs/voided")
	}
	if h.IntN(3) == 0 {
		q.Activity = h.activity()
	}
	if h.IntN(4) == 0 {
		q.Registration = h.registration()
	}
	if h.IntN(4) == 0 {
		q.Since = stored[pick(h, h.ids...)].Add(time.Duration(h.IntN(3)-1) * 500 * time.Microsecond)
	}
	if h.IntN(4) == 0 {
		q.Until = stored[pick(h, h.ids...)].Add(time.Duration(h.IntN(3)-1) * 500 * time.Microsecond)
	}
	return q
}

// sendAll sends the statements in random requests by three writers at once. A request that may be repeated is, as a
// client would.
func (h *history) sendAll(ctx context.Context, t testing.TB, s *Service, p auth.Principal, statements map[string]map[string]any) error {
	ids := append([]string{}, h.ids...)
	h.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	requests := make(chan []string, len(ids))
	for len(ids) > 0 {
		n := min(1+h.IntN(4), len(ids))
		requests <- ids[:n]
		ids = ids[n:]
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
	statements := map[string]map[string]any{}
	for _, id := range h.ids {
		statements[id] = h.event(false)
		statements[id]["id"] = id
	}
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
	o := oracle{statements, authority}
	order, stored, err := listAll(ctx, w, p, o)
	if err != nil {
		return err
	}
	for range h.queries {
		q := h.query(stored)
		got, err := walkQuery(ctx, w, p, q)
		if err != nil {
			return err
		}
		want := []string{}
		for i := range order {
			id := order[i]
			if q.Ascending {
				id = order[len(order)-1-i]
			}
			if within(stored[id], q) && o.lists(id, q) {
				want = append(want, id)
			}
		}
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
func listAll(ctx context.Context, w *world, p auth.Principal, o oracle) (order []string, stored map[string]time.Time, err error) {
	stored = map[string]time.Time{}
	for id := range o.statements {
		st, err := w.service.Statement(ctx, p, id, o.voided(id))
		if err != nil {
			return nil, nil, fmt.Errorf("statement %s (voided %t): %w", id, o.voided(id), err)
		}
		stored[id] = st.Stored
	}
	order, err = walkQuery(ctx, w, p, Query{Limit: 5})
	if err != nil {
		return nil, nil, err
	}
	seen := map[string]bool{}
	for i, id := range order {
		if seen[id] || o.voided(id) || o.statements[id] == nil {
			return nil, nil, fmt.Errorf("the list of all has %s, which is voided, unknown or there twice", id)
		}
		if i > 0 && stored[id].After(stored[order[i-1]]) {
			return nil, nil, fmt.Errorf("the list of all is not newest first at %s", id)
		}
		seen[id] = true
	}
	for id := range o.statements {
		if !seen[id] && !o.voided(id) {
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

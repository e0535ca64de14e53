package e2e

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/oracle"
)

const (
	historyWriters = 3
	historyQueries = 8
)

// RunHistories stores histories of package oracle over a road, each in a store of its own and by three writers at once, and
// requires that queries answer as the oracle does, once everything is announced as listed. Several histories run at once.
func RunHistories(t *testing.T, road Road, count int, seed uint64) {
	for n := range count {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			if err := playHistory(t.Context(), road, oracle.NewHistory(seed+uint64(n))); err != nil {
				t.Errorf("seed %d: %v", seed+uint64(n), err)
			}
		})
	}
	t.Logf("histories in %s: %d, of seed %d on", t.Name(), count, seed)
}

// played is a history that is stored.
type played struct {
	*client
	oracle.Oracle
	history *oracle.History
	order   []string             // of the listed statements, newest first
	stored  map[string]time.Time // of all
}

func playHistory(ctx context.Context, road Road, h *oracle.History) error {
	store, err := road.NewStore(ctx)
	if err != nil {
		return err
	}
	who, err := road.NewCredential(ctx, store, nil, false)
	if err != nil {
		return err
	}
	c := newClient(road.Endpoint(), historyWriters)
	defer c.close()
	c.who, c.tries = who, stormTries // that a busy machine refuses something for now is no answer to a query
	p := &played{client: c, history: h, Oracle: oracle.Oracle{Statements: h.Statements()}}
	for _, step := range []func(context.Context) error{p.send, p.waitForAll, p.readAll, p.listAll} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	for range historyQueries {
		if err := p.ask(ctx, h.Query(p.stored)); err != nil {
			return err
		}
	}
	return nil
}

// send deals the requests out to the writers.
func (p *played) send(ctx context.Context) error {
	requests := p.history.Requests()
	var mu sync.Mutex
	var failures error
	var writers sync.WaitGroup
	for range historyWriters {
		writers.Go(func() {
			for {
				mu.Lock()
				if len(requests) == 0 || failures != nil {
					mu.Unlock()
					return
				}
				ids := requests[0]
				requests = requests[1:]
				mu.Unlock()
				if err := p.sendOne(ctx, ids); err != nil {
					mu.Lock()
					failures = errors.Join(failures, err)
					mu.Unlock()
				}
			}
		})
	}
	writers.Wait()
	return failures
}

func (p *played) sendOne(ctx context.Context, ids []string) error {
	batch := make([]map[string]any, len(ids))
	for i, id := range ids {
		batch[i] = p.Statements[id]
	}
	body, err := json.Marshal(batch)
	if err != nil {
		return fmt.Errorf("write statements: %w", err)
	}
	a, err := p.do(ctx, http.MethodPost, p.endpoint+"/statements", bytes.NewReader(body), "X-Experience-API-Version", "2.0.0")
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("store %d statements: status %d: %.300s", len(ids), a.status, a.body)
	}
	return err
}

// waitForAll waits until everything that was stored so far must be listed.
func (p *played) waitForAll(ctx context.Context) error {
	now := time.Now()
	return eventually(ctx, maxWait, func(ctx context.Context) error {
		_, through, err := p.listThrough(ctx, url.Values{"limit": {"1"}, "since": {now.UTC().Format(time.RFC3339Nano)}})
		if err == nil && !through.After(now) {
			err = fmt.Errorf("consistent through %v, want later than %v", through, now)
		}
		return err
	})
}

// readAll reads every statement by its id, voided or not as the oracle says.
func (p *played) readAll(ctx context.Context) error {
	p.stored = make(map[string]time.Time)
	for id := range p.Statements {
		f, err := read(ctx, p.client, id)
		if err != nil {
			return err
		}
		if !f.there || f.voided != p.Voided(id) {
			return fmt.Errorf("statement %s: there %t, voided %t; want voided %t", id, f.there, f.voided, p.Voided(id))
		}
		var s struct {
			listed
			Authority map[string]any `json:"authority"`
		}
		if err := json.Unmarshal(f.body, &s); err != nil {
			return fmt.Errorf("read statement %s: %w", id, err)
		}
		p.stored[id], p.Authority = s.Stored, s.Authority
	}
	return nil
}

// listAll lists everything in small pages: what is not voided, newest first.
func (p *played) listAll(ctx context.Context) (err error) {
	if p.order, err = p.list(ctx, url.Values{"limit": {"5"}}); err != nil {
		return err
	}
	for i, id := range p.order {
		if p.Statements[id] == nil || p.Voided(id) {
			return fmt.Errorf("the list of all has %s, which is voided or unknown", id)
		}
		if i > 0 && p.stored[id].After(p.stored[p.order[i-1]]) {
			return fmt.Errorf("the list of all is not newest first at %s", id)
		}
	}
	for id := range p.Statements {
		if !p.Voided(id) && !slices.Contains(p.order, id) {
			return fmt.Errorf("the list of all lacks %s", id)
		}
	}
	return nil
}

// ask compares the answer to a query with the oracle's.
func (p *played) ask(ctx context.Context, q oracle.Query) error {
	values := url.Values{"limit": {strconv.Itoa(q.Limit)}}
	for name, value := range map[string]string{"verb": q.Verb, "activity": q.Activity, "registration": q.Registration} {
		if value != "" {
			values.Set(name, value)
		}
	}
	for name, on := range map[string]bool{"ascending": q.Ascending, "related_agents": q.RelatedAgents, "related_activities": q.RelatedActivities} {
		if on {
			values.Set(name, "true")
		}
	}
	for name, at := range map[string]time.Time{"since": q.Since, "until": q.Until} {
		if !at.IsZero() {
			values.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	if q.Agent != nil {
		agent, err := json.Marshal(q.Agent)
		if err != nil {
			return fmt.Errorf("write agent: %w", err)
		}
		values.Set("agent", string(agent))
	}
	got, err := p.list(ctx, values)
	if err != nil {
		return err
	}
	if want := p.Answer(q, p.order, p.stored); !slices.Equal(got, want) {
		return fmt.Errorf("query %s lists\n%q, the oracle\n%q", values.Encode(), got, want)
	}
	return nil
}

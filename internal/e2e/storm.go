package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// StormRoad is a road whose calls to its stores can be made to go wrong.
type StormRoad interface {
	Road
	// Storm lets a share of the calls go wrong, in ways that the seed decides; a share of 0 ends it.
	Storm(seed uint64, share float64) error
}

const (
	stormShare   = 0.08 // of the calls; a request makes some ten
	stormClients = 12
	stormBatch   = 10  // statements
	stormTries   = 200 // of a client that does not give up: a gale ends after so many calls, however often they are tried
)

// RunStorm lets twelve clients do operations on a road while its calls to its stores go wrong: singles and batches with
// ids of their own, references and voids, re-sends, contradictions, documents with preconditions, statements with attachments
// that come by uploads, reads. They hold every answer against what they know: what was acknowledged is there as it was sent,
// nothing is there twice, what is listed at or before the announced moment is whole, a refusal for now says when to come again,
// and nothing is refused for good because a store failed. When the storm is over everything is read back.
//
// Even clients come by the second endpoint, which may be the first.
func RunStorm(t *testing.T, road StormRoad, second string, operations int, seed uint64) {
	ctx := t.Context()
	t.Logf("seed %d", seed)
	_, who := FreshStore(t, road)
	s := newStorm(who, seed, road.Endpoint(), second)
	if err := road.Storm(seed, stormShare); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s.run(ctx, t, func() bool {
		done := s.done.Load()
		return done < int64(operations) || s.refusals.Load() == 0 && done < 10*int64(operations) // there may be no gale for long
	})
	took := time.Since(began)
	if err := road.Storm(seed, 0); err != nil {
		t.Fatal(err)
	}
	s.atEnd(ctx, t)
	t.Logf("operations in a storm: %d", s.done.Load())
	t.Logf("refusals for now in a storm: %d", s.refusals.Load())
	t.Logf("requests given up in a storm: %d", s.givenUp.Load())
	t.Logf("statements acknowledged in a storm: %d", s.acknowledged())
	t.Logf("statements with an upload acknowledged in a storm: %d, and refused: %d", s.filmed(acked), s.filmed(refused))
	t.Logf("operations took %v, reading back %v", took.Round(time.Second), (time.Since(began) - took).Round(time.Second))
	if s.refusals.Load() == 0 {
		t.Error("nothing was refused: there was no storm")
	}
	if s.filmed(acked) == 0 || s.filmed(refused) == 0 {
		t.Error("no statement with an upload was acknowledged, or none was refused")
	}
}

// storm is the clients with what they share.
type storm struct {
	clients        []*stormClient
	counters       []counter
	done           atomic.Int64 // operations
	refusals       atomic.Int64
	givenUp        atomic.Int64
	journalsLocked sync.Mutex // held to change or read the requests of any journal
}

// stormClient is one client with what it has done.
type stormClient struct {
	*client
	storm   *storm
	random  *rand.Rand
	journal *journal
	shelf   []*shelved
	films   []*film
}

// newStorm makes the clients, who come by the endpoints by turns.
func newStorm(who Credential, seed uint64, endpoints ...string) *storm {
	s := &storm{counters: make([]counter, stormCounters)}
	for i := range stormClients {
		s.clients = append(s.clients, s.newClient(i, endpoints[i%len(endpoints)], who, seed))
	}
	return s
}

func (s *storm) newClient(i int, endpoint string, who Credential, seed uint64) *stormClient {
	random := rand.New(rand.NewPCG(seed, uint64(i)))
	c := newClient(endpoint, 4)
	c.who, c.tries, c.refusals = who, stormTries, &s.refusals
	name := fmt.Sprintf("client%d", i)
	return &stormClient{client: c, storm: s, random: random, journal: newJournal(name, stormBatch, random), shelf: newShelf(name)}
}

// run lets every client work while there is more to do and nothing is wrong.
func (s *storm) run(ctx context.Context, t *testing.T, more func() bool) {
	var clients sync.WaitGroup
	for i, c := range s.clients {
		clients.Go(func() {
			for more() && !t.Failed() {
				if err := c.operate(ctx); err != nil {
					t.Errorf("client %d: %v", i, err)
				}
				s.done.Add(1)
			}
		})
	}
	clients.Wait()
}

// operate does one operation.
func (c *stormClient) operate(ctx context.Context) error {
	switch n := c.random.IntN(100); {
	case n < 45:
		return c.store(ctx)
	case n < 52:
		return c.sendAgain(ctx)
	case n < 57:
		return c.contradict(ctx)
	case n < 76:
		return c.useDocument(ctx)
	case n < 80:
		return c.useFilm(ctx)
	case n < 86:
		return c.count(ctx)
	case n < 95:
		return c.readOne(ctx)
	default:
		return c.look(ctx, c.storm.clients[c.random.IntN(len(c.storm.clients))])
	}
}

// store stores the journal's next request. One client in ten gives up when it is refused for now.
func (c *stormClient) store(ctx context.Context) error {
	s := c.journal.next()
	s.began = time.Now()
	c.storm.journalsLocked.Lock()
	c.journal.requests = append(c.journal.requests, s)
	c.storm.journalsLocked.Unlock()
	sender := *c.client
	if c.random.IntN(10) == 0 {
		sender.tries = 1
	}
	a, err := c.send(ctx, &sender, s)
	o := lost
	switch {
	case err != nil:
	case a.status == http.StatusOK || a.status == http.StatusNoContent:
		o = acked
	case a.status == http.StatusBadRequest && strings.Contains(s.body(), `"no IRI"`):
		o = refused
	case a.status == http.StatusServiceUnavailable:
		c.storm.givenUp.Add(1)
	default:
		err = fmt.Errorf("a request of %d statements is answered by %d: %.300s", len(s.ids), a.status, a.body)
	}
	c.storm.journalsLocked.Lock()
	defer c.storm.journalsLocked.Unlock()
	s.outcome = o
	return err
}

// send sends a request of the journal, a single one by POST or PUT.
func (c *stormClient) send(ctx context.Context, sender *client, s *sent) (answer, error) {
	if len(s.ids) == 1 && c.random.IntN(2) == 0 {
		return sender.do(ctx, http.MethodPut, c.endpoint+"/statements?statementId="+s.ids[0], strings.NewReader(s.body()))
	}
	return sender.post(ctx, s.body())
}

// done picks a request of one's own that was acknowledged; nil when there is none.
func (c *stormClient) acknowledged() *sent {
	for range 4 {
		if n := len(c.journal.requests); n > 0 {
			if s := c.journal.requests[c.random.IntN(n)]; s.outcome == acked {
				return s
			}
		}
	}
	return nil
}

// sendAgain repeats what was acknowledged, which is acknowledged again.
func (c *stormClient) sendAgain(ctx context.Context) error {
	s := c.acknowledged()
	if s == nil {
		return nil
	}
	a, err := c.send(ctx, c.client, s)
	if err != nil || a.status == http.StatusOK || a.status == http.StatusNoContent || a.status == http.StatusServiceUnavailable {
		return err
	}
	return fmt.Errorf("what was acknowledged is answered by %d when sent again: %.300s", a.status, a.body)
}

// contradict sends other content under an id that is taken.
func (c *stormClient) contradict(ctx context.Context) error {
	s := c.acknowledged()
	if s == nil {
		return nil
	}
	i := c.random.IntN(len(s.ids))
	other := strings.Replace(s.bodies[i], `"2026-01-01T00:00:00Z"`, `"2026-02-02T00:00:00Z"`, 1)
	a, err := c.do(ctx, http.MethodPut, c.endpoint+"/statements?statementId="+s.ids[i], strings.NewReader(other))
	if err != nil || a.status == http.StatusConflict || a.status == http.StatusServiceUnavailable {
		return err
	}
	return fmt.Errorf("a contradiction is answered by %d: %.300s", a.status, a.body)
}

// readOne reads a statement that was acknowledged.
func (c *stormClient) readOne(ctx context.Context) error {
	s := c.acknowledged()
	if s == nil {
		return nil
	}
	i := c.random.IntN(len(s.ids))
	f, err := read(ctx, c.client, s.ids[i])
	if err != nil {
		return err
	}
	if !f.there {
		return fmt.Errorf("statement %s was acknowledged and is not there", s.ids[i])
	}
	return asSent(f.body, s.bodies[i])
}

// atEnd reads everything back. What was given up is whole or not there; then it is sent until it is acknowledged, as the
// refusal asked for, since only that promises that references and voids have met.
func (s *storm) atEnd(ctx context.Context, t *testing.T) {
	var clients sync.WaitGroup
	for i, c := range s.clients {
		clients.Go(func() {
			if err := errors.Join(c.finish(ctx), c.verifyShelf(ctx), c.verifyFilms(ctx)); err != nil {
				t.Errorf("client %d, after the storm: %v", i, err)
			}
		})
	}
	clients.Wait()
	for i, c := range s.clients {
		clients.Go(func() {
			if err := c.journal.verify(ctx, c.client); err != nil {
				t.Errorf("client %d, after the storm: %v", i, err)
			}
		})
	}
	clients.Wait()
	for i := range s.counters {
		if err := s.clients[0].verifyCounter(ctx, i); err != nil {
			t.Error(err)
		}
	}
}

func (c *stormClient) finish(ctx context.Context) error {
	for _, s := range c.journal.requests {
		if s.outcome != lost {
			continue
		}
		there := 0
		for _, id := range s.ids {
			f, err := read(ctx, c.client, id)
			if err != nil {
				return err
			}
			if f.there {
				there++
			}
		}
		if there != 0 && there != len(s.ids) {
			return fmt.Errorf("%d statements of a batch of %d are there", there, len(s.ids))
		}
		a, err := c.post(ctx, s.body())
		switch {
		case err != nil:
			return err
		case a.status == http.StatusOK:
			s.outcome = acked
		case a.status == http.StatusBadRequest && strings.Contains(s.body(), `"no IRI"`):
			s.outcome = refused
		default:
			return fmt.Errorf("what was refused for now is answered by %d when sent again: %.300s", a.status, a.body)
		}
	}
	return nil
}

func (s *storm) acknowledged() int {
	n := 0
	for _, c := range s.clients {
		for _, r := range c.journal.requests {
			if r.outcome == acked {
				n += len(r.ids)
			}
		}
	}
	return n
}

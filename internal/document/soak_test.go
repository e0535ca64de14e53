package document

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/table/dynamo/dynamotest"
	"github.com/cairn-lrs/cairn/internal/table/pebble"
)

// The soak: clients do random operations with and without preconditions on few documents while writes fail, replies are
// lost and blobs cannot be put. Each document's history must be linearizable, which is more than that no update is lost
// and exactly one writer wins; and at its end no content may be lost or torn.
const (
	soakClients   = 16
	soakRequests  = 6 // of each client in a round
	soakDocuments = 2 // of a round, of one owner
)

// soak is one run of rounds over one world.
type soak struct {
	*world
	seed  uint64
	clock atomic.Int64

	operations, unknowns, refused int
}

func (s *soak) rounds(t *testing.T, n int) {
	t.Helper()
	began := time.Now()
	for round := range n {
		histories := s.round(uint64(round))
		for i, history := range histories {
			s.count(history)
			if linearizable(history) {
				continue
			}
			var b strings.Builder
			for _, o := range shortest(history) {
				fmt.Fprintln(&b, o)
			}
			t.Fatalf("seed %d, round %d, document %d is not linearizable:\n%s", s.seed, round, i, &b)
		}
	}
	s.blobs.fault = nil
	summary := s.check()
	t.Logf("operations: %d in %d rounds by %d clients, of which refused: %d, of unknown outcome: %d; at the end documents: %d, blobs: %d, garbage: %d; %v",
		s.operations, n, soakClients, s.refused, s.unknowns, summary.Documents, summary.Blobs, summary.Garbage, time.Since(began).Round(time.Second))
	if s.unknowns == 0 || s.refused == 0 {
		t.Error("no outcome was unknown, or none refused: the soak does not do what it is for")
	}
}

func (s *soak) count(history []operation) {
	s.operations += len(history)
	for _, o := range history {
		if o.unknown() {
			s.unknowns++
		} else if o.err != nil {
			s.refused++
		}
	}
}

// round lets the clients loose on fresh documents and returns the history of each.
func (s *soak) round(number uint64) [][]operation {
	var mu sync.Mutex
	histories := make([][]operation, soakDocuments)
	owner := stateKey("").Owner
	owner.Activity += fmt.Sprintf("/%d", number)
	var wait sync.WaitGroup
	for client := range soakClients {
		wait.Go(func() {
			c := &soakClient{soak: s, owner: owner, name: client, rand: rand.New(rand.NewPCG(s.seed+number, uint64(client))), tags: make([]string, soakDocuments)}
			for request := range soakRequests {
				document, o := c.request(request)
				mu.Lock()
				for i := range soakDocuments {
					if document == i || document == allDocuments {
						histories[i] = append(histories[i], o)
					}
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	return histories
}

// soakClient is one client in one round.
type soakClient struct {
	*soak
	owner Owner
	name  int
	rand  *rand.Rand
	tags  []string // the ETag last seen of each document
}

const allDocuments = -1

// request does one random operation on one document, or removes all.
func (c *soakClient) request(number int) (document int, o operation) {
	document = c.rand.IntN(soakDocuments)
	ctx := context.Background()
	o = operation{from: c.clock.Add(1), p: c.preconditions(document)}
	o.content = fmt.Sprintf(`{"c%d":%d}`, c.name, number)
	if c.rand.IntN(5) == 0 {
		o.content = fmt.Sprintf(`{"c%d":%d,"fill":"%s"}`, c.name, number, strings.Repeat("x", MaxInline))
	}
	key, up := Key{Owner: c.owner, ID: fmt.Sprint(document)}, jsonOf(o.content)
	var d Document
	switch n := c.rand.IntN(20); {
	case n < 5:
		o.method = "GET"
		d, o.err = c.Get(ctx, key)
		o.found = string(d.Content)
	case n < 10:
		o.method = "PUT"
		d, o.err = c.Put(ctx, key, up, o.p)
	case n < 17:
		o.method, o.p.Required = "POST", false
		d, o.err = c.Post(ctx, key, up, o.p)
	case n < 19:
		o.method, o.p.Required = "DELETE", false
		o.err = c.Delete(ctx, key, o.p)
	default:
		o.method, o.p = "DELETE", noneSet
		document, o.err = allDocuments, c.DeleteAll(ctx, c.owner, "")
	}
	if o.etag = d.ETag; o.etag != "" {
		c.tags[document] = o.etag
	}
	o.to = c.clock.Add(1)
	return document, o
}

func (c *soakClient) preconditions(document int) Preconditions {
	switch n := c.rand.IntN(10); {
	case n < 3 && c.tags[document] != "":
		return ifMatch(c.tags[document])
	case n == 3:
		return ifNone
	case n == 4:
		return ifSome
	case n == 5:
		return Preconditions{Required: true}
	}
	return noneSet
}

// dice are the faults of a soak: of writes, as often as DynamoDB and the net never fail, and of blobs.
type dice struct {
	mu   sync.Mutex
	rand *rand.Rand
}

func newDice(seed uint64) *dice { return &dice{rand: rand.New(rand.NewPCG(seed, 0))} }

func (d *dice) roll(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.IntN(n)
}

func (d *dice) ofTable(c pebble.Call) pebble.Fault {
	switch n := d.roll(100); {
	case c.Op == pebble.OpBatch && n < 10:
		return pebble.Leftovers(1)
	case c.Op == pebble.OpQuery && n < 20:
		return pebble.Short(n % 2)
	case c.Op != pebble.OpApply:
	case n < 3:
		return pebble.Failed(table.ErrThrottled)
	case n < 6:
		return pebble.Failed(table.ErrConflict)
	case n < 10:
		return pebble.Failed(table.ErrUnknown)
	case n < 16:
		return pebble.ReplyLost()
	}
	return pebble.Fault{}
}

func (d *dice) ofBlobs() (before, after error) {
	switch d.roll(50) {
	case 0:
		return blob.ErrUnavailable, nil
	case 1:
		return nil, blob.ErrUnavailable
	}
	return nil, nil
}

func TestSoak(t *testing.T) {
	t.Parallel() // like the others of this file, which mostly wait
	const seed = 20260
	faults := newDice(seed)
	w := newWorld(t, &pebble.Faults{OnCall: faults.ofTable, Seed: seed})
	w.blobs.fault = faults.ofBlobs
	(&soak{world: w, seed: seed}).rounds(t, 20)
}

// lossy is a database whose replies get lost, and some of whose requests.
type lossy struct {
	table.DB
	dice *dice
}

func (l lossy) Apply(ctx context.Context, w table.Write) (table.Item, table.Cost, error) {
	n := l.dice.roll(100)
	if n < 4 {
		return nil, table.Cost{}, table.ErrUnknown
	}
	item, cost, err := l.DB.Apply(ctx, w)
	if n < 10 {
		return nil, cost, table.ErrUnknown
	}
	return item, cost, err
}

func TestSoakOnDynamoDBLocal(t *testing.T) {
	t.Parallel()
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	const seed = 20261
	faults := newDice(seed)
	db := dynamotest.Open(t, servers, schema.Tables)
	w := worldOn(t, lossy{db, faults}, db)
	w.blobs.fault = faults.ofBlobs
	(&soak{world: w, seed: seed}).rounds(t, 5)
}

// TestOneWinsOnDynamoDBLocal and its twin on the embedded engine: writers race on one ETag.
func TestOneWinsOnDynamoDBLocal(t *testing.T) {
	t.Parallel()
	servers, ok := cloudtest.Start(t)
	if !ok {
		return
	}
	db := dynamotest.Open(t, servers, schema.Tables)
	race(t, worldOn(t, db, db), 3)
}

func TestOneWins(t *testing.T) {
	t.Parallel()
	race(t, newWorld(t, nil), 20)
}

// race lets the clients put on one ETag, and then post without one: exactly one wins the first, and no member of the
// second is lost.
func race(t *testing.T, w *world, rounds int) {
	wins, posts := 0, 0
	for round := range rounds {
		key := stateKey(fmt.Sprint("race", round))
		first := w.mustPut(key, jsonOf(fmt.Sprintf(`{"round":%d}`, round)))
		var won atomic.Int64
		together(t, func(client int) error {
			up := jsonOf(fmt.Sprintf(`{"winner":%d}`, client))
			if client%2 == 0 {
				up = large(string(rune('a' + client)))
			}
			_, err := w.Put(t.Context(), key, up, ifMatch(first.ETag))
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, ErrPrecondition) {
				return err
			}
			return nil
		})
		if won.Load() != 1 {
			t.Fatalf("%d writers won on one ETag", won.Load())
		}
		wins++
		together(t, func(client int) error {
			_, err := w.Post(t.Context(), key, jsonOf(fmt.Sprintf(`{"m%d":%d}`, client, round)), noneSet)
			return err
		})
		d, err := w.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		for client := range soakClients {
			if member := fmt.Sprintf(`"m%d":%d`, client, round); !strings.Contains(string(d.Content), member) {
				t.Fatalf("%s is lost", member)
			}
			posts++
		}
	}
	t.Logf("races on one ETag: %d, each won by one of %d; merges: %d, none lost", wins, soakClients, posts)
	if summary := w.check(); summary.Garbage != 0 {
		t.Errorf("losers left %d contents", summary.Garbage)
	}
}

func together(t *testing.T, f func(client int) error) {
	t.Helper()
	var wait sync.WaitGroup
	start := make(chan struct{})
	for client := range soakClients {
		wait.Go(func() {
			<-start
			if err := f(client); err != nil {
				t.Errorf("client %d: %v", client, err)
			}
		})
	}
	close(start)
	wait.Wait()
}

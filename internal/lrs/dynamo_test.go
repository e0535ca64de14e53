package lrs

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/cloudtest"
	"github.com/cairn-lrs/cairn/internal/position/positiontest"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table/dynamo/dynamotest"
)

const dynamoHistories = 100

// newDynamoWorld opens a Service on DynamoDB Local, with the settings of the cloud; ok is false where that cannot run and
// need not. The horizon is the one of many processes, less the allowances for what one server on this machine does not do.
func newDynamoWorld(t testing.TB) (w *world, ok bool) {
	servers, ok := cloudtest.Start(t)
	if !ok {
		return nil, false
	}
	db := dynamotest.Open(t, servers, schema.Tables)
	w = worldOn(t, db, db, positiontest.Unhurried(time.Now))
	w.service = New(Config{Tables: db, Blobs: w.blobs, Positions: w.clock, Authorities: noAuthorities{},
		Horizon: OneProcess{Positions: w.clock, IndexLag: 20 * time.Millisecond}})
	w.follower = &Follower{Service: w.service}
	return w, true
}

func TestHistoriesOnDynamoDBLocal(t *testing.T) {
	w, ok := newDynamoWorld(t)
	if !ok {
		return
	}
	began, done := time.Now(), 0
	var stores []auth.Store
	for first := 0; first < dynamoHistories; first += historiesAtOnce {
		histories := make([]*dynamoHistory, historiesAtOnce)
		for i := range histories {
			n := first + i
			histories[i] = &dynamoHistory{history: newHistory(uint64(7_000_000 + n)), p: principal(storeWith(fmt.Sprintf("store%d", n), 1+n%4))}
			histories[i].queries = 6 // each page is several requests to a slow server
			stores = append(stores, histories[i].p.Store)
		}
		inParallel(t, histories, func(h *dynamoHistory) (err error) {
			h.statements, err = h.send(t, w, h.p)
			return err
		})
		w.followToTheEnd()
		inParallel(t, histories, func(h *dynamoHistory) error { return h.compare(t.Context(), w, h.p, h.statements) })
		done += len(histories)
	}
	w.check(stores...)
	t.Logf("histories on DynamoDB Local: %d in %v", done, time.Since(began).Round(time.Second))
	if done < dynamoHistories {
		t.Errorf("%d histories are fewer than the floor of %d", done, dynamoHistories)
	}
}

// historiesAtOnce share the passes of the follower.
const historiesAtOnce = 10

type dynamoHistory struct {
	*history
	p          auth.Principal
	statements map[string]map[string]any
}

func inParallel(t testing.TB, histories []*dynamoHistory, do func(*dynamoHistory) error) {
	t.Helper()
	var group errgroup.Group
	for _, h := range histories {
		group.Go(func() error {
			if err := do(h); err != nil {
				return fmt.Errorf("%s: %w", h.p.Store.ID, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// The sizes of requests and pages that the emulated engine might take and DynamoDB does not.
func TestFullRequestOnDynamoDBLocal(t *testing.T) {
	w, ok := newDynamoWorld(t)
	if !ok {
		return
	}
	p := principal(storeWith("full", 4))
	request := []string{large(uuidOf(1))}
	for n := 2; n <= MaxBatch; n++ {
		request = append(request, referring(uuidOf(n), fmt.Sprintf("agent%d", n), "praised", uuidOf(1)))
	}
	w.mustStore(p, request...)
	w.mustStore(p, request...) // equal
	if err := w.store(p, referring(uuidOf(1), "ann", "praised", uuidOf(2)), request[1]); !errors.Is(err, ErrConflict) {
		t.Errorf("a different statement: %v", err)
	}
	w.followToTheEnd()
	if got := len(w.walk(p, Query{Activity: "http://example.org/thing", Limit: 30})); got != MaxBatch {
		t.Errorf("%d statements lead to the activity, want %d", got, MaxBatch)
	}
	w.check(p.Store)
}

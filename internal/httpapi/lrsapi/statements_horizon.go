package lrsapi

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// consistentThrough is the header X-Experience-API-Consistent-Through as net/http writes it.
const consistentThrough = "X-Experience-Api-Consistent-Through"

// recent is how old an announcement may be when it is made again.
const recent = time.Second

// horizon announces through when lists are complete. Source: xAPI 1.0.3 Communication 2.1.3.
//
// What was announced once stays true: nothing can be stored before it any more. So a write or a refusal repeats an
// announcement that is at most a second old; asking anew would make each write wait for those in flight. Lists ask anew,
// and ask before they read, since a statement stored between the reading and the asking would be promised and not shown.
type horizon struct {
	service StatementService
	now     func() time.Time

	mu      sync.Mutex
	through time.Time // the latest announced
	asked   time.Time // when it was asked for
}

// announce puts the header on every answer of the resource. A service that cannot tell announces nothing.
func (h *horizon) announce(ctx context.Context, header http.Header) {
	h.mu.Lock()
	through, age := h.through, h.now().Sub(h.asked)
	h.mu.Unlock()
	if !through.IsZero() && age >= 0 && age < recent {
		setThrough(header, through)
		return
	}
	// A failure is told by the request that needs the answer.
	_ = h.ask(ctx, header)
}

// ask puts the newest announcement on an answer that shows what is stored.
func (h *horizon) ask(ctx context.Context, header http.Header) error {
	asked := h.now()
	through, err := h.service.ConsistentThrough(ctx)
	if err != nil {
		return err
	}
	h.mu.Lock()
	if asked.After(h.asked) {
		h.through, h.asked = through, asked
	}
	h.mu.Unlock()
	setThrough(header, through)
	return nil
}

func setThrough(header http.Header, t time.Time) {
	header[consistentThrough] = []string{t.UTC().Format("2006-01-02T15:04:05.000Z")}
}

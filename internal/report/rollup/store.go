package rollup

import (
	"context"
	"fmt"
	"sync"
	"time"
	_ "time/tzdata" // Lambda's system has no time zones, and a laptop may have none

	"github.com/cairn-lrs/cairn/internal/auth"
)

// generation is one of a store, with what its contributions depend on.
type generation struct {
	space
	zone *time.Location
}

// generations lists those that changes are folded into: the one that reports read and the one that is being built.
func generations(store auth.Store) ([]generation, error) {
	zone, err := Zone(store.TimeZone)
	if err != nil {
		return nil, err
	}
	all := []generation{{space{store.ID, store.Generation}, zone}}
	if store.Building == 0 {
		return all, nil
	}
	if store.NextTimeZone != "" {
		if zone, err = Zone(store.NextTimeZone); err != nil {
			return nil, err
		}
	}
	return append(all, generation{space{store.ID, store.Building}, zone}), nil
}

// Zone finds a time zone by its IANA name; "" is UTC.
func Zone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("find the time zone %q: %w", name, err)
	}
	return zone, nil
}

// Stores remembers stores for auth.CacheLife. It is safe for concurrent use.
type Stores struct {
	Read func(ctx context.Context, id string) (auth.Store, error)
	Now  func() time.Time

	mu    sync.Mutex
	known map[string]knownStore
}

type knownStore struct {
	auth.Store
	read time.Time
}

// Store returns a store as it is, or was not longer than auth.CacheLife ago.
func (s *Stores) Store(ctx context.Context, id string) (auth.Store, error) {
	now := s.Now()
	s.mu.Lock()
	known, ok := s.known[id]
	s.mu.Unlock()
	if age := now.Sub(known.read); ok && age >= 0 && age < auth.CacheLife {
		return known.Store, nil
	}
	store, err := s.Read(ctx, id)
	if err != nil {
		return auth.Store{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]knownStore{}
	}
	s.known[id] = knownStore{store, now}
	return store, nil
}

// Forget lets the next call read again.
func (s *Stores) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.known)
}

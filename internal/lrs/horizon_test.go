package lrs

import (
	"errors"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/schema"
)

// A process whose clock is wrong stores nothing, since positions of the past would come after what was announced, and announces
// nothing. It leaves no entries behind, and goes on once its clock is right.
func TestWrongClock(t *testing.T) {
	w := newWorld(t, nil)
	p := principal(storeWith("acme", 1))
	wrong := errors.New("an hour apart")
	right := func() error { return wrong }
	w.service = w.newService(w.tables, ManyProcesses{Now: w.clock.Now, ClockRight: func() error { return right() }})
	w.service.ClockRight = func() error { return right() }

	for name, texts := range map[string][]string{
		"one":     {referring(uuidOf(1), "ann", "about", uuidOf(9))},
		"a group": {plain(uuidOf(2), "ann", "v", "a"), referring(uuidOf(3), "ann", "about", uuidOf(9))},
	} {
		if err := w.store(p, texts...); !errors.Is(err, ErrUnavailable) || !errors.Is(err, wrong) {
			t.Errorf("store %s: %v, want ErrUnavailable for the clock", name, err)
		}
	}
	if _, err := w.service.ConsistentThrough(t.Context()); !errors.Is(err, ErrUnavailable) || !errors.Is(err, wrong) {
		t.Errorf("horizon: %v, want ErrUnavailable for the clock", err)
	}
	for _, table := range []string{schema.Statements, schema.Terms} {
		if left := w.contents(table); len(left) > 0 {
			t.Errorf("%s has %v, want nothing", table, left)
		}
	}

	wrong = nil
	w.mustStore(p, plain(uuidOf(1), "ann", "v", "a"))
	before := w.clock.Now()
	if through, err := w.service.ConsistentThrough(t.Context()); err != nil || through.After(before.Add(-maxAge-commitLife+time.Second)) {
		t.Errorf("horizon %v at %v, %v", through, before, err)
	}
}

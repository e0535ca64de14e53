package rollup

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/auth"
)

// Time zones come with the binary: where a function runs there are none.
func TestZonesComeWithTheBinary(t *testing.T) {
	t.Setenv("ZONEINFO", t.TempDir())
	for _, name := range []string{"", "UTC", "Europe/Paris", "Asia/Kathmandu"} {
		if _, err := Zone(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := Zone("Atlantis"); err == nil {
		t.Error("found Atlantis")
	}
}

// A store is remembered for a minute, and changes are folded into every generation that there is.
func TestStoresAreRemembered(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	reads := 0
	var fail error
	s := &Stores{Now: func() time.Time { return now }, Read: func(context.Context, string) (auth.Store, error) {
		reads++
		return auth.Store{ID: "acme", Generation: 3, Building: 4, TimeZone: "UTC", NextTimeZone: "Asia/Tokyo"}, fail
	}}
	for i, step := range []struct {
		pass   time.Duration
		forget bool
		reads  int
	}{{0, false, 1}, {auth.CacheLife - 1, false, 1}, {1, false, 2}, {0, true, 3}, {-time.Hour, false, 4}} {
		now = now.Add(step.pass)
		if step.forget {
			s.Forget()
		}
		store, err := s.Store(t.Context(), "acme")
		if err != nil || reads != step.reads {
			t.Errorf("step %d: %d reads, want %d, error %v", i, reads, step.reads, err)
		}
		all, err := generations(store)
		if err != nil || len(all) != 2 || all[0].generation != 3 || all[1].generation != 4 || all[1].zone.String() != "Asia/Tokyo" {
			t.Errorf("generations %+v, error %v", all, err)
		}
	}
	fail = errors.New("no table")
	if _, err := s.Store(t.Context(), "other"); !errors.Is(err, fail) {
		t.Errorf("error %v", err)
	}
}

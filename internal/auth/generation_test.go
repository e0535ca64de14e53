package auth_test

import (
	"errors"
	"testing"

	"github.com/cairn-lrs/cairn/internal/auth"
)

// The steps to the next generation can be repeated, and cannot be done out of order.
func TestGenerations(t *testing.T) {
	d := newWorld(t, nil)
	ctx := t.Context()
	store, err := d.CreateStore(ctx, "Acme")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.SwitchGeneration(ctx, store.ID, 1); err == nil {
		t.Error("switched to a generation that nobody began")
	}
	for _, zone := range []string{"", "Local", "Nowhere/Else"} {
		if err := d.SetTimeZone(ctx, store.ID, zone); !errors.Is(err, auth.ErrRefused) {
			t.Errorf("zone %q: %v", zone, err)
		}
	}
	if err := d.SetTimeZone(ctx, "nobody", "UTC"); !errors.Is(err, auth.ErrNotFound) {
		t.Errorf("a store that is not there: %v", err)
	}
	if err := d.SetTimeZone(ctx, store.ID, "Europe/Paris"); err != nil {
		t.Fatal(err)
	}
	for generation := range 2 {
		for range 2 {
			s, err := d.BeginGeneration(ctx, store.ID)
			if err != nil || s.Generation != generation || s.Building != generation+1 {
				t.Fatalf("generation %d, building %d, error %v", s.Generation, s.Building, err)
			}
		}
		if err := d.SetTimeZone(ctx, store.ID, "UTC"); !errors.Is(err, auth.ErrRefused) {
			t.Errorf("while it is built: %v", err)
		}
		for range 2 {
			if err := d.SwitchGeneration(ctx, store.ID, generation+1); err != nil {
				t.Fatal(err)
			}
		}
		s, err := d.Store(ctx, store.ID)
		if err != nil || s.Generation != generation+1 || s.Building != 0 || s.TimeZone != "Europe/Paris" || s.NextTimeZone != "" {
			t.Errorf("%+v, error %v", s, err)
		}
	}
}

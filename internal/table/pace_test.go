package table

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// slow is a database whose every call takes a while.
type slow struct {
	DB
	takes time.Duration
}

func (s slow) Get(context.Context, Ref, Consistency) (Item, Cost, error) {
	time.Sleep(s.takes)
	return nil, Cost{}, nil
}

// Who keeps a pace rests so many times as long as it works, and not before every call.
func TestPace(t *testing.T) {
	for _, tt := range []struct {
		name    string
		perWork int
		idle    bool
		takes   time.Duration
		calls   int
		want    time.Duration // of them all
	}{
		{"rests before the next call", 4, false, 10 * time.Millisecond, 3, (10 + 40 + 10 + 40 + 10) * time.Millisecond},
		{"short calls share a rest", 4, false, time.Millisecond, 10, (5 + 20 + 5) * time.Millisecond},
		{"never", 0, false, 10 * time.Millisecond, 3, 30 * time.Millisecond},
		{"while there are requests", 4, true, 10 * time.Millisecond, 3, 30 * time.Millisecond},
		{"not for ever", 4, false, time.Hour, 2, 2*time.Hour + longestRest},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ctx := WithPace(t.Context(), NewPace(tt.perWork, func() bool { return !tt.idle }))
				for range tt.calls {
					if _, _, err := Metered(slow{takes: tt.takes}).Get(ctx, Ref{}, Strong); err != nil {
						t.Fatal(err)
					}
				}
				if took := time.Since(began); took != tt.want {
					t.Errorf("took %v, want %v", took, tt.want)
				}
			})
		})
	}
}

func TestRestEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(WithPace(t.Context(), NewPace(4, func() bool { return true })))
		time.Sleep(workAtOnce)
		cancel()
		if err := Rest(ctx); !errors.Is(err, ErrThrottled) || !errors.Is(err, context.Canceled) {
			t.Errorf("a rest whose context has ended: %v", err)
		}
	})
}

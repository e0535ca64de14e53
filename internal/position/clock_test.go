package position

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// wall is a clock that a test moves by hand.
type wall struct {
	mu sync.Mutex
	t  time.Time
}

func (w *wall) now() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.t }

func (w *wall) add(d time.Duration) { w.mu.Lock(); defer w.mu.Unlock(); w.t = w.t.Add(d) }

func TestPositionsRiseWhateverTheWallClockDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &wall{t: time.UnixMilli(1_800_000_000_000)}
		c := NewClock(w.now, nil)
		var last Position
		for range rapid.IntRange(1, 40).Draw(t, "leases") {
			w.add(time.Duration(rapid.Int64Range(-5000, 5000).Draw(t, "step")) * time.Millisecond)
			lease, err := c.Open(rapid.SampledFrom([]int{1, 2, 100, perMilli + 1}).Draw(t, "n"))
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range lease.Positions {
				if bytes.Compare(p[:], last[:]) <= 0 {
					t.Fatalf("position %x does not rise above %x", p, last)
				}
				last = p
			}
			lease.Close()
		}
	})
}

func TestPositionsAreUUIDv7OfTheirMillisecond(t *testing.T) {
	at := time.UnixMilli(1_800_000_000_123).UTC()
	lease, err := NewClock(func() time.Time { return at.Add(999 * time.Microsecond) }, nil).Open(3)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range lease.Positions {
		if p[6]>>4 != 7 || p[8]>>6 != 2 {
			t.Errorf("position %d: %x is not laid out as UUID version 7", i, p)
		}
		if !p.Time().Equal(at) {
			t.Errorf("position %d: time %v, want %v", i, p.Time(), at)
		}
		first, last := First(at), Last(at)
		if bytes.Compare(first[:], p[:]) > 0 || bytes.Compare(p[:], last[:]) > 0 {
			t.Errorf("position %x outside of its millisecond's bounds", p)
		}
	}
}

func TestClosedWaitsForWritesInFlight(t *testing.T) {
	w := &wall{t: time.UnixMilli(1000)}
	c := NewClock(w.now, nil)
	lease, err := c.Open(1)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Closed(t.Context()); err != nil || got.UnixMilli() != 999 {
		t.Fatalf("with a write in the current millisecond: %v, %v; want 999 at once", got.UnixMilli(), err)
	}
	w.add(5 * time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Closed(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("with an older write open: error %v, want to have waited until the context ended", err)
	}
	answer := make(chan time.Time)
	go func() {
		through, _ := c.Closed(context.Background())
		answer <- through
	}()
	lease.Close()
	if got := <-answer; got.UnixMilli() != 1004 {
		t.Fatalf("after the write ended: %d, want 1004", got.UnixMilli())
	}
}

// Drain waits for the writes in flight, also those of the current millisecond.
func TestDrain(t *testing.T) {
	c := NewClock((&wall{t: time.UnixMilli(1000)}).now, nil)
	if err := c.Drain(t.Context()); err != nil {
		t.Fatalf("with nothing in flight: %v", err)
	}
	first, err := c.Open(1)
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Drain(ended); !errors.Is(err, context.Canceled) {
		t.Fatalf("with a write in flight: error %v, want to have waited until the context ended", err)
	}
	first.Close()
	if err := c.Drain(t.Context()); err != nil {
		t.Fatalf("after it has ended: %v", err)
	}
}

func TestNoPositionInAMillisecondThatWasAnnounced(t *testing.T) {
	w := &wall{t: time.UnixMilli(1000)}
	c := NewClock(w.now, nil)
	through, err := c.Closed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.add(-time.Second)
	lease, err := c.Open(1)
	if err != nil {
		t.Fatal(err)
	}
	if got := lease.Positions[0].Time(); !got.After(through) {
		t.Fatalf("position at %v after %v had been announced", got, through)
	}
}

func TestNeighbours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Position(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 0x7f, 0xfe, 0xff}), 16, 16).Draw(t, "p"))
		if next := p.Next(); next != p && (next.Compare(p) <= 0 || next.Previous() != p) {
			t.Fatalf("next of %x is %x", p, next)
		}
		if previous := p.Previous(); previous != p && (previous.Compare(p) >= 0 || previous.Next() != p) {
			t.Fatalf("previous of %x is %x", p, previous)
		}
	})
}

func TestBoundsOfOutlandishTimes(t *testing.T) {
	old, far := time.Date(-500, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC)
	if got := First(old); got != (Position{}) {
		t.Errorf("before 1970: %x, want the lowest", got)
	}
	if First(far).Compare(Last(time.Now())) <= 0 {
		t.Error("a far future lies before now")
	}
}

func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	c := NewClock(nil, nil)
	for b.Loop() {
		lease, err := c.Open(1)
		if err != nil {
			b.Fatal(err)
		}
		lease.Close()
	}
}

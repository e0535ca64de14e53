package lrsapi

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// tellsTime announces through when lists are complete, and nothing else.
type tellsTime struct {
	StatementService
	through time.Time
	err     error
	asked   int
}

func (s *tellsTime) ConsistentThrough(context.Context) (time.Time, error) {
	s.asked++
	return s.through, s.err
}

func TestHorizonRepeatsWhatIsRecent(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	service := &tellsTime{through: now.Add(-time.Millisecond)}
	h := &horizon{service: service, now: func() time.Time { return now }}
	header := func(put func(context.Context, http.Header)) string {
		got := http.Header{}
		put(context.Background(), got)
		return got.Get("X-Experience-API-Consistent-Through")
	}
	ask := func(ctx context.Context, header http.Header) {
		if err := h.ask(ctx, header); err != nil {
			t.Error(err)
		}
	}

	var got []string
	got = append(got, header(h.announce)) // nothing is known yet: asks
	service.through, now = now, now.Add(999*time.Millisecond)
	got = append(got, header(h.announce)) // repeats
	got = append(got, header(ask))        // a list asks anew
	service.through, now = now, now.Add(time.Second)
	got = append(got, header(h.announce)) // too old: asks
	service.through, now = now.Add(-time.Hour), now.Add(-time.Millisecond)
	got = append(got, header(h.announce)) // by a clock that stepped back nobody knows how old it is: asks
	want := []string{"2026-11-21T11:59:59.999Z", "2026-11-21T11:59:59.999Z", "2026-11-21T12:00:00.000Z", "2026-11-21T12:00:00.999Z", "2026-11-21T11:00:01.999Z"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("announced:\n%s", diff)
	}
	if service.asked != 4 {
		t.Errorf("asked %d times, want 4", service.asked)
	}
}

func TestHorizonThatCannotTellAnnouncesNothing(t *testing.T) {
	service := &tellsTime{err: errors.New("clock is off")}
	h := &horizon{service: service, now: time.Now}
	header := http.Header{}
	h.announce(context.Background(), header)
	if err := h.ask(context.Background(), header); !errors.Is(err, service.err) {
		t.Errorf("a list is answered all the same: %v", err)
	}
	if len(header) != 0 {
		t.Errorf("announced %v", header)
	}
}

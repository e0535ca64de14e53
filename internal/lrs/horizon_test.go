package lrs

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cairn-lrs/cairn/internal/position"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
)

// A process whose clock is wrong stores nothing, since positions of the past would be behind what was announced, and announces
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

// What many processes may still store is bounded by the age of a position (1 s) and the life of a commit (2 s); indexes may lag
// and clocks differ beside.
func TestHorizonOfManyProcesses(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 123_456_789, time.FixedZone("", 3600))
	for _, test := range []struct {
		lag, skew time.Duration
		want      string
	}{
		{DefaultIndexLag, DefaultClockSkew, "2026-11-26T10:59:55.123Z"},
		{10 * time.Second, 0, "2026-11-26T10:59:47.123Z"},
		{0, 20 * time.Second, "2026-11-26T10:59:37.123Z"},
	} {
		h := ManyProcesses{Now: func() time.Time { return now }, IndexLag: test.lag, ClockSkew: test.skew}
		through, err := h.Through(t.Context())
		if got := through.Format(time.RFC3339Nano); err != nil || got != test.want {
			t.Errorf("lag %v, skew %v: %s, %v; want %s", test.lag, test.skew, got, err, test.want)
		}
	}
}

// aging is tables over which entries take long at first, and which notes the commits that it is sent.
type aging struct {
	table.DB
	entries func()
	commits []time.Duration // that each has to live
}

func (a *aging) Batch(ctx context.Context, writes []table.Write) (table.Cost, error) {
	a.entries()
	return a.DB.Batch(ctx, writes)
}

func (a *aging) Apply(ctx context.Context, w table.Write) (table.Item, table.Cost, error) {
	a.note(ctx)
	return a.DB.Apply(ctx, w)
}

func (a *aging) Group(ctx context.Context, token string, writes []table.Write) (table.Cost, error) {
	a.note(ctx)
	return a.DB.Group(ctx, token, writes)
}

func (a *aging) note(ctx context.Context) {
	life := time.Duration(0)
	if deadline, ok := ctx.Deadline(); ok {
		life = time.Until(deadline)
	}
	a.commits = append(a.commits, life)
}

// A commit is sent while its positions are young, and has not long to live: the horizon of many processes relies on both.
func TestCommitsAreYoungAndShort(t *testing.T) {
	for name, texts := range map[string][]string{
		"one":     {referring(uuidOf(1), "ann", "about", uuidOf(9))},
		"a group": {plain(uuidOf(1), "ann", "v", "a"), referring(uuidOf(2), "ann", "about", uuidOf(9))},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			p := principal(storeWith("acme", 1))
			began := time.UnixMilli(1_800_000_000_000)
			clock := &virtualClock{t: began}
			w.clock = position.NewClock(clock.now, nil)
			slowly := &aging{DB: w.tables, entries: func() {
				if clock.now().Equal(began) {
					clock.add(time.Second + time.Millisecond)
				}
			}}
			w.service = w.newService(slowly, OneProcess{Positions: w.clock})
			w.mustStore(p, texts...)
			if len(slowly.commits) != 1 || slowly.commits[0] <= 0 || slowly.commits[0] > 2*time.Second {
				t.Errorf("commits of %v, want one of 2 s at most", slowly.commits)
			}
			st, err := w.service.Statement(t.Context(), p, uuidOf(1), false)
			if err != nil || st.Stored.Before(began.Add(time.Second)) {
				t.Errorf("stored at %v, %v, want the second try's position", st.Stored, err)
			}
		})
	}
}

package tabletest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/table"
)

func (s *suite) testRace(t *testing.T) {
	t.Run("exactly one wins", s.raceOneWins)
	t.Run("no addition is lost", s.raceAdd)
	t.Run("groups that overlap", s.raceGroups)
}

// racers is how many writers meet.
const racers = 8

// together calls f for each racer at the same time.
func together(f func(racer int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// raceOneWins lets all racers make the same item, half of them by groups; conflicts are tried again.
func (s *suite) raceOneWins(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	for round := range 10 {
		sort := fmt.Sprint(round)
		var wins [racers]bool
		together(func(racer int) {
			put := table.Put(records, recordItem(pk, sort, table.Item{"n": table.N(int64(racer))}), table.Absent("pk"))
			err := error(table.ErrConflict)
			for errors.Is(err, table.ErrConflict) || errors.Is(err, table.ErrThrottled) {
				if racer%2 == 0 {
					_, _, err = s.db.Apply(ctx, put)
				} else {
					_, err = s.db.Group(ctx, "", []table.Write{put})
				}
			}
			if err != nil && !errors.Is(err, table.ErrCondition) {
				t.Errorf("racer %d: %v", racer, err)
			}
			wins[racer] = err == nil
		})
		winner := -1
		for racer, won := range wins {
			if won && winner >= 0 {
				t.Fatalf("round %d: %d and %d both won", round, winner, racer)
			}
			if won {
				winner = racer
			}
		}
		s.want(t, ctx, record(pk, sort), recordItem(pk, sort, table.Item{"n": table.N(int64(winner))}))
	}
}

// raceAdd lets all racers add to one number and one set.
func (s *suite) raceAdd(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	const rounds = 10
	together(func(racer int) {
		for round := range rounds {
			actions := []table.Action{table.Add("n", table.N(1)), table.Add("t", table.SetOf(fmt.Appendf(nil, "%d/%d", racer, round)))}
			err := error(table.ErrConflict)
			for errors.Is(err, table.ErrConflict) || errors.Is(err, table.ErrThrottled) {
				_, _, err = s.db.Apply(ctx, table.Update(record(pk, "a"), actions))
			}
			if err != nil {
				t.Errorf("racer %d: %v", racer, err)
			}
		}
	})
	var members [][]byte
	for racer := range racers {
		for round := range rounds {
			members = append(members, fmt.Appendf(nil, "%d/%d", racer, round))
		}
	}
	s.want(t, ctx, record(pk, "a"), recordItem(pk, "a", table.Item{"n": table.N(racers * rounds), "t": table.SetOf(members...)}))
}

// raceGroups lets every racer write its name on the same items, each in another order. All items must bear one name.
func (s *suite) raceGroups(t *testing.T) {
	ctx, pk := within(t), s.partition(t)
	const n = 10
	for round := range 5 {
		together(func(racer int) {
			name := table.N(int64(racers*round + racer))
			ws := make([]table.Write, n)
			for i := range ws {
				sort := fmt.Sprint((i + racer) % n)
				ws[i] = table.Put(records, recordItem(pk, sort, table.Item{"by": name}))
			}
			if racer%2 == 1 {
				slices.Reverse(ws)
			}
			err := error(table.ErrConflict)
			for errors.Is(err, table.ErrConflict) || errors.Is(err, table.ErrThrottled) {
				_, err = s.db.Group(ctx, "", ws)
			}
			if err != nil {
				t.Errorf("racer %d: %v", racer, err)
			}
		})
		items := s.all(t, ctx, table.Query{Table: records, Partition: pk, Consistency: table.Strong})
		if len(items) != n {
			t.Fatalf("%d items, want %d", len(items), n)
		}
		for _, item := range items {
			if diff := cmp.Diff(items[0]["by"], item["by"]); diff != "" {
				t.Fatalf("round %d: a group was torn (-one item +another):\n%s", round, diff)
			}
		}
	}
}

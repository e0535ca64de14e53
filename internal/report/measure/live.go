package measure

import (
	"cmp"
	"slices"
)

const (
	liveNow    = 5 * 60 * second // M74
	liveRecent = 1000            // M76: statements
)

// Live sums what was stored last (M74 to M76).
type Live struct {
	Now int64 // milliseconds of Unix time

	Learners  int64     // M74: with a statement stored in the last 5 minutes
	PerMinute [60]int64 // M75: statements stored in the last 60 minutes, the oldest minute first

	recent []delay
}

type delay struct {
	stored, delay int64
	id            uint64
}

// Add counts the facts of one learner; attributed is false for those of a Group or of nobody. Older facts than the last hour's may be left
// out, unless fewer than 1,000 statements came since.
func (l *Live) Add(facts Facts, attributed bool) {
	here := false
	for _, f := range facts {
		age := l.Now - f.Stored
		if age < 0 {
			continue
		}
		here = here || age < liveNow
		if minutes := age / (60 * second); minutes < 60 {
			l.PerMinute[59-minutes]++
		}
		l.recent = append(l.recent, delay{f.Stored, f.Stored - f.T, f.ID})
	}
	if len(l.recent) > 4*liveRecent {
		l.trim()
	}
	l.Learners += one(here && attributed)
}

// trim keeps the statements that M76 needs.
func (l *Live) trim() {
	slices.SortFunc(l.recent, func(a, b delay) int { return cmp.Or(cmp.Compare(b.stored, a.stored), cmp.Compare(a.id, b.id)) })
	l.recent = l.recent[:min(len(l.recent), liveRecent)]
}

// Delay is M76 = median(stored − timestamp) of the last 1,000 statements, milliseconds; NaN without any.
func (l *Live) Delay() float64 {
	l.trim()
	delays := make([]int64, len(l.recent))
	for i, d := range l.recent {
		delays[i] = d.delay
	}
	return Quantile(sorted(delays), 0.5)
}

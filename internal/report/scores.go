package report

import (
	"fmt"
	"slices"

	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

// scores is the histogram of M26: a bin for scores below 0, then ten of 10 points, the last one closed.
func scores(a *asking) (*result.Table, error) {
	var bins [11]int64
	var behind [11]int
	var all int64
	learners := 0
	err := a.ledgers(func(l *learner) error {
		if l.Unattributed {
			return nil
		}
		var own [11]int64
		n := int64(0)
		for content, attempts := range attemptsOf(l.facts) {
			if a.q.Filter.Content != "" && content != a.sieve.scope {
				continue // the scores of a content are its own
			}
			for _, s := range measure.Scored(begunIn(attempts, a.moments()), measure.First) {
				own[measure.ScoreBin(s.Score)]++
				n++
			}
		}
		for i := range own {
			bins[i] += own[i]
			behind[i] += some(own[i])
		}
		all += n
		learners += some(n)
		return nil
	})
	if err != nil {
		return nil, err
	}
	t := &result.Table{Columns: a.report.Columns}
	for i := range bins {
		name := "below 0"
		if i > 0 {
			name = fmt.Sprintf("%02d to %d", (i-1)*10, i*10)
		}
		t.Rows = append(t.Rows, result.Row{result.Named(name), result.Counted(bins[i], behind[i])})
	}
	t.Total = result.Row{result.Named("all"), result.Counted(all, learners)}
	return t, nil
}

// begunIn are the attempts that began in a period.
func begunIn(attempts []measure.Attempt, p measure.Period) []measure.Attempt {
	return slices.DeleteFunc(slices.Clone(attempts), func(a measure.Attempt) bool { return !p.Holds(a.Begin()) })
}

package report

import (
	"time"

	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

// lengths are the bins of sessions by their length.
var lengths = []struct {
	below time.Duration
	name  string
}{
	{time.Minute, "below 1 min"}, {5 * time.Minute, "1 to 5 min"}, {15 * time.Minute, "05 to 15 min"}, {30 * time.Minute, "15 to 30 min"},
	{time.Hour, "30 to 60 min"}, {1 << 62, "60 min and more"},
}

// sessions is M10: a row for each bin of lengths, of the sessions that began in the period.
func sessions(a *asking) (*result.Table, error) {
	counts, who, events := make([]int64, len(lengths)), make([]int, len(lengths)), make([]int64, len(lengths))
	var all, allEvents int64
	everybody := 0
	err := a.ledgers(func(l *learner) error {
		if l.Unattributed {
			return nil
		}
		own := make([]int64, len(lengths))
		for _, s := range measure.Sessions(l.facts) {
			if !a.moments().Holds(s.Start) {
				continue
			}
			i := 0
			for time.Duration(s.End-s.Start)*time.Millisecond >= lengths[i].below {
				i++
			}
			own[i]++
			events[i] += int64(s.Events)
		}
		whole := int64(0)
		for i, n := range own {
			counts[i] += n
			who[i] += some(n)
			whole += n
		}
		all += whole
		everybody += some(whole)
		return nil
	})
	if err != nil {
		return nil, err
	}
	t := &result.Table{Columns: a.report.Columns}
	for i, l := range lengths {
		allEvents += events[i]
		t.Rows = append(t.Rows, result.Row{result.Named(l.name), result.Counted(counts[i], who[i]), result.Counted(int64(who[i]), who[i]), result.Counted(events[i], who[i])})
	}
	t.Total = result.Row{result.Named("all"), result.Counted(all, everybody), result.Counted(int64(everybody), everybody), result.Counted(allEvents, everybody)}
	return t, nil
}

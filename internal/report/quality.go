package report

import (
	"strconv"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

// qualityFlags are the flags of facts, in words.
var qualityFlags = []struct {
	flag      fact.Flags
	id, about string
}{
	{fact.ClockSkew, "clock-skew", "The timestamp is more than 10 minutes after the statement was stored; stored counts instead."},
	{fact.LongAgo, "long-ago", "The timestamp is before the year 2000."},
	{fact.Inconsistent, "inconsistent-result", "Verb and result contradict each other; the statement counts as no completion, pass or fail."},
	{fact.ScoreDerived, "score-derived", "The score has no scaled value; it was derived from raw and max."},
	{fact.DurationLong, "duration-in-months", "A duration in years or months was taken as 365.25 and 30.4375 days."},
	{fact.DurationCut, "duration-cut", "A duration is longer than a year."},
	{fact.GroupingsCut, "groupings-cut", "There are more groupings than are kept."},
	{fact.TextCut, "text-cut", "A response, platform or language was shortened."},
	{fact.SegmentsCut, "segments-cut", "There are more played segments than are kept."},
	{fact.NumberLeftOut, "number-left-out", "A score, progress or place in a video is no number, or out of its range."},
}

// quality is a row for each thing that is wrong or odd in statements of the period.
func quality(a *asking) (*result.Table, error) {
	statements, who := make([]int64, len(qualityFlags)+1), make([]int, len(qualityFlags)+1)
	nobody := len(qualityFlags)
	var all int64
	everybody := 0
	err := a.ledgers(func(l *learner) error {
		own := make([]int64, len(statements))
		in := a.inPeriod(l.facts)
		for _, f := range in {
			for i, q := range qualityFlags {
				own[i] += int64(bit(f.Flags&q.flag != 0))
			}
		}
		all += int64(len(in))
		if l.Unattributed {
			own[nobody] = int64(len(in))
		} else {
			everybody += bit(len(in) > 0)
		}
		for i, n := range own {
			statements[i] += n
			if !l.Unattributed {
				who[i] += some(n)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t := &result.Table{Columns: a.report.Columns}
	add := func(id, about string, i int) {
		t.Rows = append(t.Rows, result.Row{result.Named(id), result.Named(about), statementsOf(statements[i], who[i]),
			result.Counted(int64(who[i]), who[i]), rate(statements[i], all, everybody, who[i], everybody-who[i])})
	}
	for i, q := range qualityFlags {
		add(q.id, q.about, i)
	}
	add("unattributed", "The actor is a Group: the statement counts, but for no learner.", nobody)
	return t, a.noteNotCounted()
}

// mostNotCounted bounds the rows that are read to tell how many statements are in no report.
const mostNotCounted = 1000

// noteNotCounted tells of the statements that could not be counted, whenever they are of: no figure knows of them.
func (a *asking) noteNotCounted() error {
	n, more, err := a.Rows.NotCounted(a.ctx, a.store, mostNotCounted, &a.reads)
	if err != nil || n == 0 {
		return err
	}
	many := strconv.Itoa(n)
	if more {
		many = "more than " + many
	}
	a.notes = append(a.notes, "Not counted, and in no report: "+many+" of the store's statements. The operator's command `cairn dead-letters` says which, and why.")
	return nil
}

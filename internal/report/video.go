package report

import (
	"fmt"

	"github.com/cairn-lrs/cairn/internal/report/fact"
	"github.com/cairn-lrs/cairn/internal/report/measure"
	"github.com/cairn-lrs/cairn/internal/report/result"
)

// viewed is what all learners played of one video in the period.
type viewed struct {
	length   measure.Length
	viewings []measure.Viewing // one for each learner
}

// viewings reads the videos of the scope.
func (a *asking) viewings() (map[fact.Hash]*viewed, error) {
	if err := a.readContents(); err != nil {
		return nil, err
	}
	videos, lengths := map[fact.Hash]*viewed{}, map[fact.Hash]measure.Length{}
	err := a.ledgers(func(l *learner) error {
		if l.Unattributed {
			return nil
		}
		for content, length := range measure.Lengths(l.facts, a.moments()) {
			lengths[content] = lengths[content].Later(length)
		}
		for _, v := range measure.ViewingsIn(l.facts, a.moments()) {
			of := videos[v.Content]
			if of == nil {
				of = &viewed{}
				videos[v.Content] = of
			}
			of.viewings = append(of.viewings, v)
		}
		return nil
	})
	for content, of := range videos {
		of.length = lengths[content]
	}
	return videos, err
}

// watches are the viewings of a video, clipped to its length.
func (v *viewed) watches() []measure.Watch {
	all := make([]measure.Watch, len(v.viewings))
	for i := range v.viewings {
		all[i] = v.viewings[i].Watch(v.length)
	}
	return all
}

// videos is a row for each video of the scope.
func videos(a *asking) (*result.Table, error) {
	of, err := a.viewings()
	if err != nil {
		return nil, err
	}
	if len(of) == 0 {
		a.notes = append(a.notes, "Not tracked: no statement is of the Video Profile.")
	}
	t := &result.Table{Columns: a.report.Columns}
	for h, v := range of {
		t.Rows = append(t.Rows, append(a.contentCells(h)[:2:2], videoCells(v)...))
	}
	sortByLabel(t)
	return t, nil
}

var videoColumns = []result.Column{
	contentColumns[0], contentColumns[1],
	{ID: "length", Title: "Length", Measure: "M43", Kind: result.Amount, Unit: result.Seconds},
	{ID: "viewers", Title: "Viewers", Measure: "M02", Kind: result.Count},
	{ID: "watchTime", Title: "Watch time", Measure: "M41", Kind: result.Amount, Unit: result.Seconds},
	{ID: "uniqueSeconds", Title: "Unique seconds", Measure: "M42", Kind: result.Amount, Unit: result.Seconds},
	{ID: "rewatchRatio", Title: "Rewatch ratio", Measure: "M44", Kind: result.Amount},
	{ID: "coverage", Title: "Median coverage", Measure: "M43", Kind: result.Amount, Unit: result.Share},
	{ID: "reported", Title: "Completed, reported", Measure: "M45", Kind: result.Rate, Unit: result.Share},
	{ID: "measured", Title: "Completed, measured", Measure: "M45", Kind: result.Rate, Unit: result.Share},
	{ID: "inFull", Title: "Watched in full", Measure: "M46", Kind: result.Rate, Unit: result.Share},
	{ID: "estimated", Title: "Estimated viewers", Measure: "M49", Kind: result.Count},
}

// videoCells sums the watches of one video. Without a length there is no coverage: no statement carries one.
func videoCells(v *viewed) []result.Cell {
	sum := measure.Audience{}
	for _, w := range v.watches() {
		sum.Add(&w)
	}
	n := int(sum.Learners)
	share := func(k int64) result.Cell { return rate(k, sum.Learners, n, int(k), n-int(k)) }
	none := result.Absent(result.Untracked)
	length, covered, measured, full := none, none, none, none
	if v.length.Milliseconds > 0 {
		length = result.Measured(seconds(v.length.Milliseconds), 0, result.NotPersonal)
		covered, measured, full = median(sum.Coverages, 1_000_000, n), share(sum.Measured), share(sum.InFull)
	}
	return []result.Cell{
		length, result.Counted(sum.Learners, n), total(sum.WatchTime, sum.Learners, n), total(sum.Unique, sum.Learners, n),
		figure(sum.Rewatch(), sum.Learners, n), covered, share(sum.Reported), measured, full, result.Counted(sum.Estimated, int(sum.Estimated)),
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// oneVideo finds the video that the question names.
func (a *asking) oneVideo() (*viewed, error) {
	if a.q.Filter.Content == "" {
		return nil, invalid("content", "name one video: content is the id of its activity")
	}
	of, err := a.viewings()
	if err != nil {
		return nil, err
	}
	v := of[a.sieve.scope]
	if v == nil {
		return &viewed{}, nil
	}
	return v, nil
}

// maxBins bounds the bins of a heat map.
const maxBins = 10_000

// heatmap is M47, M48 and M50: a row for each bin of a video.
func heatmap(a *asking) (*result.Table, error) {
	v, err := a.oneVideo()
	if err != nil {
		return nil, err
	}
	t := &result.Table{Columns: a.report.Columns, Splits: []result.Split{{Whole: "passes", Parts: []string{"viewers", "repeats"}}}}
	if v.length.Milliseconds == 0 {
		a.notes = append(a.notes, "Not tracked: no statement says how long the video is. Its player would have to send the extension length of the Video Profile.")
		return t, nil
	}
	if bins := v.length.Milliseconds / 1000 / max(1, int64(a.q.Width)); bins > maxBins && a.q.Width > 0 {
		return nil, invalid("width", "a heat map has at most %d bins, and this one would have %d: name a larger width", maxBins, bins)
	}
	heat := measure.NewHeat(v.length.Milliseconds, int64(a.q.Width)*1000)
	watches := v.watches()
	for i := range watches {
		heat.Add(&watches[i])
	}
	spots := map[int]string{}
	for _, i := range heat.HotSpots(int64(a.k)) {
		spots[i] = "hot"
	}
	for _, i := range heat.DropSpots() {
		left := heat.Bins[i].Viewers // 0 is shown, and so is a fall to it
		if fall := heat.Bins[i-1].Viewers - left; fall >= int64(a.k) && (left == 0 || left >= int64(a.k)) {
			spots[i] = joinWords(spots[i], "drop")
		}
	}
	viewers := int(heat.Learners)
	for i, b := range heat.Bins {
		n := int(b.Viewers)
		from := int64(i) * heat.Width
		t.Rows = append(t.Rows, result.Row{
			result.Named(fmt.Sprintf("%03d", i)),
			result.Measured(seconds(from), 0, result.NotPersonal),
			result.Measured(seconds(min(from+heat.Width, heat.Length)), 0, result.NotPersonal),
			result.Counted(b.Viewers, n), result.Counted(b.Passes, n), result.Counted(b.Repeats(), min(n, int(b.Repeats()))),
			rate(b.Viewers, heat.Learners, viewers, n, viewers-n),
			result.Named(spots[i]),
		})
	}
	return t, nil
}

func joinWords(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}

// coverage is the histogram of M43: ten bins of 10 %, the last one closed.
func coverage(a *asking) (*result.Table, error) {
	v, err := a.oneVideo()
	if err != nil {
		return nil, err
	}
	var bins [10]int
	n := 0
	watches := v.watches()
	for i := range watches {
		if w := &watches[i]; w.Length > 0 {
			bins[min(w.Unique*10/w.Length, 9)]++
			n++
		}
	}
	t := &result.Table{Columns: a.report.Columns}
	for i, learners := range bins {
		t.Rows = append(t.Rows, result.Row{
			result.Named(fmt.Sprintf("%02d to %d %%", i*10, i*10+10)),
			result.Counted(int64(learners), learners),
		})
	}
	t.Total = result.Row{result.Named("all"), result.Counted(int64(n), n)}
	return t, nil
}

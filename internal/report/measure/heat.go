package measure

import (
	"math"
	"slices"
)

// Heat is the heat map of a video (M47): sums over learners by bin.
type Heat struct {
	Length, Width int64 // of the video and of a bin, milliseconds; the last bin may be shorter
	Learners      int64 // with a union that covers any bin
	Bins          []HeatBin
}

// HeatBin sums one bin.
type HeatBin struct {
	Viewers int64 // learners whose union covers the bin
	Passes  int64 // how often it was covered
}

// Repeats are the passes beyond each viewer's first.
func (b HeatBin) Repeats() int64 { return b.Passes - b.Viewers }

// NewHeat makes the bins of a video: max(1 s, ⌈L/100⌉ s) wide, or of the width given, in milliseconds.
func NewHeat(length, width int64) *Heat {
	if width <= 0 {
		width = max(1, (length+100*second-1)/(100*second)) * second
	}
	return &Heat{Length: length, Width: width, Bins: make([]HeatBin, (length+width-1)/width)}
}

// Add counts one learner's watch. What overlaps at least half of a bin covers it.
func (h *Heat) Add(w *Watch) {
	passes := make([]int64, len(h.Bins))
	for _, s := range w.watched {
		for i := s.From / h.Width; i < int64(len(h.Bins)) && i*h.Width < s.To; i++ {
			passes[i] += one(h.covers(segments{s}, i))
		}
	}
	watched := false
	for i := range h.Bins {
		covered := h.covers(w.union, int64(i))
		watched = watched || covered
		h.Bins[i].Viewers += one(covered)
		h.Bins[i].Passes += max(passes[i], one(covered))
	}
	h.Learners += one(watched)
}

func (h *Heat) covers(s segments, bin int64) bool {
	from := bin * h.Width
	to := min(from+h.Width, h.Length)
	return 2*s.overlap(from, to) >= to-from
}

// HotSpots are the bins of M50 that are watched again: passes/viewers > mean + 2·SD over the video's bins with a viewer, and
// viewers ≥ k.
func (h *Heat) HotSpots(k int64) []int {
	var n, sum, squares float64
	for _, b := range h.Bins {
		if b.Viewers > 0 {
			x := Rate{b.Passes, b.Viewers}.Value()
			n, sum, squares = n+1, sum+x, squares+x*x
		}
	}
	if n < 2 {
		return nil
	}
	limit := sum/n + 2*math.Sqrt(max(0, squares-sum*sum/n)/(n-1))
	var out []int
	for i, b := range h.Bins {
		if b.Viewers > 0 && b.Viewers >= k && (Rate{b.Passes, b.Viewers}).Value() > limit {
			out = append(out, i)
		}
	}
	return out
}

// DropSpots are the bins of M50 before which most viewers leave: the three largest falls of M48 between adjacent bins, largest
// first, ties by place, those in the last 5 % of the video (its credits) left out.
func (h *Heat) DropSpots() []int {
	var falls []int
	fall := func(i int) int64 { return h.Bins[i-1].Viewers - h.Bins[i].Viewers }
	for i := 1; i < len(h.Bins); i++ {
		if fall(i) > 0 && int64(i)*h.Width*100 < h.Length*95 {
			falls = append(falls, i)
		}
	}
	slices.SortStableFunc(falls, func(a, b int) int { return int(fall(b) - fall(a)) })
	return falls[:min(3, len(falls))]
}

package measure

import (
	"cmp"
	"math"
	"slices"
)

// pearson is r = Σ(x−x̄)(y−ȳ)/√(Σ(x−x̄)²Σ(y−ȳ)²); NaN when x or y does not vary.
func pearson(x, y []float64) float64 {
	n := float64(len(x))
	var sumX, sumY float64
	for i := range x {
		sumX, sumY = sumX+x[i], sumY+y[i]
	}
	var xy, xx, yy float64
	for i := range x {
		dx, dy := n*x[i]-sumX, n*y[i]-sumY // n times the deviation: of whole numbers exact, so that an r of 0 is 0 and not less
		xy, xx, yy = xy+dx*dy, xx+dx*dx, yy+dy*dy
	}
	if xx == 0 || yy == 0 {
		return math.NaN()
	}
	return max(-1, min(1, xy/math.Sqrt(xx)/math.Sqrt(yy)))
}

// ranks gives each value its rank from 1; equal values get the average of theirs.
func ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	out := make([]float64, len(values))
	for start := 0; start < len(order); {
		end := start
		for end < len(order) && values[order[end]] == values[order[start]] {
			end++
		}
		for _, i := range order[start:end] {
			out[i] = float64(start+1+end) / 2
		}
		start = end
	}
	return out
}

// Pair is a unit of M80, a learner or a group in a period: a measure and a KPI.
type Pair struct{ X, Y float64 }

// The least on which M80 is shown.
const (
	EnoughUnits        = 30 // learners
	EnoughGroups       = 12
	EnoughGroupMembers = 10 // in each group
)

// Correlation is M80: how two figures go together, which says nothing of causes.
type Correlation struct {
	N                 int
	Pearson, Spearman float64  // NaN when one side does not vary
	PearsonInterval   Interval // none when n < 4, or when |r| is 1
	SpearmanInterval  Interval
}

// Verdict is what a correlation says in words.
type Verdict string

// The verdicts.
const (
	NoClear Verdict = "no clear association"
	Higher  Verdict = "higher X goes with higher Y"
	Lower   Verdict = "higher X goes with lower Y"
)

// Correlate computes M80 over units, each of two finite numbers. pairs is how many pairs of figures are tested on one screen: the
// intervals are of level 1 − 0.05/pairs.
func Correlate(units []Pair, pairs int) Correlation {
	x, y := make([]float64, len(units)), make([]float64, len(units))
	for i, u := range units {
		x[i], y[i] = u.X, u.Y
	}
	c := Correlation{N: len(units), Pearson: pearson(x, y), Spearman: pearson(ranks(x), ranks(y))}
	quantile := math.Sqrt2 * math.Erfinv(1-0.05/float64(max(1, pairs)))
	if pairs <= 1 {
		quantile = z
	}
	c.PearsonInterval = fisher(c.Pearson, quantile, 1, c.N)
	c.SpearmanInterval = fisher(c.Spearman, quantile, 1+c.Spearman*c.Spearman/2, c.N)
	return c
}

// fisher is tanh(atanh r ± z·√(spread/(n−3))): spread is 1 for Pearson, 1 + ρ²/2 for Spearman (Bonett and Wright).
func fisher(r, quantile, spread float64, n int) Interval {
	if n < 4 || math.IsNaN(r) || math.Abs(r) == 1 {
		return noInterval
	}
	half := quantile * math.Sqrt(spread/float64(n-3))
	return Interval{math.Tanh(math.Atanh(r) - half), math.Tanh(math.Atanh(r) + half)}
}

// Verdict is by Pearson's interval. Without one there is nothing clear.
func (c Correlation) Verdict() Verdict {
	switch {
	case c.PearsonInterval.Low > 0:
		return Higher
	case c.PearsonInterval.High < 0:
		return Lower
	}
	return NoClear
}

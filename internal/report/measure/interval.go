package measure

import (
	"math"
	"slices"
)

// z is the quantile of the normal distribution for 95 % (definitions, section 7).
const z = 1.959963984540054

// Rate is a share of counted things: K of N.
type Rate struct{ K, N int64 }

// Value is K/N; NaN when N is 0.
func (r Rate) Value() float64 {
	if r.N == 0 {
		return math.NaN()
	}
	return float64(r.K) / float64(r.N)
}

// Interval is a 95 % confidence interval. Its ends are NaN when there is none.
type Interval struct{ Low, High float64 }

var noInterval = Interval{math.NaN(), math.NaN()}

// None reports whether there is no interval.
func (i Interval) None() bool { return math.IsNaN(i.Low) || math.IsNaN(i.High) }

// Wilson is the interval of a rate: centre (p+z²/2n)/(1+z²/n), half width z·√(p(1−p)/n+z²/4n²)/(1+z²/n).
func (r Rate) Wilson() Interval {
	if r.N <= 0 {
		return noInterval
	}
	p, n := r.Value(), float64(r.N)
	scale := 1 + z*z/n
	centre := (p + z*z/(2*n)) / scale
	half := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n)) / scale
	i := Interval{max(0, centre-half), min(1, centre+half)}
	if r.K == 0 {
		i.Low = 0
	}
	if r.K == r.N {
		i.High = 1
	}
	return i
}

// Newcombe is the difference a − b of two rates with its interval from the two Wilson intervals:
// d−√((p1−l1)²+(u2−p2)²), d+√((u1−p1)²+(p2−l2)²).
func Newcombe(a, b Rate) (difference float64, i Interval) {
	difference = a.Value() - b.Value()
	wa, wb := a.Wilson(), b.Wilson()
	return difference, Interval{
		difference - math.Hypot(a.Value()-wa.Low, wb.High-b.Value()),
		difference + math.Hypot(wa.High-a.Value(), b.Value()-wb.Low),
	}
}

// Quantile is the quantile q of sorted values by type 7: h = (n−1)q, linear between neighbours. NaN when there are none.
func Quantile(sorted []int64, q float64) float64 {
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	h := float64(n-1) * q
	i := min(int(h), n-1)
	if i == n-1 {
		return float64(sorted[i])
	}
	return float64(sorted[i]) + (h-float64(i))*(float64(sorted[i+1])-float64(sorted[i]))
}

// Distribution is what is shown of values: never a mean.
type Distribution struct {
	N                     int
	P25, Median, P75, P90 float64  // NaN when N is 0
	MedianInterval        Interval // when N ≥ 10
}

// Distribute sorts values and describes them.
func Distribute(values []int64) Distribution {
	slices.Sort(values)
	return Distribution{
		N:   len(values),
		P25: Quantile(values, 0.25), Median: Quantile(values, 0.5), P75: Quantile(values, 0.75), P90: Quantile(values, 0.9),
		MedianInterval: medianInterval(values),
	}
}

// medianInterval is, for n ≥ 10, the order statistics ⌊n/2 − z√n/2⌋ and ⌈1 + n/2 + z√n/2⌉, counted from 1 and clamped.
func medianInterval(sorted []int64) Interval {
	n := len(sorted)
	if n < 10 {
		return noInterval
	}
	half := z * math.Sqrt(float64(n)) / 2
	low := max(1, int(math.Floor(float64(n)/2-half)))
	high := min(n, int(math.Ceil(1+float64(n)/2+half)))
	return Interval{float64(sorted[low-1]), float64(sorted[high-1])}
}

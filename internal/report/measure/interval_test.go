package measure_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/report/measure"
)

// near compares with the golden vectors' tolerance; NaN is near NaN.
func near(got, want float64) bool {
	return got == want || math.Abs(got-want) <= 1e-6 || math.IsNaN(got) && math.IsNaN(want)
}

func TestWilson(t *testing.T) {
	tests := []struct {
		k, n      int64
		low, high float64
	}{ // golden 3
		{0, 10, 0, 0.277533}, {7, 10, 0.396778, 0.892209}, {45, 60, 0.627679, 0.842235}, {10, 10, 0.722467, 1},
		{0, 0, math.NaN(), math.NaN()},
	}
	for _, test := range tests {
		if i := (measure.Rate{K: test.k, N: test.n}).Wilson(); !near(i.Low, test.low) || !near(i.High, test.high) {
			t.Errorf("%d of %d: %v, want %v and %v", test.k, test.n, i, test.low, test.high)
		}
	}
}

func TestNewcombe(t *testing.T) { // golden 4
	d, i := measure.Newcombe(measure.Rate{K: 45, N: 60}, measure.Rate{K: 30, N: 60})
	if !near(d, 0.25) || !near(i.Low, 0.076780) || !near(i.High, 0.403461) {
		t.Errorf("%v %v", d, i)
	}
	if d, i := measure.Newcombe(measure.Rate{}, measure.Rate{K: 1, N: 2}); !math.IsNaN(d) || !i.None() {
		t.Errorf("a rate of nothing: %v %v", d, i)
	}
}

func TestIntervalsHoldTheRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) measure.Rate {
			n := rapid.Int64Range(1, 1_000_000_000).Draw(t, name)
			return measure.Rate{K: rapid.Int64Range(0, n).Draw(t, name+" k"), N: n}
		}
		a, b := draw("a"), draw("b")
		if i := a.Wilson(); !(0 <= i.Low && i.Low <= a.Value() && a.Value() <= i.High && i.High <= 1) {
			t.Errorf("%v: %v", a, i)
		}
		if d, i := measure.Newcombe(a, b); !(i.Low <= d && d <= i.High) {
			t.Errorf("%v − %v: %v within %v", a, b, d, i)
		}
	})
}

func TestQuantiles(t *testing.T) { // golden 7
	d := measure.Distribute([]int64{600, 30, 90, 60, 45, 120})
	for _, q := range []struct{ got, want float64 }{{d.P25, 48.75}, {d.Median, 75}, {d.P75, 112.5}, {d.P90, 360}} {
		if !near(q.got, q.want) {
			t.Errorf("%v, want %v", q.got, q.want)
		}
	}
	if !d.MedianInterval.None() {
		t.Errorf("%v of 6 values", d.MedianInterval)
	}
	if d := measure.Distribute(nil); d.N != 0 || !math.IsNaN(d.Median) {
		t.Errorf("%+v of nothing", d)
	}
	if d := measure.Distribute([]int64{7}); d.P25 != 7 || d.P90 != 7 {
		t.Errorf("%+v of one", d)
	}
	// n = 10: ⌊5 − 3.099⌋ = 1 and ⌈1 + 5 + 3.099⌉ = 10.
	values := []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	if d := measure.Distribute(values); d.MedianInterval != (measure.Interval{Low: 1, High: 10}) {
		t.Errorf("%v", d.MedianInterval)
	}
	// n = 20: ⌊10 − 4.383⌋ = 5 and ⌈11 + 4.383⌉ = 16.
	for i := range int64(10) {
		values = append(values, 11+i)
	}
	if d := measure.Distribute(values); d.MedianInterval != (measure.Interval{Low: 5, High: 16}) {
		t.Errorf("%v", d.MedianInterval)
	}
}

func TestQuantilesRise(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(-1<<40, 1<<40), 1, 50).Draw(t, "values")
		d := measure.Distribute(slices.Clone(values))
		low, high := float64(slices.Min(values)), float64(slices.Max(values))
		if !(low <= d.P25 && d.P25 <= d.Median && d.Median <= d.P75 && d.P75 <= d.P90 && d.P90 <= high) {
			t.Errorf("%+v of %v", d, values)
		}
		if i := d.MedianInterval; len(values) >= 10 && !(i.Low <= d.Median && d.Median <= i.High) {
			t.Errorf("median %v outside of %v", d.Median, i)
		}
	})
}

package measure_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/report/measure"
)

func TestCorrelation(t *testing.T) { // golden 5
	x := []float64{2, 4, 4, 5, 7, 8, 9, 10, 12, 14, 15, 16}
	y := []float64{50, 55, 53, 61, 60, 66, 64, 72, 70, 75, 81, 78}
	var units []measure.Pair
	for i := range x {
		units = append(units, measure.Pair{X: x[i], Y: y[i]})
	}
	c := measure.Correlate(units, 1)
	for _, v := range []struct {
		name      string
		got, want float64
	}{
		{"r", c.Pearson, 0.969554}, {"low", c.PearsonInterval.Low, 0.891970}, {"high", c.PearsonInterval.High, 0.991665},
		{"rho", c.Spearman, 0.970229}, {"low", c.SpearmanInterval.Low, 0.862722}, {"high", c.SpearmanInterval.High, 0.993823},
	} {
		if !near(v.got, v.want) {
			t.Errorf("%s: %v, want %v", v.name, v.got, v.want)
		}
	}
	if c.Verdict() != measure.Higher {
		t.Errorf("verdict %q", c.Verdict())
	}
	wider := measure.Correlate(units, 10)
	if !(wider.PearsonInterval.Low < c.PearsonInterval.Low && wider.PearsonInterval.High > c.PearsonInterval.High) {
		t.Errorf("ten pairs: %v", wider.PearsonInterval)
	}
}

func TestVerdicts(t *testing.T) {
	line := func(slope float64, n int) (units []measure.Pair) {
		for i := range n {
			units = append(units, measure.Pair{X: float64(i), Y: slope*float64(i) + float64(i%3)})
		}
		return units
	}
	tests := []struct {
		name  string
		units []measure.Pair
		want  measure.Verdict
	}{
		{"rising", line(1, 30), measure.Higher}, {"falling", line(-1, 30), measure.Lower},
		{"flat", line(0, 30), measure.NoClear}, {"three", line(1, 3), measure.NoClear}, {"none", nil, measure.NoClear},
		{"all alike", make([]measure.Pair, 30), measure.NoClear},
		{"a straight line has no interval", []measure.Pair{{1, 1}, {2, 2}, {3, 3}, {4, 4}}, measure.NoClear},
	}
	for _, test := range tests {
		if got := measure.Correlate(test.units, 1).Verdict(); got != test.want {
			t.Errorf("%s: %q", test.name, got)
		}
	}
}

// TestNoCorrelationIsNone: an r of 0 is no hair below it, where the key of a question would be doubted (M68).
func TestNoCorrelationIsNone(t *testing.T) {
	const n = 7
	found := 0
	for bits := range 1 << (2 * n) {
		var units []measure.Pair
		var x, y, xy int
		for i := range n {
			a, b := bits>>i&1, bits>>(n+i)&1+i%3
			units = append(units, measure.Pair{X: float64(a), Y: float64(b)})
			x, y, xy = x+a, y+b, xy+a*b
		}
		r := measure.Correlate(units, 1).Pearson
		if x == 0 || x == n || n*xy != x*y || math.IsNaN(r) {
			continue
		}
		if found++; r != 0 {
			t.Fatalf("%v: r %v", units, r)
		}
	}
	if found == 0 {
		t.Error("none is 0")
	}
}

func TestCorrelationLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(-20, 20).Draw(t, "number")) })
		units := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) measure.Pair { return measure.Pair{X: number.Draw(t, "x"), Y: number.Draw(t, "y")} }), 0, 20).Draw(t, "units")
		c := measure.Correlate(units, 1)
		if math.Abs(c.Pearson) > 1 || math.Abs(c.Spearman) > 1 {
			t.Errorf("%+v", c)
		}
		if i := c.PearsonInterval; !i.None() && !(i.Low <= c.Pearson && c.Pearson <= i.High) {
			t.Errorf("%+v", c)
		}
		turned := make([]measure.Pair, len(units))
		for i, u := range units {
			turned[i] = measure.Pair{X: u.Y, Y: u.X}
		}
		if d := measure.Correlate(turned, 1); !near(d.Pearson, c.Pearson) || !near(d.Spearman, c.Spearman) {
			t.Errorf("%+v with its sides changed: %+v", c, d)
		}
	})
}

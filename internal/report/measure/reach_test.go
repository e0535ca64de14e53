package measure_test

import (
	"math"
	"testing"

	"github.com/cairn-lrs/cairn/internal/report/measure"
)

func TestStickiness(t *testing.T) {
	tests := []struct {
		name                  string
		learnerDays, learners int64
		from, to, today       int32
		want                  float64
	}{
		{"a month that is over", 62, 4, 100, 130, 200, 0.5},
		{"a month until today", 20, 4, 100, 130, 109, 0.5},
		{"everybody every day", 40, 4, 100, 109, 109, 1},
		{"nobody", 0, 0, 100, 130, 200, math.NaN()},
		{"a month to come", 0, 4, 100, 130, 99, math.NaN()},
	}
	for _, test := range tests {
		if got := measure.Stickiness(test.learnerDays, test.learners, test.from, test.to, test.today); !near(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

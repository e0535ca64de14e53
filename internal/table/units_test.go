package table

import (
	"math"
	"testing"
)

// The sizes of numbers are those that DynamoDB Local 3.1.0 uses for its own limits and units.
func TestValueSize(t *testing.T) {
	tests := []struct {
		name string
		v    Value
		want int
	}{
		{"no text", S(""), 0},
		{"text in UTF-8", S("añb"), 4},
		{"binary", B(make([]byte, 17)), 17},
		{"set", SetOf([]byte("abc"), []byte("d")), 4},
		{"0", N(0), 1},
		{"1", N(1), 2},
		{"-1", N(-1), 3},
		{"99", N(99), 2},
		{"100", N(100), 2},
		{"101", N(101), 3},
		{"120", N(120), 3},
		{"1200", N(1200), 2},
		{"12300", N(12300), 3},
		{"12345", N(12345), 4},
		{"1700000000", N(1700000000), 2},
		{"1700000010", N(1700000010), 6},
		{"largest", N(math.MaxInt64), 11},
		{"smallest", N(math.MinInt64), 12},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.v.Size(); got != test.want {
				t.Errorf("size %d, want %d", got, test.want)
			}
		})
	}
}

func TestItemSize(t *testing.T) {
	item := Item{"pk": S("store#1"), "n": N(7), "t": SetOf([]byte("0123456789ab"))}
	if got, want := item.Size(), 2+7+1+2+1+12; got != want {
		t.Errorf("size %d, want %d", got, want)
	}
}

func TestUnits(t *testing.T) {
	tests := []struct {
		name                    string
		size                    int
		strong, eventual, write float64
	}{
		{"nothing", 0, 1, 0.5, 1},
		{"one byte", 1, 1, 0.5, 1},
		{"a write unit", 1024, 1, 0.5, 1},
		{"a byte more", 1025, 1, 0.5, 2},
		{"a read unit", 4096, 1, 0.5, 4},
		{"a byte more than a read unit", 4097, 2, 1, 5},
		{"the largest item", MaxItem, 100, 50, 400},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := ReadUnits(test.size, Strong); got != test.strong {
				t.Errorf("strong read %v, want %v", got, test.strong)
			}
			if got := ReadUnits(test.size, Eventual); got != test.eventual {
				t.Errorf("eventual read %v, want %v", got, test.eventual)
			}
			if got := WriteUnits(test.size); got != test.write {
				t.Errorf("write %v, want %v", got, test.write)
			}
		})
	}
}

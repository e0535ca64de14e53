package table

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestValueEqual(t *testing.T) {
	a, b, c := []byte("a"), []byte("b"), []byte("c")
	tests := []struct {
		name string
		v, w Value
		want bool
	}{
		{"texts", S("a"), S("a"), true},
		{"other texts", S("a"), S("b"), false},
		{"text and binary", S("a"), B(a), false},
		{"numbers", N(-1), N(-1), true},
		{"other numbers", N(1), N(-1), false},
		{"binaries", B(a), B([]byte{'a'}), true},
		{"sets in another order", SetOf(a, b, c), SetOf(c, a, b), true},
		{"other sets", SetOf(a, b), SetOf(a, c), false},
		{"sets of other lengths", SetOf(a), SetOf(a, b), false},
		{"no values", Value{}, Value{}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.v.Equal(test.w); got != test.want {
				t.Errorf("equal is %v, want %v", got, test.want)
			}
			if got := test.w.Equal(test.v); got != test.want {
				t.Errorf("the other way round equal is %v, want %v", got, test.want)
			}
		})
	}
}

func TestUnionIsASetUnion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members := rapid.SliceOfDistinct(rapid.SliceOfN(rapid.ByteRange(0, 2), 0, 2), func(b []byte) string { return string(b) })
		a, b := members.Draw(t, "a"), members.Draw(t, "b")
		got := Union(a, b)
		if !slices.IsSortedFunc(got, bytes.Compare) {
			t.Fatalf("not sorted: %q", got)
		}
		want := map[string]bool{}
		for _, m := range slices.Concat(a, b) {
			want[string(m)] = true
		}
		if len(got) != len(want) {
			t.Fatalf("%d members, want %d", len(got), len(want))
		}
		for _, m := range got {
			if !want[string(m)] {
				t.Fatalf("%q is in neither", m)
			}
		}
	})
}

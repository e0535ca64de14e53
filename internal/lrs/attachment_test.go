package lrs

import "testing"

// A part has the type that its attachment says: parameters that only one of both has are no contradiction, others are.
func TestSameMediaType(t *testing.T) {
	for _, test := range []struct {
		part, attachment string
		want             bool
	}{
		{"text/plain", "text/plain", true},
		{"text/plain", "Text/Plain", true},
		{"text/plain", "text/plain; charset=utf-8", true},
		{"text/plain; charset=UTF-8", "text/plain;charset=utf-8", true},
		{"text/plain; charset=utf-8", "text/plain; format=flowed", true},
		{"text/plain; charset=utf-8", "text/plain; charset=iso-8859-1", false},
		{"text/plain; charset=iso-8859-1; format=flowed", "text/plain; charset=utf-8; format=flowed", false},
		{"text/plain", "text/html", false},
		{"image/plain", "text/plain", false},
		{"no type", "no type", true},
		{"no type", "text/plain", false},
		{"text/plain", "", false},
	} {
		for _, order := range [][2]string{{test.part, test.attachment}, {test.attachment, test.part}} {
			if got := sameMediaType(order[0], order[1]); got != test.want {
				t.Errorf("%q and %q: %t", order[0], order[1], got)
			}
		}
	}
}

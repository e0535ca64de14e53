package positiontest

import (
	"slices"
	"testing"
	"time"
)

func TestUnhurried(t *testing.T) {
	at := time.UnixMilli(1000)
	passing := []int64{0, 3, 30, 1, -2, 0, 40}
	clock := Unhurried(func() time.Time { return at })
	var got []int64
	for _, ms := range passing {
		at = at.Add(time.Duration(ms) * time.Millisecond)
		got = append(got, clock().UnixMilli())
	}
	if want := []int64{1000, 1003, 1013, 1023, 1032, 1032, 1042}; !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

package table

import (
	"bytes"
	"slices"
)

// Equal reports whether two values are the same by DynamoDB's rules: of one kind, and sets without regard to order.
func (v Value) Equal(w Value) bool {
	if v.Kind != w.Kind {
		return false
	}
	switch v.Kind {
	case Text:
		return v.S == w.S
	case Number:
		return v.N == w.N
	case Binary:
		return bytes.Equal(v.B, w.B)
	case Set:
		return len(v.Set) == len(w.Set) && slices.EqualFunc(SortedSet(v.Set), SortedSet(w.Set), bytes.Equal)
	}
	return true
}

// Union returns the set of the members of both sets, in ascending order. Members are shared, not copied.
func Union(a, b [][]byte) [][]byte {
	all := make([][]byte, 0, len(a)+len(b))
	all = append(append(all, a...), b...)
	slices.SortFunc(all, bytes.Compare)
	return slices.CompactFunc(all, bytes.Equal)
}

// SortedSet returns the members in ascending order: the slice itself when it is so already, else a sorted copy.
func SortedSet(members [][]byte) [][]byte {
	if slices.IsSortedFunc(members, bytes.Compare) {
		return members
	}
	sorted := slices.Clone(members)
	slices.SortFunc(sorted, bytes.Compare)
	return sorted
}

package pebble

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/cairn-lrs/cairn/internal/table"
)

func genKey() *rapid.Generator[table.Key] {
	return rapid.Custom(func(t *rapid.T) table.Key {
		return table.Key{Partition: string(genBytes(1).Draw(t, "partition")), Sort: genBytes(1).Draw(t, "sort")}
	})
}

// Entries of one partition must lie in the order of their sort keys, and every part must come back.
func TestEntryKeysKeepTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type part struct {
			sort []byte
			key  table.Key
		}
		gen := rapid.Custom(func(t *rapid.T) part { return part{genBytes(1).Draw(t, "sort"), genKey().Draw(t, "key")} })
		a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
		keyA, keyB := appendEntryKey(nil, a.sort, a.key), appendEntryKey(nil, b.sort, b.key)
		if order := bytes.Compare(a.sort, b.sort); order != 0 && order != bytes.Compare(keyA, keyB) {
			t.Fatalf("sort keys %x and %x are encoded in another order", a.sort, b.sort)
		}
		sort, key, err := cutEntryKey(keyA, new(slab))
		if err != nil {
			t.Fatal(err)
		}
		got := part{sort, key}
		if diff := cmp.Diff(a, got, cmp.AllowUnexported(part{})); diff != "" {
			t.Fatalf("parts (-want +got):\n%s", diff)
		}
	})
}

// Different items must have different keys, and a partition's prefix must be its own.
func TestItemKeysDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := genKey().Draw(t, "a"), genKey().Draw(t, "b")
		keyA, keyB := appendItemKey(nil, 1, a), appendItemKey(nil, 1, b)
		if same := cmp.Equal(a, b); same != bytes.Equal(keyA, keyB) {
			t.Fatalf("items are equal: %v; keys %x, %x", same, keyA, keyB)
		}
		prefix := appendPartition(nil, spaceItem, 1, b.Partition)
		if inside := bytes.Compare(keyA, prefix) >= 0 && bytes.Compare(keyA, after(prefix)) < 0; inside != (a.Partition == b.Partition) {
			t.Fatalf("partition %q lies in %q: %v", a.Partition, b.Partition, inside)
		}
	})
}

func TestAfter(t *testing.T) {
	tests := []struct{ name, prefix, want string }{
		{"last byte", "ab", "ac"},
		{"carry", "a\xff", "b"},
		{"carry twice", "a\xff\xff", "b"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := after([]byte(test.prefix)); string(got) != test.want {
				t.Errorf("after %q is %q, want %q", test.prefix, got, test.want)
			}
		})
	}
}

// FuzzCutEntryKey checks that damaged keys are errors.
func FuzzCutEntryKey(f *testing.F) {
	f.Add(appendEntryKey(nil, []byte{0, 1, 0xff}, table.Key{Partition: "p", Sort: []byte("s")}))
	f.Add([]byte{0})
	f.Add([]byte{0, 1, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		sort, key, err := cutEntryKey(raw, new(slab))
		if err != nil {
			return
		}
		again := appendEntryKey(nil, sort, key)
		if !bytes.Equal(raw, again) {
			t.Errorf("%x came back as %x", raw, again)
		}
	})
}

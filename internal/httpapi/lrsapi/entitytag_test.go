package lrsapi

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/document"
)

func TestParseTags(t *testing.T) {
	list := func(tags ...string) *document.Tags { return &document.Tags{List: tags} }
	any := &document.Tags{Any: true}
	tests := []struct {
		name, value  string
		strong, weak *document.Tags // nil: refused
	}{
		{"any", "*", any, any},
		{"any with spaces", " * ", any, any},
		{"one", `"a"`, list(`"a"`), list(`"a"`)},
		{"several", `"a", "b","c"`, list(`"a"`, `"b"`, `"c"`), list(`"a"`, `"b"`, `"c"`)},
		{"a comma inside", `"a,b"`, list(`"a,b"`), list(`"a,b"`)},
		{"an empty tag", `""`, list(`""`), list(`""`)},
		{"empty elements", `, "a",, "b",`, list(`"a"`, `"b"`), list(`"a"`, `"b"`)},
		{"weak", `W/"a", "b"`, list(`"b"`), list(`"a"`, `"b"`)},
		{"weak alone", `W/"a"`, list(), list(`"a"`)},
		{"without quotes", `0a4d55a8d778e5022fab701977c5d840bbc486d0`, list(`"0a4d55a8d778e5022fab701977c5d840bbc486d0"`), list(`"0a4d55a8d778e5022fab701977c5d840bbc486d0"`)},
		{"both notations", `a,"b" , c`, list(`"a"`, `"b"`, `"c"`), list(`"a"`, `"b"`, `"c"`)},
		{"nothing", "", nil, nil},
		{"commas only", " , ,", nil, nil},
		{"any among tags", `"a", *`, nil, nil},
		{"any twice", `*, *`, nil, nil},
		{"not closed", `"a`, nil, nil},
		{"quote inside", `a"b"`, nil, nil},
		{"no comma", `"a" "b"`, nil, nil},
		{"no comma, unquoted", `a b`, nil, nil},
		{"weak of nothing", `W/`, nil, nil},
		{"control character", "\"a\tb\"", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, weak := range []bool{false, true} {
				want := tt.strong
				if weak {
					want = tt.weak
				}
				got, ok := parseTags(tt.value, weak)
				if ok != (want != nil) {
					t.Fatalf("weak %v: read %v, want it read: %v", weak, ok, want != nil)
				}
				if ok && (got.Any != want.Any || !slices.Equal(got.List, want.List)) {
					t.Errorf("weak %v: %s", weak, cmp.Diff(*want, got))
				}
			}
		})
	}
}

// FuzzParseTags: what is read is what RFC 9110 calls entity tags, and reads the same when it is written again.
func FuzzParseTags(f *testing.F) {
	for _, seed := range []string{"*", `"a", W/"b"`, "a,b", `"a`, `,,"",`} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, value string, weak bool) {
		tags, ok := parseTags(value, weak)
		if !ok || tags.Any || len(tags.List) == 0 {
			return
		}
		for _, tag := range tags.List {
			if len(tag) < 2 || tag[0] != '"' || tag[len(tag)-1] != '"' || !validTag(tag[1:len(tag)-1]) {
				t.Errorf("%q is no entity tag", tag)
			}
			if !tags.Match(tag) {
				t.Errorf("%q does not match itself", tag)
			}
		}
		again, ok := parseTags(strings.Join(tags.List, ", "), weak)
		if !ok || !slices.Equal(again.List, tags.List) {
			t.Errorf("%q was read as %q, and that as %q", value, tags.List, again.List)
		}
	})
}

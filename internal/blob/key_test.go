package blob_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/blob"
)

func TestCheckKey(t *testing.T) {
	segments := func(n, length int) string { return strings.Repeat(strings.Repeat("a", length)+"/", n)[:n*(length+1)-1] }
	tests := []struct {
		name, key string
		valid     bool
	}{
		{"plain", "default/attachments/0a1b", true},
		{"every kind of byte", "az09-_./x", true},
		{"dots inside", "a..b/.c/...", true},
		{"longest segment", segments(1, blob.MaxSegment), true},
		{"longest key", segments(3, 170), true},
		{"empty", "", false},
		{"too long", segments(4, 170), false},
		{"segment too long", segments(1, blob.MaxSegment+1), false},
		{"upper case", "A", false},
		{"space", "a b", false},
		{"not ASCII", "ä", false},
		{"NUL", "a\x00", false},
		{"bad UTF-8", "a\xff", false},
		{"backslash", `a\b`, false},
		{"leading slash", "/a", false},
		{"trailing slash", "a/", false},
		{"double slash", "a//b", false},
		{"dot", "a/./b", false},
		{"dot dot", "a/../b", false},
		{"only dot dot", "..", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := blob.CheckKey(tt.key)
			if tt.valid && err != nil {
				t.Errorf("CheckKey(%q) = %v, want nil", tt.key, err)
			}
			if !tt.valid && !errors.Is(err, blob.ErrInvalid) {
				t.Errorf("CheckKey(%q) = %v, want ErrInvalid", tt.key, err)
			}
		})
	}
}

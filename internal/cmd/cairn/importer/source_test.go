package importer

import (
	"bytes"
	"compress/gzip"
	"io"
	"runtime"
	"strings"
	"testing"
)

// A line that unpacks to more than a statement may have is passed over, in little memory, and what stands behind it is read.
func TestImportOfALineWithoutEnd(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	block := bytes.Repeat([]byte("a"), 1<<20)
	for range 4 * maxValueBytes / len(block) {
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(w, "\n{}\n"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := newSource(&packed)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	long, err := s.next()
	runtime.ReadMemStats(&after)
	if err != nil || long.value != nil || !strings.Contains(long.reason, "longer than") {
		t.Errorf("the long line: %d bytes, %q, %v", len(long.value), long.reason, err)
	}
	// A slice that grows to the bound has made about five times as much on its way.
	if made := after.TotalAlloc - before.TotalAlloc; made > 8*maxValueBytes {
		t.Errorf("%d bytes were made for it", made)
	}
	if next, err := s.next(); err != nil || string(next.value) != "{}" {
		t.Errorf("the line behind it: %q, %v", next.value, err)
	}
}

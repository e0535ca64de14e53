package xapi

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestRealStatements decodes every statement of the shared data files.
func TestRealStatements(t *testing.T) {
	folder := os.Getenv("CAIRN_TEST_DATA")
	if folder == "" {
		if os.Getenv("CAIRN_REQUIRE") != "" {
			t.Fatal("CAIRN_TEST_DATA is not set, and CAIRN_REQUIRE forbids to go without")
		}
		t.Log("did not run: CAIRN_TEST_DATA is not set")
		return
	}
	t.Run("one per line", func(t *testing.T) {
		lines := bufio.NewScanner(bytes.NewReader(unpack(t, filepath.Join(folder, "mooc-22k.ndjson.gz"))))
		count := 0
		for lines.Scan() {
			s, err := DecodeStatement(bytes.Clone(lines.Bytes()), V1, DefaultLimits)
			if err != nil {
				t.Fatalf("line %d: %v", count+1, err)
			}
			checkRoundTrip(t, s)
			count++
		}
		if want := 22_000; count < want {
			t.Fatalf("decoded %d statements, want at least %d", count, want)
		}
		t.Logf("decoded %d statements", count)
	})
	t.Run("one array", func(t *testing.T) {
		limits := DefaultLimits
		limits.Statements = 10_000
		batch, single, err := DecodeStatements(unpack(t, filepath.Join(folder, "simulated-course-2814.json.gz")), V1, limits)
		if err != nil || single || len(batch) != 2814 {
			t.Fatalf("decoded %d statements, single %v, error %v; want 2814", len(batch), single, err)
		}
		for _, s := range batch {
			checkRoundTrip(t, s)
		}
	})
}

// checkRoundTrip checks that what is stored decodes again, to an equal statement.
func checkRoundTrip(t *testing.T, s *Statement) {
	t.Helper()
	stored := s.Render(storeEdits)
	again, err := DecodeStatement(stored, V1, DefaultLimits)
	if err != nil {
		t.Fatalf("stored form of %s: %v\n%s", s.ID, err, stored)
	}
	if !equal(s, again) {
		t.Fatalf("stored form of %s is not equal to what came\n%s", s.ID, stored)
	}
}

var storeEdits = Edits{
	ID:        "11111111-2222-4333-8444-555555555555",
	Stored:    "2026-11-21T10:00:00.123Z",
	Timestamp: "2026-11-21T10:00:00.123Z",
	Authority: []byte(`{"objectType":"Agent","account":{"homePage":"https://lrs.example","name":"k1"}}`),
}

func unpack(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

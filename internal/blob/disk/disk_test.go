package disk

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/blob"
	"github.com/cairn-lrs/cairn/internal/blob/blobtest"
)

func newStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	blobtest.Run(t, func(t *testing.T) blobtest.Store { return newStore(t) })
}

func TestOpenSweepsOldLeftoversOnly(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Put(t.Context(), "kept", []byte("whole")); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	for name, age := range map[string]time.Duration{"old": 25 * time.Hour, "young": 23 * time.Hour} {
		file := filepath.Join(dir, writing, name)
		if err := os.WriteFile(file, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	s, err := open(dir, now)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	if diff := cmp.Diff([]string{"young"}, names(t, filepath.Join(dir, writing))); diff != "" {
		t.Errorf("files left under writing (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"kept"}, list(t, s)); diff != "" {
		t.Errorf("keys listed (-want +got):\n%s", diff)
	}
}

func TestPutLeavesNoTemporaryFile(t *testing.T) {
	s := newStore(t)
	for range 2 { // the second finds the key taken
		if err := s.Put(t.Context(), "a/b", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if left := names(t, filepath.Join(s.root.Name(), writing)); len(left) != 0 {
		t.Errorf("files left under writing: %v", left)
	}
}

func TestPutFailsCleanlyWhenTheFolderCannotBeWritten(t *testing.T) {
	tests := []struct{ name, blocked string }{
		{"temporary file", writing},
		{"folder of the key", objects + "/a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStore(t)
			// A file where a folder must stand refuses even a privileged user.
			blocked := filepath.Join(s.root.Name(), tt.blocked)
			if err := os.RemoveAll(blocked); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(blocked, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			err := s.Put(t.Context(), "a/b", []byte("x"))
			if err == nil || !strings.Contains(err.Error(), blob.ErrUnavailable.Error()) {
				t.Errorf("Put = %v, want ErrUnavailable", err)
			}
		})
	}
}

func TestKeyMayExtendAnotherKeysName(t *testing.T) {
	s := newStore(t)
	want := []string{"a", "a-b", "a.b", "a/b", "a0"}
	for _, key := range []string{"a/b", "a0", "a", "a.b", "a-b"} {
		if err := s.Put(t.Context(), key, []byte(key)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, list(t, s)); diff != "" {
		t.Errorf("keys in order (-want +got):\n%s", diff)
	}
}

func TestObjectsSurviveReopening(t *testing.T) {
	dir := t.TempDir()
	for i, want := range [][]string{nil, {"k0"}, {"k0", "k1"}} {
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, list(t, s)); diff != "" {
			t.Errorf("keys at opening %d (-want +got):\n%s", i, diff)
		}
		if err := s.Put(t.Context(), "k"+string(rune('0'+i)), nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func list(t *testing.T, s *Store) (keys []string) {
	t.Helper()
	err := s.List(context.Background(), "", func(info blob.Info) error {
		keys = append(keys, info.Key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

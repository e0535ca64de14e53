//go:build linux

package disk

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cairn-lrs/cairn/internal/blob"
)

const limitedFolder = "CAIRN_TEST_LIMITED_FOLDER"

// TestPutOnAFullDisk runs itself in a process whose files cannot grow beyond 64 KB, as on a full disk.
func TestPutOnAFullDisk(t *testing.T) {
	if dir := os.Getenv(limitedFolder); dir != "" {
		putOnAFullDisk(t, dir)
		return
	}
	command := exec.Command(os.Args[0], "-test.run=^TestPutOnAFullDisk$", "-test.v")
	command.Env = append(os.Environ(), limitedFolder+"="+t.TempDir())
	output, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "--- PASS: TestPutOnAFullDisk") {
		t.Fatalf("limited process: %v\n%s", err, output)
	}
}

func putOnAFullDisk(t *testing.T, dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 64 << 10, Max: 64 << 10}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Put(t.Context(), "small", make([]byte, 1000)); err != nil {
		t.Errorf("Put within the limit = %v", err)
	}
	if err := s.Put(t.Context(), "large", make([]byte, 100<<10)); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("Put beyond the limit = %v, want ErrUnavailable", err)
	}
	if _, _, err := s.Get(t.Context(), "large", 0, -1); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("Get of what did not fit = %v, want ErrNotFound", err)
	}
	if left := names(t, filepath.Join(dir, writing)); len(left) != 0 {
		t.Errorf("files left under writing: %v", left)
	}
	if err := s.Put(t.Context(), "large", []byte("smaller now")); err != nil {
		t.Errorf("Put of the same key when it fits = %v", err)
	}
}

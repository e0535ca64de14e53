package operator_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/cmd/cairn/operator"
)

func TestDialWithoutAServer(t *testing.T) {
	dir := t.TempDir()
	if _, err := operator.Dial(t.Context(), dir); !errors.Is(err, operator.ErrNoServer) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := operator.Dial(t.Context(), filepath.Join(dir, "nowhere")); !errors.Is(err, operator.ErrNoServer) {
		t.Errorf("no folder: %v", err)
	}
}

// The socket is its owner's alone, and one that a killed server left is taken over.
func TestListen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "admin.sock")
	if err := os.WriteFile(path, nil, 0o600); err != nil { // what stands there is nobody's
		t.Fatal(err)
	}
	listener, err := operator.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	server := operator.NewServer(operator.Direct(nil, nil))
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	if _, err := operator.Dial(t.Context(), dir); err != nil {
		t.Error(err)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	if _, err := operator.Dial(t.Context(), dir); !errors.Is(err, operator.ErrNoServer) {
		t.Errorf("after the end: %v", err)
	}
}

// A path that is too long for a socket works from a folder near it, and fails with an error elsewhere.
func TestListenInADeepFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep", 30), "data")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if listener, err := operator.Listen(dir); err == nil {
		listener.Close()
		t.Error("a socket in a folder whose path is too long")
	}
	t.Chdir(filepath.Dir(dir))
	listener, err := operator.Listen(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
}

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// cairn is the binary that the tests of this package run, built once.
var cairn string

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "cairn-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if cairn, err = Build(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// serve starts a server that is stopped when the test ends.
func serve(t *testing.T, flags ...string) *Local {
	t.Helper()
	server, err := Serve(cairn, filepath.Join(t.TempDir(), "data"), flags...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the server printed:\n%s", server.Output())
		}
	})
	return server
}

// TestScripts plays every script over the local road.
func TestScripts(t *testing.T) { Run(t, serve(t)) }

// TestScriptsWithLateIndexes plays them again while every index entry comes half a second late: what is announced as
// consistent must be so all the same.
func TestScriptsWithLateIndexes(t *testing.T) { Run(t, serve(t, "-index-delay", "500ms")) }

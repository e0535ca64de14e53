package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// folder holds what the tests of this package build.
var folder string

// binary builds the server that the tests run, once, when a test first asks.
var binary = sync.OnceValues(func() (string, error) { return Build(context.Background(), folder) })

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "cairn-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	folder = dir
	return m.Run()
}

// open starts a server over a data folder. The caller ends it.
func open(t testing.TB, data string, flags ...string) *Local {
	t.Helper()
	cairn, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	server, err := Serve(cairn, data, flags...)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// serve starts a server that is stopped when the test ends.
func serve(t testing.TB, flags ...string) *Local {
	t.Helper()
	server := open(t, filepath.Join(t.TempDir(), "data"), flags...)
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

// TestClientsKeep lets the client libraries use the local road.
func TestClientsKeep(t *testing.T) { RunClients(t, serve(t), folder) }

package e2e

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// realClient is a client library that learning content and platforms use, with the script that drives it.
type realClient struct {
	name     string
	language *language
	script   string // in folder clients
}

// language is what it takes to run the clients of one language. Libraries come from their package registry, in the
// versions that the files of folder clients lock.
type language struct {
	programs []string   // that must be there
	install  [][]string // commands, run once in a copy of folder clients
	command  []string   // before the script

	once sync.Once
	err  error
}

var (
	node = &language{
		programs: []string{"node", "npm"},
		install:  [][]string{{"npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"}},
		command:  []string{"node"},
	}
	python = &language{
		programs: []string{"python3"},
		install: [][]string{
			{"python3", "-m", "venv", "venv"},
			{"venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", "requirements.txt"},
		},
		command: []string{"venv/bin/python"},
	}
	java = &language{
		programs: []string{"java", "javac", "mvn"},
		install:  [][]string{{"mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"}},
		command:  []string{"java", "-cp", "jars/*"},
	}
)

var (
	tincanJS = &realClient{"npm tincanjs", node, "tincan_js.js"}
	tincanPy = &realClient{"PyPI tincan", python, "tincan_py.py"}

	// countingClients are those whose scripts count, allClients those that keep: see the scripts.
	countingClients = []*realClient{tincanJS, tincanPy}
	allClients      = []*realClient{
		tincanJS, tincanPy,
		{"npm @xapi-xapi", node, "xapi_js.js"},
		{"npm @rusticisoftware-cmi5", node, "cmi5_js.js"},
		{"npm adl-xapiwrapper", node, "adl_xapiwrapper.js"},
		{"Maven jxapi", java, "Jxapi.java"},
	}
)

// clientsTimeout bounds the installation of client libraries with all that they do in one test.
const clientsTimeout = 15 * time.Minute

// RunClients lets each client library use the resources that it knows, in a store of its own, as an application would: its
// script says what must come back. The libraries are installed in dir, which lives as long as the process's tests, once.
func RunClients(t *testing.T, road Road, dir string) {
	ctx, cancel := context.WithTimeout(t.Context(), clientsTimeout)
	defer cancel()
	ready, ok := installClients(ctx, t, dir, allClients)
	if !ok {
		return
	}
	for _, c := range ready {
		t.Run(c.name, func(t *testing.T) {
			_, who := FreshStore(t, road)
			if _, err := c.run(ctx, dir, road.Endpoint(), who, "keep", nil); err != nil {
				t.Error(err)
			}
		})
	}
	t.Logf("client libraries that kept what they stored: %d", len(ready))
}

// doWithout says that something cannot run here. It fails the test where CAIRN_REQUIRE asks for the whole local road.
func doWithout(t *testing.T, what, reason string) {
	t.Helper()
	if strings.Contains(os.Getenv("CAIRN_REQUIRE"), "local") {
		t.Fatalf("%s cannot run, and CAIRN_REQUIRE forbids to go without: %s", what, reason)
	}
	t.Logf("%s did not run: %s", what, reason)
}

// installClients makes clients ready. Where a program is missing it says so, and ok is false.
func installClients(ctx context.Context, t *testing.T, dir string, clients []*realClient) (ready []*realClient, ok bool) {
	t.Helper()
	for _, c := range clients {
		for _, program := range c.language.programs {
			if _, err := exec.LookPath(program); err != nil {
				doWithout(t, c.name, "there is no "+program)
				return nil, false
			}
		}
		c.language.once.Do(func() { c.language.err = c.language.setUp(ctx, dir) })
		if c.language.err != nil {
			t.Fatal(c.language.err)
		}
	}
	return clients, true
}

//go:embed clients
var clientScripts embed.FS

// clientsFolder is the copy of folder clients that libraries are installed in.
func clientsFolder(dir string) string { return filepath.Join(dir, "clients") }

// copyClients copies folder clients, once for all languages.
var copyClients sync.Once

// setUp installs the libraries of a language.
func (l *language) setUp(ctx context.Context, dir string) (err error) {
	copyClients.Do(func() { err = os.CopyFS(dir, clientScripts) })
	if err != nil {
		return fmt.Errorf("copy client scripts: %w", err)
	}
	for _, args := range l.install {
		cmd := exec.CommandContext(ctx, inClients(dir, args[0]), args[1:]...)
		cmd.Dir = clientsFolder(dir)
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("install clients: %s: %w\n%s", strings.Join(args, " "), err, said)
		}
	}
	return nil
}

// inClients is the path of a program: in folder clients when its name has a slash.
func inClients(dir, program string) string {
	if strings.Contains(program, "/") {
		return filepath.Join(clientsFolder(dir), program)
	}
	return program
}

// run lets the client do what mode says and returns what it printed.
func (c *realClient) run(ctx context.Context, dir, endpoint string, who Credential, mode string, input io.Reader) ([]byte, error) {
	args := slices.Concat(c.language.command[1:], []string{c.script, endpoint, who.Key, who.Secret, mode})
	cmd := exec.CommandContext(ctx, inClients(dir, c.language.command[0]), args...)
	cmd.Dir = clientsFolder(dir)
	cmd.Stdin = input
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", c.name, err, &problems)
	}
	return out, nil
}

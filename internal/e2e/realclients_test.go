package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// realClient is a client library that learning content and platforms use, with the script that drives it.
type realClient struct {
	name    string
	command []string // before ENDPOINT KEY SECRET MODE
}

// installClients installs the locked client libraries below dir. They come from their package registries.
func installClients(ctx context.Context, dir string) ([]realClient, error) {
	for _, name := range []string{"package.json", "package-lock.json", ".npmrc", "tincan_js.js", "tincan_py.py", "requirements.txt"} {
		content, err := os.ReadFile(filepath.Join("clients", name))
		if err != nil {
			return nil, fmt.Errorf("read client script: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return nil, fmt.Errorf("copy client script: %w", err)
		}
	}
	python := filepath.Join(dir, "venv", "bin", "python")
	for _, args := range [][]string{
		{"npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"},
		{"python3", "-m", "venv", "venv"},
		{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", "requirements.txt"},
	} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir = dir
		if said, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("install clients: %s: %w\n%s", strings.Join(args, " "), err, said)
		}
	}
	return []realClient{
		{"npm tincanjs", []string{"node", filepath.Join(dir, "tincan_js.js")}},
		{"PyPI tincan", []string{python, filepath.Join(dir, "tincan_py.py")}},
	}, nil
}

// run lets the client do what mode says and returns what it printed.
func (c realClient) run(ctx context.Context, endpoint string, who Credential, mode string, input io.Reader) ([]byte, error) {
	args := append(c.command[1:len(c.command):len(c.command)], endpoint, who.Key, who.Secret, mode)
	cmd := exec.CommandContext(ctx, c.command[0], args...)
	cmd.Stdin = input
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", c.name, err, &problems)
	}
	return out, nil
}

// counted is what a client says of a list that it has read to its end.
type counted struct {
	Statements int `json:"statements"`
	Distinct   int `json:"distinct"`
}

// question is a filter with the number of statements that it must find.
type question struct {
	filter string // JSON, as the client scripts take it
	want   int
}

// dataFiles are the files of real statements at CAIRN_TEST_DATA, and how many each has.
var dataFiles = map[string]int{"mooc-22k.ndjson.gz": 22_000, "simulated-course-2814.json.gz": 2_814}

// TestRealClients imports real statements by the import command and reads them back with two client libraries: the counts
// by learner, verb, activity and registration are those of a count over the files.
func TestRealClients(t *testing.T) {
	folder := os.Getenv("CAIRN_TEST_DATA")
	if reason := missing(folder); reason != "" {
		if os.Getenv("CAIRN_REQUIRE") != "" {
			t.Fatalf("real clients cannot run, and CAIRN_REQUIRE forbids to go without: %s", reason)
		}
		t.Logf("real clients did not run: %s", reason)
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	clients, err := installClients(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	server := serve(t)
	questions := importFiles(ctx, t, server, folder)
	for i, c := range clients {
		t.Run(c.name+" counts", func(t *testing.T) {
			var mine []question
			for k, q := range questions {
				// Every question is asked by the first client; the second, which needs a hundred times as long to read a
				// statement, asks the short lists and every tenth learner.
				if i == 0 || (q.want < 2000 && k%10 == 0) || strings.Contains(q.filter, "registration") {
					mine = append(mine, q)
				}
			}
			ask(ctx, t, c, server.Endpoint(), mine)
		})
		t.Run(c.name+" keeps", func(t *testing.T) {
			store, err := server.NewStore(ctx)
			if err != nil {
				t.Fatal(err)
			}
			who, err := server.NewCredential(ctx, store, nil, false)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.run(ctx, server.Endpoint(), who, "keep", nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// missing says what the test needs and this machine has not; "" when it has all.
func missing(folder string) string {
	if folder == "" {
		return "CAIRN_TEST_DATA does not say where the real statements are"
	}
	for _, program := range []string{"npm", "node", "python3"} {
		if _, err := exec.LookPath(program); err != nil {
			return "there is no " + program
		}
	}
	return ""
}

// importFiles imports every data file, twice, since an import repeated changes nothing, and returns what a reader may ask.
func importFiles(ctx context.Context, t *testing.T, server *Local, folder string) []question {
	t.Helper()
	counts := map[string]int{}
	for name, want := range dataFiles {
		path := filepath.Join(folder, name)
		if got, err := countFile(path, counts); err != nil || got != want {
			t.Fatalf("%s: %d statements, %v, want %d", name, got, err, want)
		}
		for range 2 {
			if _, err := server.Command(ctx, "import", "-endpoint", server.Endpoint(), "-key", FixedCredential.Key, "-secret", FixedCredential.Secret,
				"-state", filepath.Join(t.TempDir(), "state"), path); err != nil {
				t.Fatal(err)
			}
		}
	}
	var questions []question
	for _, filter := range slices.Sorted(maps.Keys(counts)) {
		questions = append(questions, question{filter, counts[filter]})
	}
	return questions
}

// countFile counts the statements of a file, and adds to counts, by filter, what each would be found by: no filter, its
// learner, verb, activity and registration.
func countFile(path string, counts map[string]int) (int, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("open data: %w", err)
	}
	defer file.Close()
	reader, err := gzip.NewReader(file)
	if err != nil {
		return 0, fmt.Errorf("open data: %w", err)
	}
	decoder := jsontext.NewDecoder(reader)
	if decoder.PeekKind() == '[' {
		if _, err := decoder.ReadToken(); err != nil {
			return 0, fmt.Errorf("read data: %w", err)
		}
	}
	for n := 0; ; n++ {
		if decoder.PeekKind() == ']' {
			return n, nil
		}
		var s struct {
			Actor   map[string]jsontext.Value `json:"actor"`
			Verb    struct{ ID string }       `json:"verb"`
			Object  struct{ ID string }       `json:"object"`
			Context struct{ Registration string }
		}
		err := json.UnmarshalDecode(decoder, &s, json.MatchCaseInsensitiveNames(true))
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, fmt.Errorf("read statement %d: %w", n, err)
		}
		delete(s.Actor, "name")
		delete(s.Actor, "objectType")
		filters := []map[string]any{{}, {"agent": s.Actor}, {"verb": s.Verb.ID}, {"activity": s.Object.ID}}
		if s.Context.Registration != "" {
			filters = append(filters, map[string]any{"registration": s.Context.Registration})
		}
		for _, filter := range filters {
			text, err := json.Marshal(filter, json.Deterministic(true))
			if err != nil {
				return n, fmt.Errorf("write filter: %w", err)
			}
			counts[string(text)]++
		}
	}
}

// ask lets a client answer the questions and compares.
func ask(ctx context.Context, t *testing.T, c realClient, endpoint string, questions []question) {
	t.Helper()
	var input bytes.Buffer
	total := 0
	for _, q := range questions {
		fmt.Fprintln(&input, q.filter)
		total += q.want
	}
	out, err := c.run(ctx, endpoint, FixedCredential, "count", &input)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	if len(lines) != len(questions) {
		t.Fatalf("%d answers to %d questions", len(lines), len(questions))
	}
	for i, line := range lines {
		var got counted
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(counted{questions[i].want, questions[i].want}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", questions[i].filter, diff)
		}
	}
	t.Logf("lists read to their end by %s: %d", c.name, len(questions))
	t.Logf("statements read by %s: %d", c.name, total)
}

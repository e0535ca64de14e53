package e2e

import (
	"bytes"
	"context"
	"encoding/json/v2"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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

// TestClientsCount imports real statements by the import command and reads them back with two client libraries: the counts
// by learner, verb, activity and registration are those of a count over the files.
func TestClientsCount(t *testing.T) {
	data := os.Getenv("CAIRN_TEST_DATA")
	if data == "" {
		doWithout(t, "reading back with real clients", "CAIRN_TEST_DATA does not say where the real statements are")
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), clientsTimeout)
	defer cancel()
	readers, ok := installClients(ctx, t, folder, countingClients)
	if !ok {
		return
	}
	server := serve(t)
	questions := importFiles(ctx, t, server, data)
	for i, c := range readers {
		t.Run(c.name, func(t *testing.T) {
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
	}
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

// ask lets a client answer the questions and compares.
func ask(ctx context.Context, t *testing.T, c *realClient, endpoint string, questions []question) {
	t.Helper()
	var input bytes.Buffer
	total := 0
	for _, q := range questions {
		fmt.Fprintln(&input, q.filter)
		total += q.want
	}
	out, err := c.run(ctx, folder, endpoint, FixedCredential, "count", &input)
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

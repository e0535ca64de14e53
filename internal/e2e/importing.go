package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// ImportRoad is a road that `cairn import` is run against.
type ImportRoad interface {
	Road
	// Import runs `cairn import` with a credential and more arguments, and returns what it printed.
	Import(ctx context.Context, who Credential, args ...string) (string, error)
}

// RunImport imports the first statements of a file of NDJSON, twice, since an import repeated changes nothing, and reads them
// back by learner, verb, activity and registration: the counts are those of the file.
func RunImport(t *testing.T, road ImportRoad, path string, most int) {
	ctx := t.Context()
	part, err := firstLines(path, most)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	if n, err := countStatements(bytes.NewReader(part), counts); err != nil || n != most {
		t.Fatalf("%s: %d statements, %v, want %d", path, n, err, most)
	}
	file := filepath.Join(t.TempDir(), "part.ndjson")
	if err := os.WriteFile(file, part, 0o600); err != nil {
		t.Fatal(err)
	}
	_, who := FreshStore(t, road)
	begun := time.Now()
	for range 2 {
		if said, err := road.Import(ctx, who, "-state", filepath.Join(t.TempDir(), "state"), file); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
	}
	imported := time.Since(begun)
	c := newClient(road.Endpoint(), 4)
	defer c.close()
	c.who = who
	read := 0
	for filter, want := range counts {
		got, err := countListed(ctx, c, filter, want)
		if err != nil || got != want {
			t.Errorf("%s: %d statements are listed, %v, want %d", filter, got, err, want)
		}
		read += got
	}
	t.Logf("statements imported, twice: %d", most)
	t.Logf("lists that were counted: %d", len(counts))
	t.Logf("the imports took %v; reading %d statements took %v", imported.Round(time.Second), read, (time.Since(begun) - imported).Round(time.Second))
}

// countListed counts a list, as soon as it has as many as it should.
func countListed(ctx context.Context, c *client, filter string, want int) (got int, err error) {
	var named map[string]any
	if err := json.Unmarshal([]byte(filter), &named); err != nil {
		return 0, fmt.Errorf("read filter: %w", err)
	}
	query := url.Values{"limit": {"500"}}
	for name, value := range named {
		text, ok := value.(string)
		if !ok {
			raw, err := json.Marshal(value)
			if err != nil {
				return 0, fmt.Errorf("write filter: %w", err)
			}
			text = string(raw)
		}
		query.Set(name, text)
	}
	err = eventually(ctx, maxWait, func(ctx context.Context) error {
		ids, err := c.list(ctx, query)
		got = len(ids)
		if err == nil && got < want {
			err = errors.New("not all are listed yet")
		}
		return err
	})
	return got, err
}

// firstLines reads the beginning of a compressed file.
func firstLines(path string, most int) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open data: %w", err)
	}
	defer file.Close()
	reader, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("open data: %w", err)
	}
	var part []byte
	lines := bufio.NewReader(reader)
	for range most {
		line, err := lines.ReadBytes('\n')
		part = append(part, line...)
		if errors.Is(err, io.EOF) {
			return part, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read data: %w", err)
		}
	}
	return part, nil
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
	return countStatements(reader, counts)
}

func countStatements(reader io.Reader, counts map[string]int) (int, error) {
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

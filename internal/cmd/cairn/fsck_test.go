package main

import (
	"bytes"
	"context"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cairn-lrs/cairn/internal/app/local"
	"github.com/cairn-lrs/cairn/internal/auth"
	"github.com/cairn-lrs/cairn/internal/lrs"
	"github.com/cairn-lrs/cairn/internal/schema"
	"github.com/cairn-lrs/cairn/internal/table"
	"github.com/cairn-lrs/cairn/internal/xapi"
)

// fsckOf runs the command and returns its exit code and what it printed.
func fsckOf(t *testing.T, dir string, flags ...string) (code int, out string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = terminal{out: &stdout, err: &stderr}.run(t.Context(), append([]string{"fsck", "-data", dir}, flags...))
	if stderr.Len() > 0 {
		t.Errorf("stderr: %s", stderr.String())
	}
	return code, stdout.String()
}

// filled makes a folder with one statement, whose attachment is "hello", and calls change with the open folder.
func filled(t *testing.T, change func(c *local.Cairn)) (dir string) {
	t.Helper()
	dir = t.TempDir()
	c, err := local.Open(t.Context(), dir, local.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const sha2 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
	key, secret, err := c.Directory.CreateCredential(t.Context(), auth.DefaultStore, auth.NewCredential{Scopes: auth.Scopes{auth.All}})
	if err != nil {
		t.Fatal(err)
	}
	p, err := c.Directory.Authenticate(t.Context(), key, secret)
	if err != nil {
		t.Fatal(err)
	}
	st, err := xapi.DecodeStatement([]byte(`{"id":"00000001-0000-4000-8000-000000000001","actor":{"mbox":"mailto:ada@example.com"},
		"verb":{"id":"http://example.com/did"},"object":{"id":"http://example.com/a"},
		"attachments":[{"usageType":"http://example.com/u","display":{"en":"d"},"contentType":"text/plain","length":5,"sha2":"`+sha2+`"}]}`), xapi.V1, xapi.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	part := lrs.Part{SHA2: sha2, ContentType: "text/plain", Body: []byte("hello")}
	if _, err := c.Statements.Store(t.Context(), p, []*xapi.Statement{st}, []lrs.Part{part}); err != nil {
		t.Fatal(err)
	}
	change(c)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// blobFile finds the one file of the blob folder.
func blobFile(t *testing.T, dir string) (path string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "blobs"), func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			path = name
		}
		return err
	})
	if err != nil || path == "" {
		t.Fatalf("no blob in %s: %v", dir, err)
	}
	return path
}

func TestFsckNamesDamage(t *testing.T) {
	const id = "00000001-0000-4000-8000-000000000001"
	statement := table.Ref{Table: schema.Statements, Key: table.Key{Partition: auth.DefaultStore + "#" + id}}
	untouched := func(*local.Cairn) {}
	update := func(actions ...table.Action) func(*local.Cairn) {
		return func(c *local.Cairn) {
			if _, _, err := c.Tables.Apply(context.Background(), table.Update(statement, actions)); err != nil {
				t.Fatal(err)
			}
		}
	}
	tests := []struct {
		name   string
		inside func(c *local.Cairn)
		after  func(path string) error // of the attachment's file
		want   string
	}{
		{name: "nothing", inside: untouched},
		{name: "an index key is gone", inside: update(table.Remove(schema.VerbKey)), want: lrs.WrongIndexKeys},
		{name: "voided by nobody", inside: update(table.SetTo(schema.Voided, table.N(1))), want: lrs.VoidedButListed},
		{name: "a body that is none", inside: update(table.SetTo(schema.Body, table.B([]byte{1, 2, 3}))), want: lrs.DamagedStatement},
		{name: "the attachment is gone", inside: untouched, after: os.Remove, want: lrs.LostBlob},
		{name: "the attachment has other bytes", inside: untouched, want: lrs.DamagedBlob,
			after: func(path string) error { return os.WriteFile(path, []byte("hellO"), 0o600) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := filled(t, test.inside)
			if test.after != nil {
				if err := test.after(blobFile(t, dir)); err != nil {
					t.Fatal(err)
				}
			}
			code, out := fsckOf(t, dir)
			if test.want == "" {
				if code != exitOK || !strings.Contains(out, "all is well") {
					t.Errorf("exit code %d:\n%s", code, out)
				}
				return
			}
			if line := auth.DefaultStore + "\t" + id + "\t" + test.want + "\t"; code != exitDiffers || !strings.Contains(out, line) {
				t.Errorf("exit code %d, want %d and a line %q:\n%s", code, exitDiffers, line, out)
			}
			if strings.Contains(out, "ada@") || strings.Contains(out, "all is well") {
				t.Errorf("it names a learner, or finds all well:\n%s", out)
			}
		})
	}
}

// A byte of the engine's files that is another one is named, where it keeps statements from being read too.
func TestFsckNamesDamagedTables(t *testing.T) {
	dir := filled(t, func(c *local.Cairn) {
		for n := range 100 { // for tables of several blocks
			note := make([]byte, 1000)
			for i := range note {
				note[i] = byte(rand.Uint32())
			}
			item := table.Item{schema.PK: table.S(auth.DefaultStore + "#state#a"), schema.SK: table.B([]byte{byte(n)}), schema.Body: table.B(note)}
			if _, _, err := c.Tables.Apply(t.Context(), table.Put(schema.Documents, item)); err != nil {
				t.Fatal(err)
			}
		}
	})
	again, err := local.Open(t.Context(), dir, local.Options{}) // makes a table of the log
	if err == nil {
		err = again.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob(filepath.Join(dir, local.TablesFolder, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("there is no table: %v", err)
	}
	for _, name := range tables {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		content[len(content)/2] ^= 1
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out := fsckOf(t, dir)
	if line := "-\t-\t" + local.DamagedTables + "\t"; code != exitDiffers || !strings.Contains(out, line) || !strings.Contains(out, "checksum") {
		t.Errorf("exit code %d, want %d and a line %q:\n%s", code, exitDiffers, line, out)
	}
}

// What a request of a past month left is told, with its bytes, and removed only where that is asked for.
func TestFsckRemovesGarbage(t *testing.T) {
	dir := filled(t, func(c *local.Cairn) {
		if err := c.Blobs.Put(t.Context(), auth.DefaultStore+"/attachments/2020-02/"+strings.Repeat("0", 64), []byte("left")); err != nil {
			t.Fatal(err)
		}
	})
	const told = "1 contents of 4 bytes belong to no statement: "
	for _, step := range []struct {
		flags []string
		want  string
	}{{nil, told + "-remove-garbage removes them\n"}, {[]string{"-remove-garbage"}, told + "removed\n"}, {nil, ""}} {
		code, out := fsckOf(t, dir, step.flags...)
		if code != exitOK || !strings.Contains(out, "1 attachments") || !strings.Contains(out, step.want) || step.want == "" && strings.Contains(out, "belong") {
			t.Errorf("fsck %v: exit code %d, want a line %q:\n%s", step.flags, code, step.want, out)
		}
	}
}

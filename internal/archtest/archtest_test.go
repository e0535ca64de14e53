package archtest

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// root is the project's, seen from this package.
var root = os.DirFS("../..")

func load(t *testing.T) []File {
	t.Helper()
	files, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("found %d Go files: this test does not see the project", len(files))
	}
	return files
}

func TestImports(t *testing.T) {
	for _, fault := range CheckImports(load(t)) {
		t.Error(fault)
	}
}

func TestHouse(t *testing.T) {
	for _, fault := range CheckHouse(load(t)) {
		t.Error(fault)
	}
}

// The embedded engine alone is as large as the rest of a binary, and a cold start reads the whole file.
func TestLambdaBinariesLinkNoEmbeddedEngine(t *testing.T) {
	files := load(t)
	for _, folder := range functionFolders(t) {
		for _, imported := range Reached(files, folder) {
			if within(imported, Module+"/internal/app/local") || within(imported, "github.com/cockroachdb/pebble") {
				t.Errorf("%s links %s", folder, imported)
			}
		}
	}
}

// Who runs Cairn on one machine builds what is linked here, and waits for it.
func TestCairnLinksNoAWS(t *testing.T) {
	for _, imported := range Reached(load(t), "internal/cmd/cairn") {
		if within(imported, Module+"/internal/app/cloud") || within(imported, "github.com/aws/aws-sdk-go-v2") {
			t.Errorf("internal/cmd/cairn links %s", imported)
		}
	}
}

// TestRulesCatchPlantedFaults shows that each rule can fail.
func TestRulesCatchPlantedFaults(t *testing.T) {
	tests := []struct {
		name, path, text string
		want             string // part of the one fault; "" for none
	}{
		{"pure language imports a port", "internal/xapi/x.go", `import "` + Module + `/internal/table"`, "internal/xapi/x.go imports internal/table: the language is pure"},
		{"rules import a driver", "internal/lrs/x.go", `import "` + Module + `/internal/table/pebble"`, "internal/lrs/x.go imports internal/table/pebble"},
		{"rules import their port", "internal/lrs/x.go", `import "` + Module + `/internal/table"`, ""},
		{"test of rules imports a driver", "internal/lrs/x_test.go", `import "` + Module + `/internal/table/pebble"`, ""},
		{"rules import the edge", "internal/lrs/x.go", `import "` + Module + `/internal/httpapi/edge"`, "internal/lrs/x.go imports internal/httpapi/edge"},
		{"edge imports its own part", "internal/httpapi/x.go", `import "` + Module + `/internal/httpapi/edge"`, ""},
		{"cloud half imports its driver", "internal/app/cloud/x.go", `import "` + Module + `/internal/table/dynamo"`, ""},
		{"cloud half imports the local one", "internal/app/cloud/x.go", `import "` + Module + `/internal/app/local"`, "imports internal/app/local"},
		{"application imports a half", "internal/app/x.go", `import "` + Module + `/internal/app/cloud"`, "imports internal/app/cloud"},
		{"driver imports the other", "internal/table/dynamo/x.go", `import "` + Module + `/internal/table/pebble"`, "imports internal/table/pebble"},
		{"main opens the local half", "functions/statements/x.go", `import "` + Module + `/internal/app/local"`, "a deployed main is a sentence"},
		{"SDK outside of the drivers", "internal/lrs/x.go", `import "github.com/aws/aws-sdk-go-v2/service/dynamodb"`, "AWS is behind the ports"},
		{"Lambda outside of lambdaio, in a test too", "internal/app/x_test.go", `import "github.com/aws/aws-lambda-go/events"`, "nothing else may know"},
		{"engine in a test of rules", "internal/lrs/x_test.go", `import "github.com/cockroachdb/pebble/v2/vfs"`, ""},
		{"engine with a major version", "internal/lrs/x.go", `import "github.com/cockroachdb/pebble/v2/vfs"`, "the engine is behind the port"},
		{"JSON version 1", "internal/lrs/x.go", `import "encoding/json"`, "use encoding/json/v2"},
		{"JSON version 2", "internal/lrs/x.go", `import "encoding/json/v2"`, ""},
		{"folder without a line", "internal/novelty/x.go", ``, "has no line in archtest's layers"},

		{"vague file", "internal/lrs/helpers.go", ``, "the name helpers says nothing"},
		{"environment read by a rule", "internal/lrs/x.go", "import \"os\"\nvar x = os.Getenv(\"X\")", "os.Getenv: settings come from package config"},
		{"environment read under another name", "internal/lrs/x.go", "import sys \"os\"\nvar x = sys.LookupEnv", "os.LookupEnv: settings come from package config"},
		{"environment read by config", "internal/config/x.go", "import \"os\"\nvar x = os.Getenv(\"X\")", ""},
		{"clock asked by a rule", "internal/lrs/x.go", "import \"time\"\nvar x = time.Now()", "time.Now: time is a field here"},
		{"clock as a default", "internal/lrs/x.go", "import \"time\"\nvar x = time.Now", ""},
		{"request sent by a rule", "internal/lrs/x.go", "import \"net/http\"\nvar x, _ = http.Get(\"http://a\")", "http.Get: what serves requests sends none"},
		{"connection made by the edge", "internal/httpapi/x.go", "import \"net\"\nvar x net.Dialer", "net.Dialer: what serves requests sends none"},
		{"request sent by a command", "internal/cmd/cairn/x.go", "import \"net/http\"\nvar x = http.DefaultClient", ""},
		{"skipped test", "internal/lrs/x_test.go", "import \"testing\"\nfunc TestX(t *testing.T) { t.Skip(\"later\") }", "Skip: a test that does not run"},
		{"long file", "internal/lrs/x.go", strings.Repeat("\n", 500), "at most 500"},
		{"long main", "functions/about/main.go", strings.Repeat("\n", 25), "a main is a sentence"},
		{"unreadable folder names are left out", "internal/lrs/testdata/x.go", `import "encoding/json"`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files, err := Load(fstest.MapFS{tt.path: {Data: []byte("// Package x is described.\npackage x\n" + tt.text)}})
			if err != nil {
				t.Fatal(err)
			}
			faults := slices.Concat(CheckImports(files), CheckHouse(files))
			switch {
			case tt.want == "" && len(faults) > 0:
				t.Errorf("faults without a fault: %q", faults)
			case tt.want != "" && (len(faults) != 1 || !strings.Contains(faults[0], tt.want)):
				t.Errorf("faults %q, want one with %q", faults, tt.want)
			}
		})
	}
	t.Run("package without a comment", func(t *testing.T) {
		files, err := Load(fstest.MapFS{"internal/lrs/x.go": {Data: []byte("package lrs\n")}})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"internal/lrs: no file has a package comment: say what it is for"}
		if diff := cmp.Diff(want, CheckHouse(files)); diff != "" {
			t.Errorf("faults (-want +got):\n%s", diff)
		}
	})
	t.Run("engine linked through two packages", func(t *testing.T) {
		files, err := Load(fstest.MapFS{
			"functions/a/main.go":  {Data: []byte("package main\nimport \"" + Module + "/internal/b\"\n")},
			"internal/b/b.go":      {Data: []byte("package b\nimport \"" + Module + "/internal/c\"\n")},
			"internal/b/b_test.go": {Data: []byte("package b\nimport \"testing\"\n")},
			"internal/c/c.go":      {Data: []byte("package c\nimport \"github.com/cockroachdb/pebble/v2\"\n")},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{Module + "/internal/b", Module + "/internal/c", "github.com/cockroachdb/pebble/v2"}
		if diff := cmp.Diff(want, Reached(files, "functions/a")); diff != "" {
			t.Errorf("linked (-want +got):\n%s", diff)
		}
	})
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cairn-lrs/cairn/internal/requirements"
)

func TestRun(t *testing.T) {
	const pkg = `"Package":"github.com/cairn-lrs/cairn/internal/x"`
	tests := []struct {
		name string
		in   []string
		want string
		ok   bool
	}{
		{"passed", []string{
			`{"Action":"start",` + pkg + `}`,
			`{"Action":"run",` + pkg + `,"Test":"TestA"}`,
			`{"Action":"output",` + pkg + `,"Test":"TestA","Output":"chatter\n"}`,
			`{"Action":"pass",` + pkg + `,"Test":"TestA","Elapsed":0.1}`,
			`{"Action":"pass",` + pkg + `,"Elapsed":0.25}`,
		}, "ok    internal/x                                  0.2s\n1 packages: 1 passed, 0 failed\n", true},
		{"counts and roads that did not run are said once", []string{
			`{"Action":"output",` + pkg + `,"Test":"TestA","Output":"    a_test.go:12: SIGKILLs: 100\n"}`,
			`{"Action":"output",` + pkg + `,"Test":"TestA","Output":"cloud-like road did not run: no java\n"}`,
			`{"Action":"output",` + pkg + `,"Test":"TestB","Output":"    b_test.go:7: cloud-like road did not run: no java\n"}`,
			`{"Action":"pass",` + pkg + `,"Test":"TestA"}`,
			`{"Action":"pass",` + pkg + `,"Test":"TestB"}`,
			`{"Action":"pass",` + pkg + `}`,
		}, "      SIGKILLs: 100\n      cloud-like road did not run: no java\nok    internal/x                                  0.0s\n1 packages: 2 passed, 0 failed\n", true},
		{"failed", []string{
			`{"Action":"output",` + pkg + `,"Test":"TestA","Output":"    a_test.go:1: broken\n"}`,
			`{"Action":"fail",` + pkg + `,"Test":"TestA"}`,
			`{"Action":"fail",` + pkg + `}`,
		}, "    a_test.go:1: broken\nFAIL  internal/x                                  0.0s\n1 packages: 0 passed, 1 failed, broken packages: 1\n", false},
		{"died outside of a test", []string{
			`{"Action":"output",` + pkg + `,"Output":"panic: test timed out\n"}`,
			`{"Action":"fail",` + pkg + `}`,
		}, "panic: test timed out\nFAIL  internal/x                                  0.0s\n1 packages: 0 passed, 0 failed, broken packages: 1\n", false},
		{"did not compile", []string{
			`{"ImportPath":"x","Action":"build-output","Output":"x.go:1: undefined: y\n"}`,
			`{"ImportPath":"x","Action":"build-fail"}`,
			`{"Action":"fail",` + pkg + `,"FailedBuild":"x"}`,
		}, "x.go:1: undefined: y\nFAIL  internal/x                                  0.0s\n1 packages: 0 passed, 0 failed, broken packages: 1\n", false},
		{"skipped", []string{
			`{"Action":"output",` + pkg + `,"Test":"TestA","Output":"    a_test.go:1: not today\n"}`,
			`{"Action":"skip",` + pkg + `,"Test":"TestA"}`,
			`{"Action":"pass",` + pkg + `}`,
		}, "    a_test.go:1: not today\nok    internal/x                                  0.0s\n1 packages: 0 passed, 0 failed, 1 skipped, which is not allowed\n", false},
		{"an unknown requirement", []string{
			`{"Action":"attr",` + pkg + `,"Test":"TestA","Key":"requirement","Value":"D0-1 D2.2-2"}`,
			`{"Action":"pass",` + pkg + `,"Test":"TestA"}`,
			`{"Action":"pass",` + pkg + `}`,
		}, "ok    internal/x                                  0.0s\n1 packages: 1 passed, 0 failed\nrequirements: D0-1 is in no list of requirements; x TestA names it\n", false},
		{"package without tests is no package", []string{`{"Action":"skip",` + pkg + `}`}, "0 packages: 0 passed, 0 failed\n", false},
		{"words of go itself", []string{"go: no such module"}, "go: no such module\n0 packages: 0 passed, 0 failed\n", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			ok, err := run(strings.NewReader(strings.Join(tt.in, "\n")), &out, page{})
			if err != nil || ok != tt.ok {
				t.Errorf("ok %v, %v; want %v", ok, err, tt.ok)
			}
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMap runs one test that proves all there is to prove, and leaves out a requirement, the page, or nothing.
func TestMap(t *testing.T) {
	parts, err := requirements.Parts()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, row := range requirements.Rows(parts) {
		if row.Why == "" {
			ids = append(ids, row.ID)
		}
	}
	report := func(p page, end string, ids ...string) (ok bool, out string) {
		const of = `"Package":"example.org/internal/x"`
		var b strings.Builder
		ok, err := run(strings.NewReader(`{"Action":"attr",`+of+`,"Test":"TestA","Key":"requirement","Value":"`+strings.Join(ids, " ")+`"}
			{"Action":"`+end+`",`+of+`,"Test":"TestA"}
			{"Action":"pass",`+of+`}`), &b, p)
		if err != nil {
			t.Fatal(err)
		}
		return ok, b.String()
	}
	file := filepath.Join(t.TempDir(), "MAP.md")
	if err := os.WriteFile(file, []byte("of yesterday"), 0o600); err != nil {
		t.Fatal(err)
	}
	if ok, out := report(page{file: file}, "pass", ids...); ok || !strings.Contains(out, "make requirements") {
		t.Errorf("a stale page: %v, %s", ok, out)
	}
	if ok, out := report(page{file: file, write: true}, "pass", ids...); !ok {
		t.Error(out)
	}
	if ok, out := report(page{file: file}, "pass", ids...); !ok {
		t.Errorf("the page as it was written: %s", out)
	}
	if ok, out := report(page{file: file}, "pass", ids[1:]...); ok || !strings.Contains(out, ids[0]+" has no test that passed") {
		t.Errorf("a requirement without a test: %v, %s", ok, out)
	}
	if ok, _ := report(page{file: file}, "fail", ids...); ok {
		t.Error("a test that failed proves requirements")
	}
	if ok, out := report(page{}, "pass"); !ok {
		t.Errorf("part of the tests: %s", out)
	}
}

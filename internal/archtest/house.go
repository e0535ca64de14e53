package archtest

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
)

// Limits of the house.
const (
	maxMain = 25  // lines of a deployed main
	maxFile = 500 // lines of any Go file
)

// vagueNames say nothing about what is inside, so that everything ends up there.
var vagueNames = []string{"util", "utils", "common", "helper", "helpers", "types", "models", "misc", "shared", "mocks", "base"}

// environment lists who may read the environment: config, and what starts processes for tests and hands it on.
var environment = []string{"internal/config", "internal/cloudtest", "internal/cmd/withcloud", "internal/bench/benchload", "internal/e2e"}

// environmentReaders are the functions of package os that do.
var environmentReaders = []string{"os.Getenv", "os.LookupEnv", "os.Environ", "os.ExpandEnv"}

// clockless lists the packages whose time is a field: what happens there must be repeatable by a test. They may name
// time.Now as a default; they may not call it.
var clockless = []string{"internal/xapi", "internal/signature", "internal/schema", "internal/lrs", "internal/document", "internal/auth", "internal/httpapi"}

// clockReaders are the functions of package time that ask the machine's clock.
var clockReaders = []string{"time.Now", "time.Since", "time.Until", "time.Sleep"}

// callers lists who may send a request: what speaks to AWS, the operator's commands, and tests. Nothing that learners or vendors
// bring, as a fileUrl, is ever fetched: it could name what only this machine reaches.
var callers = []string{
	"internal/app/cloud", "internal/table/dynamo", "internal/blob/s3", "internal/blob/blobtest", "internal/lambdaio/front",
	"internal/cmd", "internal/cloudtest", "internal/e2e", "internal/bench",
}

// senders are what sends one.
var senders = []string{
	"http.Get", "http.Head", "http.Post", "http.PostForm", "http.Client", "http.DefaultClient", "http.Transport", "http.DefaultTransport",
	"http.NewRequest", "http.NewRequestWithContext", "net.Dial", "net.DialTimeout", "net.Dialer",
}

// CheckHouse returns one sentence for each breach of the rules that concern single files.
func CheckHouse(files []File) []string {
	var faults []string
	blame := func(f File, format string, args ...any) {
		faults = append(faults, f.Path+": "+fmt.Sprintf(format, args...))
	}
	for _, f := range files {
		if f.Lines > maxFile {
			blame(f, "%d lines, at most %d: a file is one noun that a reader holds in mind at once", f.Lines, maxFile)
		}
		if within(f.Folder, "functions") && path.Base(f.Path) == "main.go" && f.Lines > maxMain {
			blame(f, "%d lines, at most %d: a main is a sentence", f.Lines, maxMain)
		}
		for _, name := range []string{strings.TrimSuffix(f.Syntax.Name.Name, "_test"), strings.TrimSuffix(strings.TrimSuffix(path.Base(f.Path), ".go"), "_test")} {
			if slices.Contains(vagueNames, name) {
				blame(f, "the name %s says nothing: name what is inside", name)
			}
		}
		if f.Test {
			for _, name := range skips(f.Syntax) {
				blame(f, "%s: a test that does not run proves nothing; say plainly what did not run, and fail where CAIRN_REQUIRE asks for it", name)
			}
			continue
		}
		for _, name := range f.named("os", false) {
			if slices.Contains(environmentReaders, name) && !allowed(f, environment) {
				blame(f, "%s: settings come from package config, documented and checked in one place", name)
			}
		}
		for _, name := range slices.Concat(f.named("net/http", false), f.named("net", false)) {
			if slices.Contains(senders, name) && !allowed(f, callers) {
				blame(f, "%s: what serves requests sends none, or a statement could have it ask for what only this machine reaches", name)
			}
		}
		for _, name := range f.named("time", true) {
			if slices.Contains(clockReaders, name) && allowed(f, clockless) {
				blame(f, "%s: time is a field here, so that a test can set it", name)
			}
		}
	}
	return append(faults, undocumented(files)...)
}

func allowed(f File, folders []string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return within(f.Folder, folder) })
}

// skips returns the calls of a test's Skip methods.
func skips(syntax *ast.File) []string {
	var found []string
	ast.Inspect(syntax, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if method, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, method.Sel.Name) {
				found = append(found, method.Sel.Name)
			}
		}
		return true
	})
	return found
}

// undocumented names the folders whose package no file describes. Packages of tests alone need none.
func undocumented(files []File) []string {
	described := map[string]bool{}
	for _, f := range files {
		if f.Test {
			continue
		}
		described[f.Folder] = described[f.Folder] || f.Syntax.Doc.Text() != ""
	}
	var faults []string
	for folder, ok := range described {
		if !ok {
			faults = append(faults, folder+": no file has a package comment: say what it is for")
		}
	}
	slices.Sort(faults)
	return faults
}

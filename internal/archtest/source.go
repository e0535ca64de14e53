// Package archtest holds the architecture as tests: which package may import which and why, and the house rules that a
// reader would otherwise have to remember. It reads the source files. A test that asked `go list` would stay green from
// the test cache, which knows what a test opens and not what it runs.
package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Module is the import path of the project.
const Module = "github.com/cairn-lrs/cairn"

// File is one Go file of the project.
type File struct {
	Path    string // slash-separated, from the root: "internal/lrs/query.go"
	Folder  string // "internal/lrs"
	Test    bool   // ends in _test.go
	Lines   int
	Syntax  *ast.File
	Imports []Import
}

// Import is one import of a file.
type Import struct {
	Path string // as written
	Own  string // folder below the root when the import is the project's own, else ""
}

// Load reads every Go file of the main module. Folders that are not the module's are left out: those with a go.mod of
// their own, testdata, what builds and clients leave behind, and hidden ones.
func Load(root fs.FS) ([]File, error) {
	var files []File
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != "." && foreign(root, name) {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parse(name, text)
		if err != nil {
			return err
		}
		files = append(files, file)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read source: %w", err)
	}
	return files, nil
}

func foreign(root fs.FS, folder string) bool {
	base := path.Base(folder)
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "node_modules" || folder == "bin" {
		return true
	}
	_, err := fs.Stat(root, path.Join(folder, "go.mod"))
	return err == nil
}

func parse(name string, text []byte) (File, error) {
	syntax, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return File{}, err
	}
	file := File{
		Path: name, Folder: path.Dir(name), Test: strings.HasSuffix(name, "_test.go"),
		Lines: bytes.Count(text, []byte("\n")), Syntax: syntax,
	}
	for _, spec := range syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return File{}, fmt.Errorf("read import %s: %w", spec.Path.Value, err)
		}
		own, _ := strings.CutPrefix(imported, Module+"/")
		if own == imported {
			own = ""
		}
		file.Imports = append(file.Imports, Import{Path: imported, Own: own})
	}
	return file, nil
}

// within reports whether a path is the folder, or below it.
func within(name, folder string) bool {
	return name == folder || strings.HasPrefix(name, folder+"/")
}

// named returns what the file names of a package, as "os.Getenv", and of that only what it calls when called is set.
func (f File) named(pkg string, called bool) []string {
	local := ""
	for i, imported := range f.Imports {
		if imported.Path == pkg {
			local = path.Base(pkg)
			if name := f.Syntax.Imports[i].Name; name != nil {
				local = name.Name
			}
		}
	}
	if local == "" {
		return nil
	}
	var names []string
	ast.Inspect(f.Syntax, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && called {
			n = call.Fun
		} else if called {
			return true
		}
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if of, ok := selector.X.(*ast.Ident); ok && of.Name == local {
				names = append(names, path.Base(pkg)+"."+selector.Sel.Name)
			}
		}
		return true
	})
	return names
}

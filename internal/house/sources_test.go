package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/tablecache-go/tablecache/"
	root   = "../.."
)

// house is what the rules look at. All paths are from the root, with slashes.
type house struct {
	fset  *token.FileSet
	files []file            // Go
	texts map[string]string // path -> text: Go, Lua and Markdown
}

// file is one Go file of ours.
type file struct {
	path, dir string
	lines     int
	tree      *ast.File
}

func (f file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// code is all Go that is not a test.
func (h *house) code() iter.Seq[file] {
	return func(yield func(file) bool) {
		for _, f := range h.files {
			if !f.isTest() && !yield(f) {
				return
			}
		}
	}
}

// at says where something is.
func (h *house) at(pos token.Pos) string {
	p := h.fset.Position(pos)
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// part is the first element of a path: table for table/table.go.
func part(path string) string { first, _, _ := strings.Cut(path, "/"); return first }

// rigs are the parts that look at a table from outside: they spell out what is a secret of the house elsewhere.
var rigs = []string{"internal", "stress", "bench"}

func isRig(path string) bool { return slices.Contains(rigs, part(path)) }

// literals are the string literals of a file, unquoted.
func literals(f file) iter.Seq2[token.Pos, string] {
	return func(yield func(token.Pos, string) bool) {
		for n := range ast.Preorder(f.tree) {
			lit, ok := n.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				continue
			}
			if text, err := strconv.Unquote(lit.Value); err == nil && !yield(lit.Pos(), text) {
				return
			}
		}
	}
}

func readAll(t *testing.T) *house {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains([]string{".go", ".lua", ".md"}, path.Ext(name)):
			return nil
		}
		text, err := os.ReadFile(name)
		texts[strings.TrimPrefix(filepath.ToSlash(name), root+"/")] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h, err := parse(texts)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func parse(texts map[string]string) (*house, error) {
	h := &house{fset: token.NewFileSet(), texts: texts}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		if path.Ext(name) != ".go" {
			continue
		}
		tree, err := parser.ParseFile(h.fset, name, texts[name], parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		lines := strings.Count(texts[name], "\n")
		h.files = append(h.files, file{path: name, dir: path.Dir(name), lines: lines, tree: tree})
	}
	return h, nil
}

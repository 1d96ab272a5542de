// Package house holds the rules of this repository that a machine can check. It reads the sources itself, and not
// through the go command, so that all build tags count and the test cache notices every change.
package house

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module   = "github.com/tablecache-go/tablecache/"
	root     = "../.."
	maxLines = 400
)

// mayImport tells what a part of the house may import of ours: parts, or "internal" for the packages in internal/.
// Parts that are not named here may import all.
var mayImport = map[string][]string{
	"codec":   {},
	"engine":  {},
	"cleanup": {},
	"table":   {"codec", "engine", "cleanup", "internal"},
}

// source is one file of ours.
type source struct {
	path  string // from the root, with slashes
	lines int
	tree  *ast.File
}

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// part is the first element of a path: table for table/keys.go.
func part(path string) string { first, _, _ := strings.Cut(path, "/"); return first }

func TestHouseRules(t *testing.T) {
	sources := readAll(t)
	if len(sources) < 10 {
		t.Fatalf("only %d files under %s: this is not our root", len(sources), root)
	}
	for _, s := range sources {
		for _, problem := range check(s) {
			t.Errorf("%s: %s", s.path, problem)
		}
	}
}

// check returns what is wrong with a file.
func check(s source) []string {
	problems := calls(s)
	if name := strings.TrimSuffix(s.tree.Name.Name, "_test"); name == "util" || name == "utils" {
		problems = append(problems, "no package is named "+name)
	}
	if s.isTest() {
		return problems
	}
	if s.lines > maxLines {
		problems = append(problems, strconv.Itoa(s.lines)+" lines: split it")
	}
	return append(problems, imports(s)...)
}

// imports checks the edges between the parts.
func imports(s source) (problems []string) {
	for _, spec := range s.tree.Imports {
		target, _ := strconv.Unquote(spec.Path.Value)
		if part(s.path) == "engine" && strings.Contains(target, "/go-redis/") {
			problems = append(problems, "engine imports "+target)
		}
		ours, found := strings.CutPrefix(target, module)
		allowed, bound := mayImport[part(s.path)]
		if found && bound && part(ours) != part(s.path) && !slices.Contains(allowed, part(ours)) {
			problems = append(problems, part(s.path)+" imports "+ours)
		}
	}
	return problems
}

// calls looks in test files for sleeping and skipping.
func calls(s source) (problems []string) {
	if !s.isTest() {
		return nil
	}
	ast.Inspect(s.tree, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && banned(sel) {
			problems = append(problems, "a test uses "+sel.X.(*ast.Ident).Name+"."+sel.Sel.Name)
		}
		return true
	})
	return problems
}

func banned(sel *ast.SelectorExpr) bool {
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return false
	}
	switch sel.Sel.Name {
	case "Sleep":
		return x.Name == "time"
	case "Skip", "Skipf", "SkipNow":
		return slices.Contains([]string{"t", "tb", "b", "f"}, x.Name)
	}
	return false
}

func readAll(t *testing.T) (sources []source) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		s, err := parse(strings.TrimPrefix(filepath.ToSlash(name), root+"/"), text)
		sources = append(sources, s)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sources
}

func parse(path string, text []byte) (source, error) {
	tree, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
	return source{path: path, lines: bytes.Count(text, []byte("\n")), tree: tree}, err
}

// Each rule sees what breaks it, and lets pass what comes close.
func TestTheRulesSee(t *testing.T) {
	for _, c := range []struct {
		name, path, text string
		want             string // part of the problem; empty: none
	}{
		{"engine imports a client", "engine/a.go", `package engine; import _ "github.com/redis/go-redis/v9"`, "go-redis"},
		{"codec imports ours", "codec/a.go", `package codec; import _ "` + module + `internal/walk"`, "codec imports internal/walk"},
		{"cleanup imports ours", "cleanup/a.go", `package cleanup; import _ "` + module + `engine"`, "cleanup imports engine"},
		{"table imports stress", "table/a.go", `package table; import _ "` + module + `stress"`, "table imports stress"},
		{"table imports codec", "table/a.go", `package table; import _ "` + module + `codec"`, ""},
		{"a test of codec imports ours", "codec/a_test.go", `package codec; import _ "` + module + `internal/walk"`, ""},
		{"stress imports table", "stress/a.go", `package stress; import _ "` + module + `table"`, ""},
		{"package util", "internal/util/a.go", `package util`, "util"},
		{"sleeping test", "table/a_test.go", `package table; import "time"; func f() { time.Sleep(1) }`, "time.Sleep"},
		{"sleeping program", "table/a.go", `package table; import "time"; func f() { time.Sleep(1) }`, ""},
		{"skipping test", "table/a_test.go", `package table; import "testing"; func f(t *testing.T) { t.Skipf("") }`, "t.Skipf"},
		{"long file", "table/a.go", "package table\n" + strings.Repeat("\n", maxLines), "lines"},
		{"long test", "table/a_test.go", "package table\n" + strings.Repeat("\n", maxLines), ""},
	} {
		s, err := parse(c.path, []byte(c.text))
		if err != nil {
			t.Fatal(c.name, err)
		}
		got := strings.Join(check(s), "; ")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

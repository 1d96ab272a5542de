package house

import (
	"fmt"
	"go/ast"
	"strings"
)

const (
	maxFile     = 320 // lines
	maxFunction = 60
)

// sizes checks how long files and functions are. Those of tests may be longer.
func sizes(h *house) (problems []string) {
	for f := range h.code() {
		if f.lines > maxFile {
			problems = append(problems, fmt.Sprintf("%s: %d lines, at most %d: split it", f.path, f.lines, maxFile))
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			if !isFunction(n) {
				return true
			}
			if lines := h.fset.Position(n.End()).Line - h.fset.Position(n.Pos()).Line + 1; lines > maxFunction {
				problems = append(problems, fmt.Sprintf("%s: a function of %d lines, at most %d", h.at(n.Pos()), lines, maxFunction))
			}
			return false // what is inside is shorter
		})
	}
	return problems
}

func isFunction(n ast.Node) bool {
	switch n.(type) {
	case *ast.FuncDecl, *ast.FuncLit:
		return true
	}
	return false
}

var sizeSights = []sight{
	{"a long file", map[string]string{"table/a.go": "package a" + lines(maxFile+1)}, "321 lines"},
	{"a file", map[string]string{"table/a.go": "package a" + lines(maxFile)}, ""},
	{"a long test", map[string]string{"table/a_test.go": "package a" + lines(maxFile+1)}, ""},
	{"a long function", map[string]string{"table/a.go": "package a\n// f\nfunc f() {" + lines(maxFunction) + "}"}, "table/a.go:3: a function of 61 lines"},
	{"a function", map[string]string{"table/a.go": "package a\n// f" + lines(maxFunction) + "func f() {" + lines(maxFunction-1) + "}"}, ""},
	{"a long literal", map[string]string{"table/a.go": "package a\nvar f = func() {" + lines(maxFunction) + "}"}, "a function of 61 lines"},
	{"a long function of a test", map[string]string{"table/a_test.go": "package a\nfunc f() {" + lines(maxFunction) + "}"}, ""},
}

func lines(n int) string { return strings.Repeat("\n", n) }

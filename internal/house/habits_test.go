package house

import (
	"go/ast"
	"slices"
	"strings"
)

// habits checks that no test sleeps or skips, and that no package is a drawer for everything.
func habits(h *house) (problems []string) {
	for _, f := range h.files {
		if name := strings.TrimSuffix(f.tree.Name.Name, "_test"); name == "util" || name == "utils" {
			problems = append(problems, f.path+": no package is named "+name)
		}
		if !f.isTest() {
			continue
		}
		for n := range ast.Preorder(f.tree) {
			if sel, ok := n.(*ast.SelectorExpr); ok && isLazy(sel) {
				problems = append(problems, h.at(n.Pos())+": a test uses "+sel.X.(*ast.Ident).Name+"."+sel.Sel.Name)
			}
		}
	}
	return problems
}

func isLazy(sel *ast.SelectorExpr) bool {
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

var habitSights = []sight{
	{"package util", map[string]string{"internal/util/a.go": "package util"}, "no package is named util"},
	{"a test of package utils", map[string]string{"internal/utils/a_test.go": "package utils_test"}, "no package is named utils"},
	{"package utility", map[string]string{"internal/utility/a.go": "package utility"}, ""},
	{"a sleeping test", map[string]string{"table/a_test.go": "package a\nfunc f() { time.Sleep(1) }"}, "table/a_test.go:2: a test uses time.Sleep"},
	{"a sleeping program", map[string]string{"table/a.go": "package a\nfunc f() { time.Sleep(1) }"}, ""},
	{"a skipping test", map[string]string{"table/a_test.go": "package a\nfunc f(t *testing.T) { t.Skipf(``) }"}, "t.Skipf"},
	{"a test that reads on", map[string]string{"table/a_test.go": "package a\nfunc f(r reader) { r.Skip(1) }"}, ""},
}

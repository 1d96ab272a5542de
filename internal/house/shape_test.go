package house

import (
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// shape tells how entangled a package is.
type shape struct {
	circle []string // the files of the largest circle: each uses all others, if only through others
	free   []string // unexported methods of generic types that need no type parameter: they belong on a plain one
}

const (
	maxCircle = 8
	maxFree   = 4
)

func TestTheShapeOfTable(t *testing.T) {
	s := shapeOf(readAll(t), "table")
	t.Logf("the largest circle of files has %d (at most %d): %s", len(s.circle), maxCircle, strings.Join(s.circle, " "))
	t.Logf("%d methods of generic types need no type parameter (at most %d): %s", len(s.free), maxFree, strings.Join(s.free, " "))
	for _, problem := range s.problems(maxCircle, maxFree) {
		t.Error(problem)
	}
}

func (s shape) problems(maxCircle, maxFree int) (problems []string) {
	if len(s.circle) > maxCircle {
		problems = append(problems, fmt.Sprintf("%d files use each other, at most %d: let one side know less of the other: %s",
			len(s.circle), maxCircle, strings.Join(s.circle, " ")))
	}
	if len(s.free) > maxFree {
		problems = append(problems, fmt.Sprintf("%d unexported methods of generic types need no type parameter, at most %d: move them to a plain type: %s",
			len(s.free), maxFree, strings.Join(s.free, " ")))
	}
	return problems
}

func shapeOf(h *house, dir string) shape {
	t := typeCheck(h, dir)
	return shape{circle: largestCircle(t.uses(h)), free: t.free()}
}

// uses tells which files a file uses: those that declare a name of the package, or a method, which it mentions. A field alone
// is not counted: to get at one a file must have been given a value, by somebody who knows its type.
func (t *typed) uses(h *house) map[string][]string {
	uses := map[string][]string{}
	for id, o := range t.info.Uses {
		if f, ok := o.(*types.Func); o.Pkg() == t.pkg && (o.Parent() == t.pkg.Scope() || ok && f.Signature().Recv() != nil) {
			from, to := path.Base(h.fset.Position(id.Pos()).Filename), path.Base(h.fset.Position(o.Pos()).Filename)
			uses[from] = append(uses[from], to)
		}
	}
	return uses
}

// largestCircle returns the largest of the sets of files in which each reaches all others.
func largestCircle(uses map[string][]string) (largest []string) {
	reached := map[string]map[string]bool{}
	for from := range uses {
		reached[from] = map[string]bool{}
		reach(uses, from, reached[from])
	}
	for _, a := range slices.Sorted(maps.Keys(uses)) {
		circle := slices.DeleteFunc(slices.Sorted(maps.Keys(reached[a])), func(b string) bool { return !reached[b][a] })
		if len(circle) > len(largest) {
			largest = circle
		}
	}
	return largest
}

func reach(uses map[string][]string, from string, reached map[string]bool) {
	for _, to := range uses[from] {
		if !reached[to] {
			reached[to] = true
			reach(uses, to, reached)
		}
	}
}

// free returns the unexported methods of generic types that need no type parameter. A method needs one if an expression of its
// signature or its body has a type that is made of one, the receiver before a dot left aside: so a field of such a type counts, even
// where only something plain inside of it is wanted (t.def.Name), and the receiver where it is handed on whole. A method that
// mentions one that needs a type parameter needs it too.
func (t *typed) free() (names []string) {
	needs, mentions := map[*types.Func]bool{}, map[*types.Func][]*types.Func{}
	for _, f := range t.files {
		for _, d := range f.tree.Decls {
			if d, method := t.genericMethod(d); method != nil {
				needs[method], mentions[method] = t.needsItself(d, method), t.methodsIn(d)
			}
		}
	}
	spread(needs, mentions)
	for method, does := range needs {
		if !does && !method.Exported() {
			names = append(names, receiver(method)+"."+method.Name())
		}
	}
	slices.Sort(names)
	return names
}

// genericMethod returns the method of a generic type that is declared, or nil.
func (t *typed) genericMethod(d ast.Decl) (*ast.FuncDecl, *types.Func) {
	decl, ok := d.(*ast.FuncDecl)
	if !ok {
		return nil, nil
	}
	f, ok := t.info.Defs[decl.Name].(*types.Func)
	if !ok || f.Signature().RecvTypeParams().Len() == 0 {
		return nil, nil
	}
	return decl, f
}

// needsItself tells whether a method needs a type parameter whatever the methods that it mentions need.
func (t *typed) needsItself(d *ast.FuncDecl, method *types.Func) (needs bool) {
	look := func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok && generic(t.info.Types[e].Type) {
			needs = true
		}
		if sel, ok := n.(*ast.SelectorExpr); ok {
			id, ok := sel.X.(*ast.Ident)
			return !ok || t.info.Uses[id] != method.Signature().Recv()
		}
		return !needs
	}
	ast.Inspect(d.Type, look)
	ast.Inspect(d.Body, look)
	return needs
}

// methodsIn returns the methods that one mentions.
func (t *typed) methodsIn(d *ast.FuncDecl) (methods []*types.Func) {
	for n := range ast.Preorder(d.Body) {
		if id, ok := n.(*ast.Ident); ok {
			if f, ok := t.info.Uses[id].(*types.Func); ok {
				methods = append(methods, f.Origin())
			}
		}
	}
	return methods
}

// spread lets need pass from methods to those that mention them, until nothing changes.
func spread(needs map[*types.Func]bool, mentions map[*types.Func][]*types.Func) {
	for changed := true; changed; {
		changed = false
		for method := range needs {
			if !needs[method] && slices.ContainsFunc(mentions[method], func(m *types.Func) bool { return needs[m] }) {
				needs[method], changed = true, true
			}
		}
	}
}

// receiver names the type of a method.
func receiver(method *types.Func) string {
	t := method.Signature().Recv().Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	return t.(*types.Named).Obj().Name()
}

// generic tells whether a type is made of a type parameter. An interface is not looked into: its methods are rarely spelled out
// on the spot.
func generic(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.TypeParam:
		return true
	case *types.Named:
		return slices.ContainsFunc(slices.Collect(t.TypeArgs().Types()), generic)
	case *types.Map:
		return generic(t.Key()) || generic(t.Elem())
	case interface{ Elem() types.Type }: // pointers, slices, arrays, channels
		return generic(t.Elem())
	case *types.Signature:
		return generic(t.Params()) || generic(t.Results())
	case *types.Tuple:
		return slices.ContainsFunc(slices.Collect(t.Variables()), func(v *types.Var) bool { return generic(v.Type()) })
	case *types.Struct:
		return slices.ContainsFunc(slices.Collect(t.Fields()), func(v *types.Var) bool { return generic(v.Type()) })
	}
	return false
}

// strictShape says all that there is to say of table's shape.
func strictShape(h *house) []string { return shapeOf(h, "table").problems(1, 0) }

var shapeSights = []sight{
	{"two files that use each other", files("func a() { b() }", "func b() { a() }", ""), "2 files use each other, at most 1: let one side know less of the other: a.go b.go"},
	{"three files", files("type A struct{ b B }", "type B struct{ c *C }", "type C []A"), "3 files"},
	{"a method of another file", files("type A int\nfunc (A) m() { b() }", "func b() { var a interface{ m() }; a.m() }", "func c(a A) { a.m() }"), ""},
	{"a method through a field", files("type A struct{ b B }\nfunc (A) m() {}", "type B struct{ c }\nfunc b(x c) { x.a().m() }", "type c struct{}\nfunc (c) a() (a A) { return }"), "3 files"},
	{"a chain of files", files("func a() { b() }", "func b() { c() }", "func c() {}"), ""},
	{"a field of another file", files("type A struct{ n int }\nfunc a() { b() }", "func b() { _ = c().n }", "func c() A"), "3 files"},
	{"a method through the standard library", files("import \"slices\"\nfunc a() { for x := range slices.Values(as) { x.m() } }", "var as []A\ntype A int", "func (A) m() { a() }"), "2 files use each other, at most 1: let one side know less of the other: a.go c.go"},
	{"a method of what has gone through a room", throughRoom(), "2 files"},
	{"local names", files("func a(b int) { _ = b }", "func b(a int) { _ = a }", ""), ""},
	{"a method that needs nothing", files("type A[R any] struct{ n int; r R }\nfunc (a *A[R]) m() int { return a.n }", "", ""), "1 unexported methods of generic types need no type parameter, at most 0: move them to a plain type: A.m"},
	{"an exported method", files("type A[R any] struct{ n int }\nfunc (a *A[R]) M() int { return a.n }", "", ""), ""},
	{"a method of a plain type", files("type A struct{ n int }\nfunc (a *A) m() int { return a.n }", "", ""), ""},
	{"a type parameter in the signature", files("type A[R any] struct{}\nfunc (A[R]) m(yield func(int, []R)) {}", "", ""), ""},
	{"a type parameter in the body", files("type A[R any] struct{}\nfunc (A[R]) m() { var r map[string]*R; _ = r }", "", ""), ""},
	{"a field that is made of one", files("type A[R any] struct{ b B[R] }\nfunc (a A[R]) m() int { return a.b.n }\ntype B[R any] struct{ n int }", "", ""), ""},
	{"a field that is a map", files("type A[R any] struct{ b map[string][]R }\nfunc (a A[R]) m() int { return len(a.b) }", "", ""), ""},
	{"a field that is a function", files("type A[R any] struct{ b func(*R) bool }\nfunc (a A[R]) m() bool { return a.b == nil }", "", ""), ""},
	{"a field that is a struct", files("type A[R any] struct{ b struct { n int; c chan R } }\nfunc (a A[R]) m() int { return a.b.n }", "", ""), ""},
	{"the receiver as a whole", files("type A[R any] struct{}\nfunc (a A[R]) m() { f(a) }\nfunc f(any) {}", "", ""), ""},
	{"a method that calls one which needs it", files("type A[R any] struct{ r R }\nfunc (a A[R]) m() { a.n() }\nfunc (a A[R]) n() { a.o() }\nfunc (a A[R]) o() { _ = a.r }", "", ""), ""},
	{"methods that only call each other", files("type A[R any] struct{ r R }\nfunc (a A[R]) m() { a.n() }\nfunc (a A[R]) n() { a.m() }", "", ""), "2 unexported methods of generic types need no type parameter, at most 0: move them to a plain type: A.m A.n"},
}

// files are three of package table.
func files(a, b, c string) map[string]string {
	return map[string]string{"table/a.go": "package table\n" + a, "table/b.go": "package table\n" + b, "table/c.go": "package table\n" + c}
}

// throughRoom has a method called on what only the types of another package of ours tell.
func throughRoom() map[string]string {
	all := files("import \""+module+layout+"\"\nfunc a() { layout.Same(b).m() }", "type A int\nvar b A", "func (A) m() { a() }")
	all[layout+"/a.go"] = "package layout\nfunc Same[T any](t T) T { return t }"
	return all
}

package house

import (
	"errors"
	"go/ast"
	"go/importer"
	"go/types"
	"strings"
)

// typed is a package of ours with its types, without its tests.
type typed struct {
	pkg   *types.Package
	info  *types.Info
	files []file
}

// checker finds types in the sources at hand. Those of the standard library come from GOROOT. Those of other modules are left
// out: what has one has no type, so that a method of ours which is called on such a value is not seen. That happens only where
// it has gone through a function of theirs, for its own type is known where it is declared.
type checker struct {
	house *house
	std   types.Importer
	done  map[string]*types.Package
}

var errLeftOut = errors.New("a package of another module")

func typeCheck(h *house, dir string) *typed {
	c := &checker{house: h, std: importer.ForCompiler(h.fset, "source", nil), done: map[string]*types.Package{}}
	return c.check(dir)
}

// Import is for the packages that a checked one imports.
func (c *checker) Import(path string) (*types.Package, error) {
	if dir, ours := strings.CutPrefix(path, module); ours {
		if c.done[dir] == nil {
			c.done[dir] = c.check(dir).pkg
		}
		return c.done[dir], nil
	}
	if strings.Contains(part(path), ".") {
		return nil, errLeftOut
	}
	return c.std.Import(path)
}

func (c *checker) check(dir string) *typed {
	t := &typed{info: &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Defs:  map[*ast.Ident]types.Object{},
		Uses:  map[*ast.Ident]types.Object{},
	}}
	var trees []*ast.File
	for f := range c.house.code() {
		if f.dir == dir {
			t.files, trees = append(t.files, f), append(trees, f.tree)
		}
	}
	config := types.Config{Importer: c, Error: func(error) {}} // the compiler tells of errors; here they are of what is left out
	t.pkg, _ = config.Check(module+dir, c.house.fset, trees, t.info)
	return t
}

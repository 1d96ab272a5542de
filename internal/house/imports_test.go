package house

import (
	"slices"
	"strconv"
	"strings"
)

// The rooms inside table.
const (
	layout  = "table/internal/layout"
	wire    = "table/internal/wire"
	scripts = "table/internal/wire/scripts"
	scan    = "table/internal/scan"
	store   = "table/internal/store"
	feed    = "table/internal/feed"
)

// room is what a package may import.
type room struct {
	ours  []string // packages of ours; its tests may import those in internal/ too
	redis bool     // the client
}

// rooms are all packages up to and including table. There is no other one in these parts of the house.
var rooms = map[string]room{
	"codec":   {},
	"engine":  {},
	"cleanup": {},
	layout:    {},
	wire:      {[]string{layout, "engine"}, true},
	scripts:   {[]string{layout, wire, "engine"}, true},
	scan:      {[]string{layout, wire, scripts, feed, "engine"}, true},
	store:     {[]string{layout, wire, scripts, feed, "engine", "cleanup"}, true},
	feed:      {[]string{layout, wire, scripts, "engine"}, true},
	"table":   {[]string{"codec", "engine", "cleanup", layout, wire, scripts, scan, store, feed}, true},
}

// public are the parts of the house that others are made of. What is not among them nobody imports.
var public = []string{"codec", "engine", "cleanup", "table", "mirror", "lead", "cache", "observe"}

// modules are parts that are modules of their own: what they need, our users need not. Only programs import them.
var modules = []string{"cache/pg"}

// imports checks who imports whom.
func imports(h *house) (problems []string) {
	for _, f := range h.files {
		if _, known := rooms[f.dir]; !known && isBound(f.dir) {
			problems = append(problems, f.path+": no room is called "+f.dir+": name it in imports_test.go, with what it may import")
			continue
		}
		for _, spec := range f.tree.Imports {
			target, _ := strconv.Unquote(spec.Path.Value)
			if !mayImport(f, target) {
				problems = append(problems, h.at(spec.Pos())+": "+f.dir+" must not import "+target)
			}
		}
	}
	return problems
}

// isBound tells whether a package must be one of the rooms.
func isBound(dir string) bool { _, is := rooms[part(dir)]; return is }

func mayImport(f file, target string) bool {
	dir, ours := strings.CutPrefix(target, module)
	switch {
	case ours:
		return dir == f.dir || mayImportOurs(f, dir)
	case strings.HasPrefix(target, "github.com/redis/go-redis/"):
		return f.isTest() || !isBound(f.dir) || rooms[f.dir].redis
	}
	return true
}

func mayImportOurs(f file, dir string) bool {
	switch {
	case isBound(f.dir):
		return slices.Contains(rooms[f.dir].ours, dir) || f.isTest() && part(dir) == "internal"
	case moduleOf(dir) != "" && moduleOf(dir) != moduleOf(f.dir):
		return slices.Contains([]string{"examples", "bench"}, part(f.dir))
	case part(dir) == "internal" && slices.Contains(public, part(f.dir)):
		return f.isTest()
	case part(f.dir) == "internal", part(dir) == "internal", part(dir) == part(f.dir):
		return true
	}
	return slices.Contains(public, part(dir)) && !strings.Contains(dir, "/internal/")
}

// moduleOf returns the module that a package is in; empty: the library's own.
func moduleOf(dir string) string {
	for _, m := range modules {
		if dir == m || strings.HasPrefix(dir, m+"/") {
			return m
		}
	}
	return ""
}

var importSights = []sight{
	{"engine imports a client", imported("engine/a.go", redisClient), "engine must not import " + redisClient},
	{"a test of engine imports a client", imported("engine/a_test.go", redisClient), ""},
	{"layout imports a client", imported(layout+"/a.go", redisClient), "must not"},
	{"wire imports a client", imported(wire+"/a.go", redisClient), ""},
	{"table imports a client", imported("table/a.go", redisClient), ""},
	{"mirror imports a client", imported("mirror/a.go", redisClient), ""},
	{"codec imports a rig", imported("codec/a.go", module+"internal/walk"), "must not"},
	{"a test of codec imports a rig", imported("codec/a_test.go", module+"internal/walk"), ""},
	{"cleanup imports engine", imported("cleanup/a.go", module+"engine"), "cleanup must not"},
	{"a test of cleanup imports engine", imported("cleanup/a_test.go", module+"engine"), "cleanup must not"},
	{"a package in engine", imported("engine/clock/a.go", "time"), "no room is called engine/clock"},
	{"a package in table", imported("table/internal/helpers/a.go", "time"), "no room"},
	{"layout imports engine", imported(layout+"/a.go", module+"engine"), "must not"},
	{"wire imports its scripts", imported(wire+"/a.go", module+scripts), "must not"},
	{"scripts import wire", imported(scripts+"/a.go", module+wire), ""},
	{"scan imports store", imported(scan+"/a.go", module+store), "must not"},
	{"a test of scan imports store", imported(scan+"/a_test.go", module+store), "must not"},
	{"a test of scan imports itself", imported(scan+"/a_test.go", module+scan), ""},
	{"a test of scan imports a rig", imported(scan+"/a_test.go", module+"internal/walk"), ""},
	{"scan imports cleanup", imported(scan+"/a.go", module+"cleanup"), "must not"},
	{"store imports cleanup", imported(store+"/a.go", module+"cleanup"), ""},
	{"feed imports scan", imported(feed+"/a.go", module+scan), "must not"},
	{"store imports table", imported(store+"/a.go", module+"table"), "must not"},
	{"table imports a room", imported("table/a.go", module+scan), ""},
	{"table imports codec", imported("table/a.go", module+"codec"), ""},
	{"table imports a rig", imported("table/a.go", module+"internal/walk"), "must not"},
	{"table imports mirror", imported("table/a.go", module+"mirror"), "must not"},
	{"mirror imports table", imported("mirror/a.go", module+"table"), ""},
	{"mirror imports a room", imported("mirror/a.go", module+layout), "must not"},
	{"mirror imports a rig", imported("mirror/a.go", module+"internal/walk"), "must not"},
	{"a test of mirror imports a rig", imported("mirror/a_test.go", module+"internal/walk"), ""},
	{"cache imports table", imported("cache/a.go", module+"table"), ""},
	{"cache imports a module of its own", imported("cache/a.go", module+"cache/pg"), "must not"},
	{"stress imports a module of its own", imported("stress/a.go", module+"cache/pg"), "must not"},
	{"a rig imports a module of its own", imported("internal/walk/a.go", module+"cache/pg"), "must not"},
	{"an example imports a module of its own", imported("examples/postgres/a.go", module+"cache/pg"), ""},
	{"cache/pg imports cache", imported("cache/pg/a.go", module+"cache"), ""},
	{"cache/pg imports a room", imported("cache/pg/a.go", module+layout), "must not"},
	{"cache/pg imports a rig", imported("cache/pg/a.go", module+"internal/pgtest"), "must not"},
	{"a test of cache/pg imports a rig", imported("cache/pg/a_test.go", module+"internal/pgtest"), ""},
	{"cache imports stress", imported("cache/a.go", module+"stress"), "must not"},
	{"an example imports what is the examples' own", imported("examples/a/a.go", module+"examples/internal/b"), ""},
	{"stress imports a rig", imported("stress/a.go", module+"internal/walk"), ""},
	{"stress imports what is the examples' own", imported("stress/a.go", module+"examples/internal/b"), "must not"},
	{"a rig imports table", imported("internal/walk/a.go", module+"table"), ""},
}

const redisClient = "github.com/redis/go-redis/v9"

func imported(path, target string) map[string]string {
	return map[string]string{path: "package a\nimport _ " + strconv.Quote(target)}
}

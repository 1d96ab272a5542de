package house

import (
	"slices"
	"strings"
)

// fileMaps checks the map of files in the comment of a doc.go, a section of this form:
//
//	# Where to find what (or: # Files)
//
//		name.go   what it holds
//
// Where there is one it names exactly the files of its package that are not tests; doc.go itself it may leave out. Every package
// in table has one.
func fileMaps(h *house) (problems []string) {
	for _, f := range h.files {
		if f.path != f.dir+"/doc.go" || !slices.Contains([]string{"table", "engine", "cleanup", "mirror", "cache"}, part(f.dir)) {
			continue
		}
		named, is := fileMap(f)
		if !is {
			continue
		}
		there := filesOf(h, f.dir)
		for _, name := range missing(there, named) {
			problems = append(problems, f.path+": its map does not name "+name)
		}
		for _, name := range missing(named, append(there, "doc.go")) {
			problems = append(problems, f.path+": its map names "+name+", which is not there")
		}
	}
	return append(problems, withoutMap(h)...)
}

// withoutMap finds packages in table that have no map.
func withoutMap(h *house) (problems []string) {
	mapped := map[string]bool{}
	for f := range h.code() {
		_, is := fileMap(f)
		mapped[f.dir] = mapped[f.dir] || is && f.path == f.dir+"/doc.go"
	}
	for dir, is := range mapped {
		if part(dir) == "table" && !is {
			problems = append(problems, dir+"/doc.go: `# Where to find what` and a line for each file are missing")
		}
	}
	slices.Sort(problems)
	return problems
}

// fileMap returns the names in the map of a package's comment.
func fileMap(f file) (names []string, is bool) {
	inside := false
	for line := range strings.Lines(f.tree.Doc.Text()) {
		if title, heads := strings.CutPrefix(strings.TrimSpace(line), "# "); heads {
			inside = title == "Where to find what" || title == "Files"
		}
		name, found := nameOf(line)
		if inside && found {
			names = append(names, name)
		}
	}
	return names, len(names) > 0
}

// nameOf returns the file that a line of a map is about. A line that is indented further goes on with the one before.
func nameOf(line string) (string, bool) {
	rest, indented := strings.CutPrefix(line, "\t")
	first, _, _ := strings.Cut(strings.TrimRight(rest, "\n"), " ")
	return first, indented && strings.HasSuffix(first, ".go")
}

// filesOf returns the names of a package's files, but for tests and doc.go.
func filesOf(h *house, dir string) (names []string) {
	for f := range h.code() {
		if name := strings.TrimPrefix(f.path, dir+"/"); f.dir == dir && name != "doc.go" {
			names = append(names, name)
		}
	}
	return names
}

// missing returns what is in all and not in some.
func missing(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return slices.Contains(some, name) })
}

var mapSights = []sight{
	{"no map in table", mapped("table", "// Package a has files.\n//\n//\ta.go   one\n//\tb.go   two\n"), "`# Where to find what` and a line for each file are missing"},
	{"no map in a room", mapped(scan, "// Package a.\n"), "missing"},
	{"no doc.go", map[string]string{wire + "/a.go": "package a"}, "missing"},
	{"a map elsewhere", map[string]string{wire + "/a.go": "// # Files\n//\n//\ta.go   one\npackage a"}, "missing"},
	{"a section without names", mapped("table", "// # Files\n//\n// They are in a.go and b.go.\n"), "missing"},
	{"no map in engine", mapped("engine", "// Package a.\n"), ""},
	{"a file in cache/pg that is not named", mapped("cache/pg", "// # Files\n//\n//\ta.go   one\n"), "does not name b.go"},
	{"no map in stress", mapped("stress", "// # Files\n//\n//\tc.go   three\n"), ""},
	{"a file that is not named", mapped("engine", "// # Files\n//\n//\ta.go   one\n"), "does not name b.go"},
	{"a file that is not there", mapped("table", "// # Files\n//\n//\ta.go   one\n//\tb.go   two\n//\tc.go   three\n"), "names c.go, which is not there"},
	{"a test that is named", mapped("table", "// # Files\n//\n//\ta.go   one\n//\ta_test.go   its test\n//\tb.go   two\n"), "names a_test.go"},
	{"names in the next section", mapped("table", "// # Files\n//\n//\ta.go   one\n//\n// # More\n//\n//\tb.go   two\n"), "does not name b.go"},
	{"a map", mapped("table", "// # Where to find what\n//\n//\ta.go   one, which\n//\t       c.go was\n//\tb.go   two\n"), ""},
	{"a map that names doc.go", mapped(layout, "// # Files\n//\n//\ta.go     one\n//\tb.go     two\n//\tdoc.go   this\n"), ""},
	{"a map in a block", mapped("cleanup", "/*\nPackage a.\n\n# Files\n\n\ta.go   one\n\tb.go   two\n*/\n"), ""},
}

func mapped(dir, comment string) map[string]string {
	return map[string]string{
		dir + "/doc.go":    comment + "package a",
		dir + "/a.go":      "package a",
		dir + "/a_test.go": "package a",
		dir + "/b.go":      "package a",
	}
}

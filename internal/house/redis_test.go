package house

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// suffix is what makes a key of a table's name.
var suffix = regexp.MustCompile(`:[mrsf]$|:[ix](:|$)`)

// keys checks that names of keys are made in layout alone.
func keys(h *house) (problems []string) {
	for f := range h.code() {
		if f.dir == layout || isRig(f.path) {
			continue
		}
		for pos, text := range literals(f) {
			if suffix.MatchString(text) {
				problems = append(problems, h.at(pos)+": "+strconv.Quote(text)+" looks like a key: those are made in "+layout)
			}
		}
	}
	return problems
}

var keySights = []sight{
	{"a suffix", stringIn("table/a.go", ":m"), `":m" looks like a key`},
	{"a key", stringIn(store+"/a.go", "flights:s"), "looks like a key"},
	{"the feed's key", stringIn("mirror/a.go", ":f"), "looks like a key"},
	{"a key of an index", stringIn(scan+"/a.go", "%s:i:%s"), "looks like a key"},
	{"the end of a name", stringIn("table/a.go", ":x"), "looks like a key"},
	{"layout", stringIn(layout+"/a.go", ":m"), ""},
	{"a test", stringIn("table/a_test.go", ":m"), ""},
	{"a rig", stringIn("internal/walk/a.go", ":m"), ""},
	{"an address", stringIn("table/a.go", "redis://:secret@:6379"), ""},
	{"a word behind a colon", stringIn("table/a.go", "table:index:staged"), ""},
	{"a message", stringIn("table/a.go", "table: %s: merge:more"), ""},
}

// lua checks that Lua is in its folder alone, each script beside its Go.
func lua(h *house) (problems []string) {
	for _, name := range slices.Sorted(maps.Keys(h.texts)) {
		if path.Ext(name) == ".lua" {
			problems = append(problems, place(h, name)...)
		}
	}
	for f := range h.code() {
		if f.dir == scripts || isRig(f.path) {
			continue
		}
		for pos, text := range literals(f) {
			if strings.Contains(text, "redis.call") || strings.Contains(text, "redis.pcall") {
				problems = append(problems, h.at(pos)+": Lua in a string: it belongs into "+scripts)
			}
		}
	}
	return problems
}

// place checks where a Lua file is. What several scripts begin with is in a folder of its own.
func place(h *house, name string) []string {
	beside := strings.TrimSuffix(name, ".lua") + ".go"
	switch path.Dir(name) {
	case scripts + "/prelude":
		return nil
	case scripts:
		if _, is := h.texts[beside]; !is {
			return []string{name + ": there is no " + path.Base(beside) + " beside it, with the script's call and its reply"}
		}
		return nil
	}
	return []string{name + ": Lua belongs into " + scripts}
}

var luaSights = []sight{
	{"a script elsewhere", map[string]string{"table/scripts/put.lua": "", "table/scripts/put.go": "package a"}, "belongs into"},
	{"a script alone", map[string]string{scripts + "/put.lua": "", scripts + "/puts.go": "package a"}, "no put.go"},
	{"a script in a folder", map[string]string{scripts + "/more/put.lua": "", scripts + "/more/put.go": "package a"}, "belongs into"},
	{"a script", map[string]string{scripts + "/put.lua": "", scripts + "/put.go": "package a"}, ""},
	{"a prelude", map[string]string{scripts + "/prelude/head.lua": ""}, ""},
	{"Lua in a string", stringIn(wire+"/a.go", "return redis.call('GET', KEYS[1])"), "Lua in a string"},
	{"Lua in a string of scripts", stringIn(scripts+"/a.go", "return redis.call('GET', KEYS[1])"), ""},
	{"Lua in a string of a test", stringIn("table/a_test.go", "return redis.call('GET', KEYS[1])"), ""},
	{"a call of Redis", stringIn("table/a.go", "calling redis: %w"), ""},
}

func stringIn(path, text string) map[string]string {
	return map[string]string{path: "package a\nconst a = " + strconv.Quote(text)}
}

// Package house holds the rules of this repository that a machine can check. It reads the sources itself, and not
// through the go command, so that all build tags count and the test cache notices every change.
//
// # Where to find what
//
//	house_test.go      the list of rules, and the test that each rule sees what breaks it
//	sources_test.go    reading and parsing what the rules look at
//	imports_test.go    who may import whom
//	sizes_test.go      how long files and functions may be
//	redis_test.go      where names of keys and Lua belong
//	words_test.go      words that have a better one, and the glossary
//	maps_test.go       the map of files in a package's comment
//	habits_test.go     how tests wait, how packages are not called
//	shape_test.go      circles of files and methods without need of a type parameter, in package table
//	typecheck_test.go  types for the shape
package house

import (
	"slices"
	"strings"
	"testing"
)

// rule is one thing that holds everywhere.
type rule struct {
	name  string
	check func(*house) []string // what is wrong, each with its place
	sees  []sight
}

// sight is a small house, and what a rule says of it.
type sight struct {
	name  string
	files map[string]string // path -> text
	want  string            // part of what is wrong; empty: nothing is
}

var rules = []rule{
	{"imports", imports, importSights},
	{"sizes", sizes, sizeSights},
	{"keys", keys, keySights},
	{"lua", lua, luaSights},
	{"words", words, wordSights},
	{"glossary", glossary, glossarySights},
	{"maps", fileMaps, mapSights},
	{"habits", habits, habitSights},
}

func TestHouseRules(t *testing.T) {
	h := readAll(t)
	if len(h.files) < 10 {
		t.Fatalf("only %d files under %s: this is not our root", len(h.files), root)
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, problem := range r.check(h) {
				t.Error(problem)
			}
		})
	}
}

// Each rule sees what breaks it, and lets pass what comes close.
func TestTheRulesSee(t *testing.T) {
	for _, r := range append(slices.Clone(rules), rule{"shape", strictShape, shapeSights}) {
		t.Run(r.name, func(t *testing.T) {
			wrong := 0
			for _, s := range r.sees {
				show(t, r, s)
				if s.want != "" {
					wrong++
				}
			}
			if wrong == 0 || wrong == len(r.sees) {
				t.Errorf("%d of %d sights are wrong: show both kinds", wrong, len(r.sees))
			}
		})
	}
}

func show(t *testing.T, r rule, s sight) {
	t.Helper()
	h, err := parse(s.files)
	if err != nil {
		t.Fatal(s.name, err)
	}
	got := strings.Join(r.check(h), "; ")
	if (s.want == "") != (got == "") || !strings.Contains(got, s.want) {
		t.Errorf("%s: %q, want %q", s.name, got, s.want)
	}
}

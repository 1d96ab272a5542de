package house

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// avoided are words that have a better one, which is the field's. Each with an s behind is avoided too.
var avoided = []struct {
	word, use string
	comments  bool // not in comments either
}{
	{"lane", "transaction", true},
	{"flight", "pipeline", true},
	{"fly", "sent", false},
	{"flying", "sent", false},
	{"pump", "prefetcher", true},
	{"sieve", "filter", true},
	{"twin", "dedup", false},
	{"twins", "dedup", true},
	{"sizing", "average", false},
	{"storm", "cooldown", false},
	{"safety", "preflight", false},
	{"past", "visited", false},
	{"look", "probe", false},
	{"ask", "pending", false},
	{"question", "request", true},
	{"meta", "truth", false},
	{"had", "applied", false},
}

// better returns the word to use instead of one; empty: that one will do.
func better(word string, comment bool) string {
	for _, a := range avoided {
		if (word == a.word || word == a.word+"s") && (a.comments || !comment) {
			return a.use
		}
	}
	return ""
}

// words checks the names that are given in the library, of files too, and its comments.
func words(h *house) (problems []string) {
	for f := range h.code() {
		if !slices.Contains([]string{"codec", "engine", "cleanup", "table"}, part(f.path)) {
			continue
		}
		problems = append(problems, unwelcome(f.path, strings.TrimSuffix(path.Base(f.path), ".go"), false)...)
		for _, id := range given(f.tree) {
			problems = append(problems, unwelcome(h.at(id.Pos()), id.Name, false)...)
		}
		for _, group := range f.tree.Comments {
			problems = append(problems, unwelcome(h.at(group.Pos()), group.Text(), true)...)
		}
	}
	return problems
}

// unwelcome says what is wrong with the words of a text.
func unwelcome(at, text string, comment bool) (problems []string) {
	for _, word := range split(text) {
		if use := better(word, comment); use != "" {
			where := text
			if comment {
				where = "a comment"
			}
			problems = append(problems, fmt.Sprintf("%s: use %s instead of %s, in %s", at, use, word, where))
		}
	}
	return problems
}

// A word begins where a capital follows a small letter, or is followed by one among capitals: queue|HTTP|Probe.
var begin = regexp.MustCompile(`(\p{Ll})(\p{Lu})|(\p{Lu})(\p{Lu}\p{Ll})`)

// split cuts names and texts into words, in small letters.
func split(text string) []string {
	text = begin.ReplaceAllString(text, "$1$3 $2$4")
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) })
}

// given are the names that a file gives, each once: a name that it only uses is somebody else's to change.
func given(tree *ast.File) (names []*ast.Ident) {
	seen := map[string]bool{}
	add := func(ids ...*ast.Ident) {
		for _, id := range ids {
			if id != nil && !seen[id.Name] {
				seen[id.Name] = true
				names = append(names, id)
			}
		}
	}
	add(tree.Name)
	for n := range ast.Preorder(tree) {
		switch n := n.(type) {
		case *ast.ImportSpec:
			add(n.Name)
		case *ast.TypeSpec:
			add(n.Name)
		case *ast.FuncDecl:
			add(n.Name)
		case *ast.LabeledStmt:
			add(n.Label)
		case *ast.ValueSpec:
			add(n.Names...)
		case *ast.Field:
			add(n.Names...)
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				add(idents(n.Lhs)...)
			}
		case *ast.RangeStmt:
			if n.Tok == token.DEFINE {
				add(idents([]ast.Expr{n.Key, n.Value})...)
			}
		}
	}
	return names
}

func idents(exprs []ast.Expr) (ids []*ast.Ident) {
	for _, e := range exprs {
		if id, ok := e.(*ast.Ident); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

var wordSights = []sight{
	{"a type", inTable("type laneState int"), "table/a.go:2: use transaction instead of lane, in laneState"},
	{"a field", inTable("type a struct { asks int }"), "use pending instead of asks"},
	{"a method of an interface", inTable("type a interface { Fly() }"), "use sent instead of fly, in Fly"},
	{"a type parameter", inTable("type a[Meta any] int"), "use truth"},
	{"a function", inTable("func queue_look() {}"), "use probe"},
	{"a receiver", inTable("func (pump a) run() {}"), "use prefetcher"},
	{"a parameter", inTable("func a(twins int) {}"), "use dedup"},
	{"a result", inTable("func a() (had bool) { return }"), "use applied"},
	{"a constant", inTable("const HTTPStorm = 1"), "use cooldown"},
	{"a variable", inTable("func a() { past := 1; _ = past }"), "use visited"},
	{"a variable of a loop", inTable("func a() { for i, question := range b {} }"), "use request"},
	{"a label", inTable("func a() { safety: for { break safety } }"), "use preflight"},
	{"an import", inTable("import sizing \"time\""), "use average"},
	{"a file", map[string]string{"engine/sieve.go": "package a"}, "engine/sieve.go: use filter instead of sieve, in sieve"},
	{"a package", map[string]string{"cleanup/a.go": "package flights"}, "use pipeline instead of flights"},
	{"a comment", inTable("// a sends four\n// Flights.\nfunc a() {}"), "table/a.go:2: use pipeline instead of flights, in a comment"},
	{"a comment at the end of a line", inTable("var a int // of questionsAhead"), "use request instead of questions"},
	{"words that a comment may use", inTable("// a had a look at the past, and asks for safety.\nfunc a() {}"), ""},
	{"words that contain others", inTable("func lookup(task, asking, planet, metal int) { ahead, sieved := 1, 2 }"), ""},
	{"names of others", inTable("func a() { b.Flight(c.lane, exec.Look) }"), ""},
	{"a string", inTable("const a = \"flights\""), ""},
	{"a test", map[string]string{"table/lane_test.go": "package a\nfunc lane() {}"}, ""},
	{"an example", map[string]string{"examples/flights/a.go": "package a\ntype flight int"}, ""},
}

func inTable(text string) map[string]string {
	return map[string]string{"table/a.go": "package a\n" + text}
}

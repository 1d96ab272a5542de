package house

import (
	"fmt"
	"slices"
	"strings"
)

const architecture = "docs/ARCHITECTURE.md"

// glossary checks that a newcomer finds each word to use beside the one it is used instead of.
func glossary(h *house) (problems []string) {
	instead := glossaryOf(h.texts[architecture])
	for _, a := range avoided {
		if !slices.Contains(instead[a.use], a.word) {
			problems = append(problems, fmt.Sprintf("%s: the glossary does not say %q instead of %q", architecture, a.use, a.word))
		}
	}
	return problems
}

// glossaryOf reads the table of three columns under "## Glossary": word -> the words that it is used instead of.
func glossaryOf(text string) map[string][]string {
	instead, inside := map[string][]string{}, false
	for line := range strings.Lines(text) {
		if title, heads := strings.CutPrefix(line, "## "); heads {
			inside = strings.TrimSpace(title) == "Glossary"
		}
		if cells := strings.Split(strings.TrimSpace(line), "|"); inside && len(cells) == 5 {
			instead[strings.TrimSpace(cells[1])] = split(cells[3])
		}
	}
	return instead
}

var glossarySights = []sight{
	{"no document", nil, "does not say"},
	{"no glossary", document("## Words\n" + table(rows())), `does not say "transaction" instead of "lane"`},
	{"a glossary", document("## Glossary\n\nHere:\n\n" + table(rows())), ""},
	{"a table behind it", document("## Glossary\n\n## More\n" + table(rows())), "does not say"},
	{"a word less", document("## Glossary\n" + table(rows()[1:])), `does not say "transaction" instead of "lane"`},
	{"a word that is only told of", document("## Glossary\n" + table(append(rows()[1:], "| transaction | once: lane | |"))), `"transaction" instead of "lane"`},
	{"another word", document("## Glossary\n" + table(append(rows()[1:], "| lane | once | transaction |"))), `"transaction" instead of "lane"`},
}

func document(text string) map[string]string {
	return map[string]string{architecture: "# Architecture\n\n" + text}
}

func table(rows []string) string {
	return "| word | meaning | instead of |\n|---|---|---|\n" + strings.Join(rows, "\n") + "\n"
}

// rows are the lines of a glossary that says just what it must.
func rows() (lines []string) {
	instead := map[string][]string{}
	for _, a := range avoided {
		instead[a.use] = append(instead[a.use], a.word)
	}
	for _, a := range avoided {
		lines = append(lines, fmt.Sprintf("| %s | it | %s, |", a.use, strings.Join(instead[a.use], ", ")))
	}
	return slices.Compact(lines)
}

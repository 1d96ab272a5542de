package main

import (
	"fmt"
	"os"
	"strings"
)

// report is one table of figures, printed row by row as they come.
type report struct {
	mark   string // where it goes in the Markdown file
	head   []string
	widths []int // of the columns in the terminal; negative: to the left
	rows   [][]string
}

func (r *report) begin() {
	r.print(r.head)
	fmt.Println(strings.Repeat("-", len(r.text(r.head))))
}

func (r *report) add(cells ...string) {
	r.rows = append(r.rows, cells)
	r.print(cells)
}

func (r *report) print(cells []string) { fmt.Println(strings.TrimRight(r.text(cells), " ")) }

func (r *report) text(cells []string) string {
	var out strings.Builder
	for i, c := range cells {
		fmt.Fprintf(&out, "%*s  ", r.widths[i], c)
	}
	return out.String()
}

// end writes the report into the Markdown file, if there is one, between the marks that bear its name.
func (r *report) end(o options) error {
	fmt.Println()
	if o.markdown == "" {
		return nil
	}
	text, err := os.ReadFile(o.markdown)
	if err != nil {
		return err
	}
	open, shut := "<!-- "+r.mark+" -->\n", "<!-- end of "+r.mark+" -->"
	before, rest, found := strings.Cut(string(text), open)
	_, after, also := strings.Cut(rest, shut)
	if !found || !also {
		return fmt.Errorf("%s has no marks for %s", o.markdown, r.mark)
	}
	return os.WriteFile(o.markdown, []byte(before+open+o.machine+".\n\n"+r.markdown()+shut+after), 0o644)
}

func (r *report) markdown() string {
	var out strings.Builder
	line := func(cells []string) { out.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	line(r.head)
	rule := make([]string, len(r.head))
	for i := range rule {
		rule[i] = "---"
		if r.widths[i] > 0 {
			rule[i] = "---:"
		}
	}
	line(rule)
	for _, row := range r.rows {
		line(row)
	}
	return out.String()
}

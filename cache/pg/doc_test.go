package pg

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// flightsTrigger is the trigger of the package's comment.
var flightsTrigger = Trigger{Name: "flights", Table: pgx.Identifier{"public", "flights"}, Key: []string{"id"}}

// The package's comment shows what is run.
func TestTheCommentShowsWhatInstallRuns(t *testing.T) {
	t.Parallel()
	tree, err := parser.ParseFile(token.NewFileSet(), "doc.go", nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	for line := range strings.Lines(flightsTrigger.SQL()) {
		if line != "\n" {
			shown.WriteString("\t")
		}
		shown.WriteString(line)
	}
	if !strings.Contains(tree.Doc.Text(), shown.String()) {
		t.Errorf("doc.go does not show this:\n%s", shown.String())
	}
}

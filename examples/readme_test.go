package examples_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/internal/redistest"
)

func TestMain(m *testing.M) { connect.Silence(); os.Exit(redistest.Main(m)) }

var goBlock = regexp.MustCompile("(?s)```go\n(.*?)```")

// All Go in the README is in one of these files too, and so compiles and runs.
func TestTheReadmeSaysWhatRuns(t *testing.T) {
	t.Parallel()
	tested := ""
	for _, file := range []string{"quickstart_test.go", "cache_test.go", "mirror_test.go", "howto_test.go", "readers_test.go", "lead_test.go", "fleet/replica.go",
		"postgres/departures.go", "../table/example_follow_test.go"} {
		tested += read(t, file)
	}
	blocks := goBlock.FindAllStringSubmatch(read(t, "../README.md"), -1)
	if len(blocks) < 3 {
		t.Fatalf("only %d blocks of Go in the README", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(tested, "\n"+block[1]) {
			t.Errorf("this is in the README alone:\n%s", block[1])
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

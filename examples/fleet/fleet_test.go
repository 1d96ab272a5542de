package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(redistest.Main(m))
}

// visitFor runs the example, and fails unless all answers were right and several owners came and went.
func visitFor(t *testing.T, args ...string) {
	t.Helper()
	var out, diag bytes.Buffer
	if code := run(t.Context(), append(args, "-time", "5s", "-life", "1s"), &out, &diag); code != 0 {
		t.Fatalf("exit status %d\n%s%s", code, &out, &diag)
	}
	if text := out.String(); !strings.Contains(text, "0 failed, 0 mixed, 0 went back") || strings.Contains(text, "while 1 owners") {
		t.Errorf("printed\n%s", text)
	}
}

func TestEmbedded(t *testing.T) { visitFor(t) }

func TestServer(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	visitFor(t, "-redis", "redis://"+server.Addr())
	if n, err := server.Client(t).DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("%d keys (%v) are left", n, err)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"-role", "cook", "-redis", "redis://localhost:1"}, {"-role", "reader"}, {"more"}, {"-redis", "nonsense"}} {
		var out, diag bytes.Buffer
		if code := run(t.Context(), args, &out, &diag); code != 2 || diag.Len() == 0 {
			t.Errorf("%v: exit status %d, %q", args, code, &diag)
		}
	}
}

// Whoever checks answers must find wrong ones.
func TestWrongAnswersAreFound(t *testing.T) {
	hours, err := loadHours()
	if err != nil {
		t.Fatal(err)
	}
	whole := func(change uint32) (parts []seen) {
		for i := range hours {
			parts = append(parts, seen{Hour: i, Flights: len(hours[i].flights), Revision: revisionAt(change, i, len(hours))})
		}
		return parts
	}
	m := func() *memory { return &memory{hours: hours, latest: make(map[int]uint32)} }
	if f := m().check(whole(3007), true); f.mixed != 0 || f.back != 0 {
		t.Errorf("a right answer: %+v", f)
	}
	for what, spoil := range map[string]func([]seen) []seen{
		"an hour of the reload before": func(p []seen) []seen { p[5].Revision = 2000; return p },
		"an hour of the change before": func(p []seen) []seen { p[hourOf(3007, len(hours))].Revision = 3000; return p },
		"a flight is missing":          func(p []seen) []seen { p[3].Flights--; return p },
		"an hour is missing":           func(p []seen) []seen { return p[1:] },
		"two revisions in an hour":     func(p []seen) []seen { p[0].Mixed = true; return p },
		"another hour's revision":      func(p []seen) []seen { p[1].Revision = 3000 + uint32(hourOf(3002, len(hours))); return p },
	} {
		if f := m().check(spoil(whole(3007)), true); f.mixed == 0 && what != "an hour of the change before" {
			t.Errorf("%s: not found", what)
		}
	}
	later := m()
	later.check(whole(3007), true)
	if f := later.check(whole(3006), true); f.back == 0 {
		t.Error("an answer that goes back: not found")
	}
}

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(redistest.Main(m))
}

// printed is what several processes have printed.
type printed struct {
	mu   sync.Mutex // guards what follows
	text bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// visitFor runs the example, and fails unless all answers were right and several owners came and went.
func visitFor(t *testing.T, args ...string) (text string) {
	t.Helper()
	t.Parallel()
	var out, diag printed
	if code := run(t.Context(), append(args, "-time", "2s", "-life", "500ms"), &out, &diag); code != 0 || diag.String() != "" {
		t.Errorf("exit status %d: %s", code, &diag)
	}
	if text = out.String(); !strings.Contains(text, "0 failed, 0 mixed, 0 went back") || strings.Contains(text, "while 1 owners") {
		t.Errorf("printed\n%s", text)
	}
	return text
}

// Without -mirror there are no answers of mirrors; with it both kinds hold all promises, also from one to the other.
func TestEmbedded(t *testing.T) {
	if text := visitFor(t); !strings.Contains(text, " reader ") || strings.Contains(text, " mirror ") {
		t.Errorf("printed\n%s", text)
	}
}

func TestEmbeddedWithMirrors(t *testing.T) { showsBoth(t, visitFor(t, "-mirror")) }

func TestServerWithMirrors(t *testing.T) {
	showsBoth(t, visitFor(t, "-mirror", "-redis", "redis://"+redistest.Start(t, redistest.Options{}).Addr()))
}

var kindLine = regexp.MustCompile(`(?m)^ *(reader|mirror) +[1-9]\d* +[\d.µms]+ +[\d.µms]+ +(none|<= [\d.µms]+) *$`)

// showsBoth wants figures of both kinds, and an age of mirrors alone.
func showsBoth(t *testing.T, text string) {
	t.Helper()
	found := kindLine.FindAllStringSubmatch(text, -1)
	if len(found) != 2 || found[0][1] != "reader" || found[0][2] != "none" || found[1][1] != "mirror" || found[1][2] == "none" {
		t.Errorf("printed\n%s", text)
	}
}

func TestServer(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	visitFor(t, "-redis", "redis://"+server.Addr())
	if n, err := server.Client(t).DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("%d keys (%v) are left", n, err)
	}
}

// An owner whose table is taken over ends by itself.
func TestAnOwnerThatEndsByItselfIsTold(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	var diag printed
	ended := make(chan int, 1)
	out := newFirstLine()
	go func() {
		ended <- run(t.Context(), []string{"-redis", "redis://" + server.Addr(), "-time", "1m", "-life", "1m"}, out, &diag)
	}()
	<-out.line
	intruder, err := table.Open(t.Context(), server.Client(t), flightdata.Definition(tableName))
	if err != nil {
		t.Fatal(err)
	}
	defer intruder.Close()
	if code := <-ended; code != 1 || !strings.Contains(diag.String(), "the owner has ended by itself") {
		t.Errorf("exit status %d: %s", code, &diag)
	}
}

// Whoever interrupts the visitor interrupts all; the verdict is of what was seen until then.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	var diag printed
	out := newFirstLine()
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"-time", "1m"}, out, &diag) }()
	<-out.line
	interrupt()
	<-ended
	if text := string(out.begun); !strings.Contains(text, " 0 mixed") {
		t.Errorf("printed\n%s%s", text, &diag)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"-role", "cook", "-redis", "redis://localhost:1"}, {"-role", "reader"}, {"more"}, {"-redis", "nonsense"}, {"-life", "0"}} {
		var out, diag printed
		if code := run(t.Context(), args, &out, &diag); code != 2 || diag.String() == "" {
			t.Errorf("%v: exit status %d, %q", args, code, &diag)
		}
	}
}

// Whoever checks answers must find wrong ones.
func TestWrongAnswersAreFound(t *testing.T) {
	t.Parallel()
	waves, err := loadWaves()
	if err != nil {
		t.Fatal(err)
	}
	whole := func(change uint32) (all []seen) {
		for i := range waves {
			all = append(all, seen{Wave: i, Flights: len(waves[i].flights), Revision: revisionAt(change, i, len(waves))})
		}
		return all
	}
	if _, err := newMemory(waves).check(whole(3007), forAll); err != nil {
		t.Errorf("a right answer: %v", err)
	}
	for what, spoil := range map[string]func([]seen) []seen{
		"a wave of the reload before": func(a []seen) []seen { a[5].Revision = 2000; return a },
		"a change is missing":         func(a []seen) []seen { a[waveOf(3005, len(waves))].Revision = 3000; return a },
		"a flight is missing":         func(a []seen) []seen { a[3].Flights--; return a },
		"a wave is missing":           func(a []seen) []seen { return a[1:] },
		"nothing":                     func([]seen) []seen { return nil },
		"two revisions in a wave":     func(a []seen) []seen { a[0].Mixed = true; return a },
		"another wave's revision":     func(a []seen) []seen { a[1].Revision = 3000 + uint32(waveOf(3002, len(waves))); return a },
	} {
		if _, err := newMemory(waves).check(spoil(whole(3007)), forAll); !errors.Is(err, errMixed) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	m := newMemory(waves)
	m.check(whole(3007), forAll)
	if _, err := m.check(whole(3006), forAll); !errors.Is(err, errBack) {
		t.Errorf("an answer that goes back: got %v", err)
	}
}

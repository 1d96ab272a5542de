package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/internal/redistest"
)

func TestMain(m *testing.M) {
	connect.Silence()
	os.Exit(redistest.Main(m))
}

func TestWrongFlags(t *testing.T) {
	for _, args := range [][]string{{"-nonsense"}, {"more"}, {"-redis", "localhost"}, {"-clients", "0"}, {"-for", "-1s"}} {
		var out, diag bytes.Buffer
		if code := run(t.Context(), args, &out, &diag); code != 2 {
			t.Errorf("%q: exit status %d", args, code)
		}
		if line := diag.String(); !strings.HasPrefix(line, "server: ") || strings.Count(line, "\n") != 1 {
			t.Errorf("%q: not one clear line: %q", args, line)
		}
	}
}

func TestAddressInUse(t *testing.T) {
	var out, diag bytes.Buffer
	server := redistest.Shared(t)
	if code := run(t.Context(), []string{"-listen", server.Addr()}, &out, &diag); code != 1 {
		t.Errorf("exit status %d", code)
	}
	if !strings.Contains(diag.String(), "address already in use") {
		t.Errorf("says %q", &diag)
	}
}

// TestStopsWhenTold serves until its context ends, as after a signal, and leaves no goroutine behind.
func TestStopsWhenTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &firstWrite{then: cancel} // it writes when it serves
	var diag bytes.Buffer
	if code := run(ctx, []string{"-listen", "localhost:0"}, out, &diag); code != 0 || diag.Len() > 0 {
		t.Errorf("exit status %d, %s", code, &diag)
	}
}

type firstWrite struct{ then func() }

func (f *firstWrite) Write(p []byte) (int, error) {
	f.then()
	return len(p), nil
}

// TestLoad drives the server under reloads: a request that sees a mix makes it fail.
func TestLoad(t *testing.T) {
	var out, diag bytes.Buffer
	args := []string{"-listen", "localhost:0", "-redis", "redis://" + redistest.Shared(t).Addr(), "-load", "-clients", "4", "-for", "1200ms"}
	if code := run(t.Context(), args, &out, &diag); code != 0 || diag.Len() > 0 {
		t.Fatalf("exit status %d, %s", code, &diag)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	calm, busy := strings.Fields(lines[len(lines)-2]), strings.Fields(lines[len(lines)-1])
	if len(calm) != 6 || len(busy) != 6 || calm[0] != "0" || busy[0] == "0" || calm[1] == "0" || busy[1] == "0" {
		t.Errorf("printed\n%s", &out)
	}
}

func TestIsWhole(t *testing.T) {
	for answer, want := range map[string]bool{
		"":                                     true,
		`{"id":1,"revision":2}`:                true,
		"{\"revision\":2}\n{\"revision\":2}\n": true,
		"{\"revision\":2}\n{\"revision\":3}\n": false,
	} {
		if got, err := isWhole([]byte(answer), "/top"); err != nil || got != want {
			t.Errorf("%q: %v, %v", answer, got, err)
		}
	}
	if whole, err := isWhole([]byte(`{"id":1,"revision":2}`), everything); err != nil || whole {
		t.Errorf("one flight is everything: %v", err)
	}
	if _, err := isWhole([]byte(`{"id":`), "/top"); err == nil {
		t.Error("half an answer was taken")
	}
}

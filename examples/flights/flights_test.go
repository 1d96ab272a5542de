package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/internal/redistest"
)

var update = flag.Bool("update", false, "rewrite testdata/flights.golden")

// asProgram in the environment makes the test binary be the program itself.
const asProgram = "FLIGHTS_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	connect.Silence()
	os.Exit(redistest.Main(m))
}

func TestEmbedded(t *testing.T) {
	var out, diag bytes.Buffer
	if code := run(t.Context(), nil, &out, &diag); code != 0 || diag.Len() > 0 {
		t.Fatalf("exit status %d, %s", code, &diag)
	}
	checkGolden(t, out.String())
}

// TestServer also shows that keys of others are left alone, and that ours are empty afterwards.
func TestServer(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	rdb := server.Client(t)
	for _, key := range []string{tableName, tableName + "-2:r", "other"} {
		if err := rdb.Set(t.Context(), key, "mine", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	var out, diag bytes.Buffer
	if code := run(t.Context(), []string{"-redis", "redis://" + server.Addr()}, &out, &diag); code != 0 || diag.Len() > 0 {
		t.Fatalf("exit status %d, %s", code, &diag)
	}
	checkGolden(t, strings.Replace(out.String(), "redis at "+server.Addr(), "a redis embedded in this process", 1))
	if n, err := rdb.DBSize(t.Context()).Result(); err != nil || n != 5 {
		t.Errorf("%d keys (%v), want the three of others, and the truth and the feed of the table", n, err)
	}
}

// What differs from run to run: times, padded, and how many reads there were.
var (
	times  = regexp.MustCompile(` +[0-9.]+(ns|µs|ms|s)\n`)
	counts = regexp.MustCompile(` +[0-9]+ (old|new) sets`)
)

func checkGolden(t *testing.T, out string) {
	t.Helper()
	out = times.ReplaceAllString(out, " TIME\n")
	out = counts.ReplaceAllString(out, " N $1 sets")
	const file = "testdata/flights.golden"
	if *update {
		if err := os.WriteFile(file, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if out != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", out, want)
	}
}

func TestWrongFlags(t *testing.T) {
	for _, args := range [][]string{{"-nonsense"}, {"-redis"}, {"more"}, {"-redis", "http://localhost"}} {
		var out, diag bytes.Buffer
		if code := run(t.Context(), args, &out, &diag); code != 2 {
			t.Errorf("%q: exit status %d", args, code)
		}
		checkOneLine(t, diag.String())
		if out.Len() > 0 {
			t.Errorf("%q: wrote %s", args, &out)
		}
	}
}

func checkOneLine(t *testing.T, diag string) {
	t.Helper()
	if !strings.HasPrefix(diag, "flights: ") || strings.Count(diag, "\n") != 1 || !strings.HasSuffix(diag, "\n") {
		t.Errorf("not one clear line: %q", diag)
	}
}

func TestHelp(t *testing.T) {
	var out, diag bytes.Buffer
	if code := run(t.Context(), []string{"-help"}, &out, &diag); code != 0 || !strings.Contains(diag.String(), "-redis URL") {
		t.Errorf("exit status %d, %s", code, &diag)
	}
}

// TestUnreachable runs the program itself: nothing but our line may reach standard error, not even from a library.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-redis", "redis://"+addr)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	var diag bytes.Buffer
	cmd.Stderr = &diag
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || len(out) > 0 {
		t.Errorf("%v, %s", err, out)
	}
	checkOneLine(t, diag.String())
	if !strings.Contains(diag.String(), "connection refused") {
		t.Errorf("does not say why: %s", &diag)
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, diag bytes.Buffer
	if code := run(ctx, nil, &out, &diag); code != 1 || diag.String() != "flights: interrupted\n" {
		t.Errorf("exit status %d, %s", code, &diag)
	}
}

// TestAMixIsAFailure: the demonstration must be able to fail.
func TestAMixIsAFailure(t *testing.T) {
	before := []flight{{ID: 1, Delay: -3}, {ID: 2, Delay: 5}, {ID: 3}}
	after := recomputed(before)
	w := &watch{old: summary(before), fresh: summary(after)}
	w.count(summary(before))
	w.count(summary(after))
	w.count(summary([]flight{before[0], before[1], after[2]}))
	w.count(summary(before[:2]))
	w.count(summary(append(after, before...)))
	if (w.seen != seen{old: 1, fresh: 1, mix: 3}) {
		t.Errorf("%+v", w.seen)
	}
	var out bytes.Buffer
	if err := w.seen.print(&out); !errors.Is(err, errMix) {
		t.Errorf("%v", err)
	}
}

package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/examples/internal/flightdata"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
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

// serveOnce starts the server with some more flags and stops it as soon as it serves. It returns what it has said.
func serveOnce(t *testing.T, redis *redistest.Server, flags ...string) (code int, out, diag string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var said, complaint bytes.Buffer
	args := append([]string{"-listen", "localhost:0", "-redis", "redis://" + redis.Addr()}, flags...)
	code = run(ctx, args, io.MultiWriter(&said, &firstWrite{then: cancel}), &complaint)
	return code, said.String(), complaint.String()
}

// TestASecondStartFindsTheData: what is in the table outlives the process, and only -reset loads it again.
func TestASecondStartFindsTheData(t *testing.T) {
	redis := redistest.Start(t, redistest.Options{})
	rdb := redis.Client(t)
	serve := func(says string, flags ...string) {
		t.Helper()
		if code, out, diag := serveOnce(t, redis, flags...); code != 0 || diag != "" || !strings.Contains(out, says) {
			t.Fatalf("exit status %d, %s%s, want %q", code, out, diag, says)
		}
	}
	inTable := func(do func(s *server)) {
		t.Helper()
		tab, err := open(t.Context(), rdb, options{})
		if err != nil {
			t.Fatal(err)
		}
		defer tab.Close()
		do(newServer(tab, nil, flightdata.Load)) // nobody asks it for what is live
	}
	serve("20000 flights loaded")
	inTable(func(s *server) {
		if n, err := s.table.DeleteKeys(t.Context(), 1); n != 1 || err != nil {
			t.Fatalf("%d deleted: %v", n, err)
		}
	})
	serve("flights of revision 1 found")
	inTable(func(s *server) {
		if _, err := s.table.Get(t.Context(), 1); !errors.Is(err, table.ErrNotFound) {
			t.Errorf("the second start has loaded the table again: %v", err)
		}
		if _, err := s.fill(t.Context()); err != nil {
			t.Fatal(err)
		}
		if done, err := s.reload(t.Context()); err != nil || done.Revision != 2 {
			t.Errorf("a reload after the second start is of revision %d: %v", done.Revision, err)
		}
	})
	serve("flights of revision 2 found")
	serve("20000 flights loaded", "-reset")
}

// TestATableOfAnotherSchemaIsKept until the operator drops it.
func TestATableOfAnotherSchemaIsKept(t *testing.T) {
	redis := redistest.Start(t, redistest.Options{})
	other := flightdata.Definition(tableName)
	other.Attributes[6] = table.Field("revision", codec.Int64, func(*flight) *int64 { return new(int64) })
	tab, err := table.Open(t.Context(), redis.Client(t), other)
	if err != nil {
		t.Fatal(err)
	}
	tab.Close()
	if code, _, diag := serveOnce(t, redis); code != 1 || !strings.Contains(diag, "start with -reset") {
		t.Errorf("exit status %d, %s", code, diag)
	}
	if code, out, diag := serveOnce(t, redis, "-reset"); code != 0 || !strings.Contains(out, "20000 flights loaded") {
		t.Errorf("exit status %d, %s%s", code, out, diag)
	}
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

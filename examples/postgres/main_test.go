package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/tablecache-go/tablecache/examples/internal/connect"
	"github.com/tablecache-go/tablecache/internal/pgtest"
	"github.com/tablecache-go/tablecache/internal/redistest"
)

// postgresql is started once for the tests of this package; each has a database of its own. They run one after another: they measure.
var postgresql *pgtest.Server

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	connect.Silence()
	var err error
	if postgresql, err = pgtest.Launch(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer postgresql.Stop()
	return redistest.Main(m, goleak.IgnoreCurrent()) // which is who waits for the server
}

// figures are what the acts print, with an editor's name for %s.
var figures = []string{
	`^20000 flights and their airports in PostgreSQL, by COPY, in \S+; the cache is in `,
	`(?m)^   1575 records, joined by the database, in one merge: \S+s$`,
	`(?m)^   2 January to 8 January, .*: tablecache: not covered: .*$`,
	`(?m)^   \S+ for all; fetched were only the 5 days that were missing$`,
	`(?m)^   answers meanwhile: [1-9]\d* whole, 0 in part; \d+ reads of what was not covered were refused$`,
	`(?m)^3\. A row is updated 20 times, by %s: `,
	`(?m)^   seen by a fresh read, since the UPDATE was sent: median \S+s, at most \S+s$`,
	`(?m)^   171 records show it, all in the same answer: \S+s after`,
	`(?m)^   a fresh read of what is invalid: tablecache: the source has failed$`,
	`(?m)^   answers in \S+: [1-9]\d* with MaxStale\(1h\), [1-9]\d* with AsIs, all whole; 0 reads have failed$`,
	`(?m)^   it is back: what was changed is seen after \S+s, and all is what SQL says again\n\z`,
}

func checkFigures(t *testing.T, out, editor string) {
	t.Helper()
	t.Log(out)
	for _, line := range figures {
		if !regexp.MustCompile(strings.ReplaceAll(line, "%s", editor)).MatchString(out) {
			t.Errorf("there is no line %s", line)
		}
	}
}

func TestEmbedded(t *testing.T) {
	url := postgresql.Database(t)
	var out, diag bytes.Buffer
	if code := run(t.Context(), []string{"-pg", url}, &out, &diag); code != 0 || diag.Len() > 0 {
		t.Errorf("exit status %d, %s", code, &diag)
	}
	checkFigures(t, out.String(), "psql")
	checkNothingLeft(t, url)
}

// Without psql it is a connection that changes rows.
func TestServer(t *testing.T) {
	url, server := postgresql.Database(t), redistest.Start(t, redistest.Options{})
	t.Setenv("PATH", t.TempDir())
	var out, diag bytes.Buffer
	if code := run(t.Context(), []string{"-pg", url, "-redis", "redis://" + server.Addr()}, &out, &diag); code != 0 || diag.Len() > 0 {
		t.Errorf("exit status %d, %s", code, &diag)
	}
	checkFigures(t, out.String(), "a connection of its own")
	checkNothingLeft(t, url)
	if n, err := server.Client(t).DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("%d keys (%v) are left", n, err)
	}
}

func checkNothingLeft(t *testing.T, url string) {
	t.Helper()
	var left int
	const count = "SELECT count(*) FROM pg_class WHERE relnamespace::regnamespace::text !~ '^pg_|^information_schema$'"
	if err := connectTo(t, url).QueryRow(t.Context(), count).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d tables and indexes (%v) are left", left, err)
	}
}

// The server really is stopped and started again.
func TestTheDatabaseIsStoppedAndStarted(t *testing.T) {
	stopped := pgtest.Start(t)
	var out bytes.Buffer
	s, err := open(t.Context(), options{pg: stopped.URL(), redis: "redis://" + redistest.Shared(t).Addr()}, &out)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	type change = func(context.Context) error
	err = s.run(t.Context(), func(ctx context.Context, c *departures) error {
		p, err := newPlay(ctx, s, c)
		if err != nil {
			return err
		}
		p.outage = outage{
			begin: func(context.Context, change) error { stopped.Kill(t); return nil },
			end:   func(ctx context.Context, change change) error { stopped.Restart(t); return change(ctx) },
		}
		return p.play(ctx)
	})
	if err != nil {
		t.Error(err)
	}
	checkFigures(t, out.String(), "psql")
}

// Who watches is told what others change, until Ctrl-C.
func TestWatch(t *testing.T) {
	url := postgresql.Database(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out, ended := newTranscript(), make(chan int, 1)
	go func() { ended <- run(ctx, []string{"-pg", url, "-watch"}, out, out) }()
	out.wait(t, "Ctrl-C removes all")
	db := connectTo(t, url)
	for _, step := range []struct{ statement, told string }{
		{"UPDATE tablecache_example.flights SET delay = 99 WHERE id = 1", "~ flight 1, 1 January 00:47, +99 minutes, from Detroit Metropolitan-Wayne County to McCarran International\n"},
		{"UPDATE tablecache_example.airports SET name = 'Motown' WHERE code = 'DTW'", "+99 minutes, from Motown to"},
		{"DELETE FROM tablecache_example.flights WHERE id = 2", "- flight 2, "},
		{"INSERT INTO tablecache_example.flights VALUES (0, '2001-01-02 12:00Z', 5, 'DTW', 'LAS')", "+ flight 0, 2 January 12:00, +5 minutes, from Motown"},
	} {
		if _, err := db.Exec(t.Context(), step.statement); err != nil {
			t.Fatal(err)
		}
		out.wait(t, step.told)
	}
	interrupt()
	if code := <-ended; code != 0 {
		t.Errorf("exit status %d", code)
	}
	checkNothingLeft(t, url)
}

func TestInterrupted(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	var out, diag bytes.Buffer
	if code := run(ctx, []string{"-pg", postgresql.Database(t)}, &out, &diag); code != 1 || diag.String() != "postgres: interrupted\n" {
		t.Errorf("exit status %d, %s", code, &diag)
	}
}

func TestWrongUsage(t *testing.T) {
	for _, args := range [][]string{
		nil, {"-pg", "postgres://canary@h:x"}, {"-nonsense"}, {"-pg", postgresql.URL(), "more"}, {"-pg", postgresql.URL(), "-redis", "http://canary"},
	} {
		var out, diag bytes.Buffer
		code := run(t.Context(), args, &out, &diag)
		if code != 2 || !strings.HasPrefix(diag.String(), "postgres: ") || strings.Contains(diag.String(), "canary") || out.Len() > 0 {
			t.Errorf("%q: exit status %d, %s%s", args, code, &diag, &out)
		}
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	var out, diag bytes.Buffer
	code := run(t.Context(), []string{"-pg", "postgres://me:canary@" + l.Addr().String() + "/test?sslmode=disable"}, &out, &diag)
	if code != 1 || !strings.Contains(diag.String(), "connection refused") || strings.Contains(diag.String(), "canary") {
		t.Errorf("exit status %d, %s", code, &diag)
	}
}

// transcript is what a program has printed until now.
type transcript struct {
	mu   sync.Mutex // guards what follows
	text string
	more chan struct{} // closed when there is more
}

func newTranscript() *transcript { return &transcript{more: make(chan struct{})} }

func (w *transcript) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text += string(b)
	close(w.more)
	w.more = make(chan struct{})
	return len(b), nil
}

func (w *transcript) now() (string, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text, w.more
}

// wait waits until something is printed.
func (w *transcript) wait(t *testing.T, what string) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		text, more := w.now()
		if strings.Contains(text, what) {
			return
		}
		select {
		case <-more:
		case <-timeout:
			t.Fatalf("%q is not printed:\n%s", what, text)
		}
	}
}

func connectTo(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

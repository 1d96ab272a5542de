package pgtest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

const childEnv = "PGTEST_CHILD"

// child starts a server, tells its directory and waits to be killed.
func child() int {
	s, err := Launch()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.home)
	_, _ = io.Copy(io.Discard, os.Stdin)
	s.Stop() // the parent died before it killed us
	return 0
}

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(child())
	}
	goleak.VerifyTestMain(m)
}

func TestTheServerDiesWithItsTestProcess(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), childEnv+"=1"), os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	home := readLine(t, stdout)
	t.Cleanup(func() { os.RemoveAll(home) })
	if !answers(home) {
		t.Fatal("there is no server")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	for ctx := deadline(t); answers(home); {
		if !pause(ctx) {
			t.Fatal("the server lives on")
		}
	}
}

func readLine(t *testing.T, r io.Reader) string {
	t.Helper()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// answers tells whether somebody listens. The connection is closed at once: a server that ends waits for one that says nothing.
func answers(home string) bool {
	conn, err := net.Dial("unix", home+"/.s.PGSQL.5432")
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

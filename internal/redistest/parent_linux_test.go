package redistest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const childEnv = "REDISTEST_CHILD"

// child starts a server, tells its address and waits to be killed.
func child() int {
	s, err := start(Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	s.stop() // the parent died before it killed us
	return 0
}

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(child())
	}
	os.Exit(Main(m))
}

func TestTheServerDiesWithItsTestProcess(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1", "TMPDIR="+t.TempDir())
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
	conn := dialFrom(t, stdout)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Errorf("the server lives on: %v", err)
	}
}

// dialFrom connects to the address that r tells.
func dialFrom(t *testing.T, r io.Reader) net.Conn {
	t.Helper()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestTheServerOutlivesTheThreadThatAskedForIt(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	defer close(release)
	got := make(chan asked)
	go askFromDyingThread(got, release)
	a := <-got
	if a.tid == os.Getpid() { // the main thread never ends: it stays taken while another is asked
		go askFromDyingThread(got, release)
		a = <-got
	}
	if a.err != nil {
		t.Fatal(a.err)
	}
	t.Cleanup(a.s.stop)
	waitThreadGone(t, a.tid)
	set(t, a.s.Client(t), "k", "v")
}

// asked is a server and the thread whose goroutine asked for it.
type asked struct {
	s   *Server
	tid int
	err error
}

// askFromDyingThread starts a server and ends with its thread; on the main thread it only holds that.
func askFromDyingThread(got chan<- asked, release <-chan struct{}) {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	tid := syscall.Gettid()
	if tid == os.Getpid() {
		got <- asked{tid: tid}
		<-release
		runtime.UnlockOSThread()
		return
	}
	s, err := start(Options{})
	got <- asked{s, tid, err}
}

func waitThreadGone(t *testing.T, tid int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for {
		if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", tid)); err != nil {
			return
		}
		if !pause(ctx) {
			t.Fatal("the thread did not end: the test proves nothing")
		}
	}
}

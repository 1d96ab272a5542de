//go:build unix

package faulty

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// roleVariable names the role of a child in its environment.
const roleVariable = "TABLECACHE_FAULTY_ROLE"

// Role is what a child does. It talks with its parent in lines, and returns the error that ends it, if any. A child
// whose parent has gone finds that there is no line left.
type Role func(parent *Talk) error

// Talk is the lines between a parent and its child.
type Talk struct {
	in  *bufio.Scanner
	out io.Writer
}

// Say sends a line.
func (t *Talk) Say(words ...any) { fmt.Fprintln(t.out, words...) } // nobody there: hearing will tell

// Hear waits for a line; false: the other side has gone.
func (t *Talk) Hear() (string, bool) {
	heard := t.in.Scan()
	return t.in.Text(), heard
}

// Main plays the role that this process was started for, if any, and ends the process. A TestMain calls it first.
func Main(roles map[string]Role) {
	name, is := os.LookupEnv(roleVariable)
	if !is {
		return
	}
	talk := &Talk{in: bufio.NewScanner(os.Stdin), out: os.Stdout}
	if err := roles[name](talk); err != nil {
		fmt.Fprintln(os.Stderr, "child:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Child is a process that plays a role.
type Child struct {
	Talk
	cmd *exec.Cmd
}

// Spawn starts this test binary again in a role. The child is killed when the test ends.
func Spawn(t testing.TB, role string) *Child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	race := "GORACE=" + os.Getenv("GORACE") + " atexit_sleep_ms=0" // else a process with the race detector ends a second later
	cmd.Env = append(os.Environ(), roleVariable+"="+role, race)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &Child{Talk: Talk{in: bufio.NewScanner(out), out: in}, cmd: cmd}
	t.Cleanup(func() {
		c.Kill()
		c.Rest()
	})
	return c
}

// Kill ends the process with SIGKILL. Killing a dead one does nothing.
func (c *Child) Kill() { _ = c.cmd.Process.Kill() } // an error means that it is gone

// Rest hears what the child still says, until it is gone, and returns that.
func (c *Child) Rest() (lines []string) {
	for line, heard := c.Hear(); heard; line, heard = c.Hear() {
		lines = append(lines, strings.TrimSpace(line))
	}
	_ = c.cmd.Wait() // killed is how it may have ended
	return lines
}

// Stop freezes the process with SIGSTOP.
func (c *Child) Stop(t testing.TB) { c.signal(t, syscall.SIGSTOP) }

// Continue lets a frozen process go on.
func (c *Child) Continue(t testing.TB) { c.signal(t, syscall.SIGCONT) }

func (c *Child) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

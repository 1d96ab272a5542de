package redistest

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestStartAnswersOnSocketAndPort(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	set(t, s.Client(t), "k", "v")
	if got := get(t, s.TCPClient(t, nil), "k"); got != "v" {
		t.Errorf("over TCP: %q, want v: two servers?", got)
	}
	if strings.HasSuffix(s.Addr(), ":6379") || len(s.Socket()) >= 100 {
		t.Errorf("addr %s, socket %s", s.Addr(), s.Socket())
	}
}

func TestManyServersAtOnceAreApart(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	servers := make([]*Server, 6)
	for i := range servers {
		wg.Go(func() { servers[i], _ = start(Options{}) })
	}
	wg.Wait()
	for i, s := range servers {
		if s == nil {
			t.Fatal("a server did not start")
		}
		t.Cleanup(s.stop)
		set(t, s.Client(t), "who", strconv.Itoa(i))
	}
	for i, s := range servers {
		if got := get(t, s.TCPClient(t, nil), "who"); got != strconv.Itoa(i) {
			t.Errorf("server %d answers as %s", i, got)
		}
	}
}

func TestKillThenRestartKeepsAddressDirAndArgs(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Args: []string{"--appendonly", "yes", "--appendfsync", "always"}})
	set(t, s.Client(t), "k", "v")
	addr, pid := s.Addr(), s.PID()
	s.Kill(t)
	s.Kill(t) // a second time does nothing
	if _, err := net.Dial("tcp", addr); err == nil {
		t.Fatal("a killed server still listens")
	}
	s.Restart(t)
	if got := get(t, s.TCPClient(t, nil), "k"); got != "v" || s.Addr() != addr || s.PID() == pid {
		t.Errorf("after restart: k=%q addr=%s pid=%d, before: v %s %d", got, s.Addr(), s.PID(), addr, pid)
	}
}

func TestRestartOfARunningServerStartsItEmpty(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	set(t, s.Client(t), "k", "v")
	s.Restart(t)
	if err := s.Client(t).Get(t.Context(), "k").Err(); err != redis.Nil {
		t.Errorf("got %v, want redis.Nil", err)
	}
}

func TestStartAvoidsATakenPortAndInsistsOnAGivenOne(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	port := s.port
	taken, err := start(Options{Port: port})
	if err == nil {
		taken.stop()
		t.Fatal("two servers on one port")
	}
	if !strings.Contains(err.Error(), "Address already in use") {
		t.Errorf("the error does not tell why: %v", err)
	}
}

func TestPortTakenIsTold(t *testing.T) {
	t.Parallel()
	a, b := Start(t, Options{}), Start(t, Options{})
	b.Kill(t)
	b.port = a.port
	if err := b.launch(t.Context()); err == nil || !b.portTaken() {
		t.Errorf("err %v, portTaken %v: a retry would not happen", err, b.portTaken())
	}
}

func TestDirIsReusedAndLeft(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir(), Args: []string{"--appendonly", "yes"}}
	first, err := start(o)
	if err != nil {
		t.Fatal(err)
	}
	set(t, first.Client(t), "k", "v")
	first.stop()
	if got := get(t, Start(t, o).Client(t), "k"); got != "v" {
		t.Errorf("k = %q, want v", got)
	}
}

func TestStopRemovesWhatItMade(t *testing.T) {
	t.Parallel()
	s, err := start(Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.stop()
	if _, err := os.Stat(s.home); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", s.home, err)
	}
}

func TestABadArgumentFailsWithTheLog(t *testing.T) {
	t.Parallel()
	s, err := start(Options{Args: []string{"--no-such-option", "1"}})
	if err == nil {
		s.stop()
		t.Fatal("started")
	}
	if !strings.Contains(err.Error(), "no-such-option") {
		t.Errorf("the error hides the server's words: %v", err)
	}
}

func TestAPasswordIsNoObstacle(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{Args: []string{"--requirepass", "x"}})
	c := s.TCPClient(t, func(o *redis.Options) { o.Password = "x" })
	set(t, c, "k", "v")
}

func TestSharedIsOneServer(t *testing.T) {
	t.Parallel()
	if a, b := Shared(t), Shared(t); a != b {
		t.Error("two shared servers")
	}
	set(t, Shared(t).Client(t), Prefix(t), "v")
}

func TestPrefixNeverRepeats(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^t[0-9a-f]{6}n[0-9]+$`)
	var all []string
	for range 100 {
		all = append(all, Prefix(t))
	}
	for _, p := range all {
		if !form.MatchString(p) {
			t.Errorf("%q", p)
		}
	}
	slices.Sort(all)
	if len(slices.Compact(all)) != 100 {
		t.Error("a prefix came twice")
	}
}

func TestALongTempDirIsRefused(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", long)
	if _, err := newHome(); err == nil {
		t.Error("accepted")
	}
}

func set(t *testing.T, c *redis.Client, key, value string) {
	t.Helper()
	if err := c.Set(context.Background(), key, value, 0).Err(); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, c *redis.Client, key string) string {
	t.Helper()
	value, err := c.Get(context.Background(), key).Result()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

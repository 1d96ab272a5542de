package pgtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// psql runs SQL and returns what it says.
func (s *Server) psql(t *testing.T, url, sql string) string {
	t.Helper()
	out, err := exec.Command(filepath.Join(s.bin, "psql"), "-X", "-A", "-t", "-c", sql, url).CombinedOutput()
	if err != nil {
		t.Fatalf("psql: %v\n%s", err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestAServerKeepsItsDataWhenItIsKilled(t *testing.T) {
	t.Parallel()
	s := Start(t)
	s.psql(t, s.URL(), "CREATE TABLE a AS SELECT 7 AS n; CHECKPOINT")
	s.Kill(t)
	s.Kill(t)
	if out, err := exec.Command(filepath.Join(s.bin, "psql"), "-X", "-c", "SELECT 1", s.URL()).CombinedOutput(); err == nil {
		t.Fatalf("a killed server answers: %s", out)
	}
	s.Restart(t)
	if got := s.psql(t, s.URL(), "SELECT n FROM a"); got != "7" {
		t.Errorf("n is %q", got)
	}
}

func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	s := Start(t)
	one, other := s.Database(t), s.Database(t)
	s.psql(t, one, "CREATE TABLE a (n int)")
	if got := s.psql(t, other, "SELECT to_regclass('a') IS NULL"); got != "t" {
		t.Errorf("one database has the other's table: %q", got)
	}
}

func TestStopLeavesNothing(t *testing.T) {
	t.Parallel()
	s, err := Launch()
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
	if _, err := os.Stat(s.home); !os.IsNotExist(err) || !s.proc.IsGone() {
		t.Errorf("%v, dead %v", err, s.proc.IsGone())
	}
}

func TestAFailedStartShowsTheLog(t *testing.T) {
	t.Parallel()
	s := Start(t)
	s.Kill(t)
	settings := filepath.Join(s.data(), "postgresql.conf")
	if err := os.WriteFile(settings, []byte("no_such_setting = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.launch(t.Context()); err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("the error does not say why: %v", err)
	}
}

package redistest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestP15_REDIS_SERVERNamesTheProgram(t *testing.T) {
	usual, err := serverProgram()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	named, used := filepath.Join(dir, "server"), filepath.Join(dir, "used")
	script := fmt.Sprintf("#!/bin/sh\ntouch %s\nexec %s \"$@\"\n", used, usual)
	if err := os.WriteFile(named, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("REDIS_SERVER", named)
	set(t, Start(t, Options{}).Client(t), "k", "v")
	if _, err := os.Stat(used); err != nil {
		t.Errorf("another program was started: %v", err)
	}
}

func TestP15_AMissingREDIS_SERVERIsNamed(t *testing.T) {
	t.Setenv("REDIS_SERVER", filepath.Join(t.TempDir(), "nowhere"))
	s, err := start(Options{})
	if err == nil {
		s.stop()
		t.Fatal("started")
	}
	if !strings.Contains(err.Error(), "REDIS_SERVER") {
		t.Errorf("the error does not say what to set: %v", err)
	}
}

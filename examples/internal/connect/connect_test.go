package connect

import (
	"errors"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
)

func TestMain(m *testing.M) { Silence(); os.Exit(redistest.Main(m)) }

func TestToEmbedded(t *testing.T) {
	s, err := To(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Client.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Error(err)
	}
}

func TestToServer(t *testing.T) {
	server := redistest.Start(t, redistest.Options{Args: []string{"--requirepass", "canary"}})
	s, err := To(t.Context(), "redis://:canary@"+server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	if _, err := To(t.Context(), "redis://:cabbage@"+server.Addr()); err == nil || strings.Contains(err.Error(), "cabbage") {
		t.Errorf("wrong password: %v", err)
	}
}

func TestToNowhere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	_, err = To(t.Context(), "redis://"+addr)
	want := "cannot use redis at " + addr + ": connect: connection refused"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestABadURLIsNotRepeated(t *testing.T) {
	for _, url := range []string{"http://h:1", "redis://:canary@[", "canary", "redis://h:1/canary"} {
		_, err := To(t.Context(), url)
		if !errors.Is(err, ErrURL) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

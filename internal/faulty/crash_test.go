//go:build unix

package faulty_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// writer is a process that lives the story and says after each step that it is done.
func writer(parent *faulty.Talk) error {
	where, heard := parent.Hear()
	addr, name, found := strings.Cut(where, " ")
	if !heard || !found {
		return errors.New("nothing to write")
	}
	rdb := redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: 5 * time.Second})
	ctx := context.Background()
	tbl, err := table.Open(ctx, rdb, definition(name), table.WithWriteThrough())
	if err != nil {
		return err
	}
	parent.Say("open")
	for _, s := range story {
		if err := s.do(ctx, tbl); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		parent.Say(s.name)
	}
	return tbl.Close()
}

// A writer dies (-9) before and after each command that Redis gets from it. The table is then exactly as before or as
// after the step that was under way, its keys are sound, and the next owner goes on at once.
func TestG10_AWriterIsKilledAtEachCall(t *testing.T) {
	t.Parallel()
	sweep(t, 2, shared, func(t *testing.T, srv *redistest.Server, n int, side faulty.Side) bool {
		proxy, name := proxied(t, srv)
		child := faulty.Spawn(t, "writer")
		reached := atPoint(proxy, n, side, child.Kill)
		child.Say(proxy.Addr(), name)
		done := child.Rest()
		wantRecovered(t, srv, name, len(done))
		if len(reached) == 0 && len(done) != 1+len(story) {
			t.Fatalf("nobody killed the writer, and it ended after %q", done)
		}
		return len(reached) > 0
	})
}

// atPoint does something at one point and cuts the connection there. It says so in the channel.
func atPoint(proxy *faulty.Proxy, n int, side faulty.Side, do func()) <-chan struct{} {
	reached := make(chan struct{}, 1)
	proxy.Set(func(p faulty.Point) faulty.Act {
		if p.N != n || p.Side != side {
			return faulty.Act{}
		}
		reached <- struct{}{}
		do()
		return faulty.Act{Cut: true}
	})
	return reached
}

// Redis dies (-9) before and after each command, and comes back with what its AOF has. The writer goes on by itself: what
// was acknowledged is there, and each step has had its effect once.
func TestG10_RedisIsKilledAtEachCall(t *testing.T) {
	t.Parallel()
	sweep(t, 2, durable, func(t *testing.T, srv *redistest.Server, n int, side faulty.Side) bool {
		proxy, name := proxied(t, srv)
		reached := atPoint(proxy, n, side, func() { srv.Restart(t) })
		live(t, client(t, proxy.Addr(), 0), srv.Client(t), name, reached)
		return len(reached) > 0
	})
}

// durable starts a server that loses nothing when it is killed. Its disk is memory, where there is such a thing: that
// outlives the process too, and need not be waited for.
func durable(t *testing.T) *redistest.Server {
	dir, err := os.MkdirTemp("/dev/shm", "faulty")
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return redistest.Start(t, redistest.Options{Dir: dir, Args: []string{"--appendonly", "yes", "--appendfsync", "always"}})
}

func shared(t *testing.T) *redistest.Server { return redistest.Shared(t) }

// The connection is cut before and after each command: nobody but the table notices.
func TestG9_TheConnectionIsCutAtEachCall(t *testing.T) {
	t.Parallel()
	sweep(t, 2, shared, func(t *testing.T, srv *redistest.Server, n int, side faulty.Side) bool {
		proxy, name := proxied(t, srv)
		reached := atPoint(proxy, n, side, proxy.CutAll)
		live(t, client(t, proxy.Addr(), 0), srv.Client(t), name, reached)
		return len(reached) > 0
	})
}

// live lives the whole story over a connection that fails, and looks at the table after each step from the fault on.
func live(t *testing.T, rdb, sound *redis.Client, name string, reached <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tbl, err := table.Open(ctx, rdb, definition(name), table.WithWriteThrough())
	if err != nil { // an owner who does not hear whether he is one asks again
		tbl, err = table.Open(ctx, rdb, definition(name), table.WithWriteThrough())
	}
	ok(t, err)
	defer tbl.Close()
	all := states()
	for i, s := range story {
		if err := s.do(ctx, tbl); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if len(reached) > 0 || i == len(story)-1 {
			wantContents(t, tbl, all[i+1])
		}
	}
	ok(t, tbl.Close())
	wantSound(t, sound, name)
	if got, want := observe(t, sound, name), all[len(story)]; !got.Equal(want) {
		t.Errorf("redis has %v, want %v", got, want)
	}
}

// sweep calls try for every command and side, several at a time, until it says that the command was not reached.
// Each server serves some of them only: what it has to read back when it is restarted grows.
func sweep(t *testing.T, atOnce int, serve func(*testing.T) *redistest.Server,
	try func(*testing.T, *redistest.Server, int, faulty.Side) bool) {
	for lane := range atOnce {
		t.Run(fmt.Sprint("lane", lane), func(t *testing.T) {
			t.Parallel()
			srv, tried := serve(t), 0
			for n := lane; ; n += atOnce {
				more := true
				if tried%16 == 14 {
					srv = serve(t)
				}
				for _, side := range []faulty.Side{faulty.Before, faulty.After} {
					t.Run(fmt.Sprint(side, n), func(t *testing.T) { more = try(t, srv, n, side) && more })
					tried++
				}
				if !more {
					break
				}
			}
			t.Logf("%d points", tried)
			if tried*atOnce < 100 {
				t.Errorf("only %d points: the story is longer", tried)
			}
		})
	}
}

// wantRecovered opens the table of a dead writer that has said so many lines, which must be at once.
func wantRecovered(t *testing.T, srv *redistest.Server, name string, lines int) {
	t.Helper()
	rdb := srv.Client(t)
	all := states()
	before := max(lines-1, 0) // the first line is said by Open
	after := min(before+1, len(all)-1)
	if lines == 0 {
		after = 0
	}
	begin := time.Now()
	tbl := open(t, rdb, name)
	which := wantContents(t, tbl, all[before], all[after])
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("the next owner could read after %v", took)
	}
	ok(t, tbl.WaitClear(t.Context()))
	wantSound(t, rdb, name)
	wantContents(t, tbl, all[before+which*(after-before)])
	ok(t, tbl.Put(t.Context(), entry{ID: 5000, Version: 5000}))
	ok(t, tbl.Close())
}

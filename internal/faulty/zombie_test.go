//go:build unix

package faulty_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// zombie opens a table, goes as far in the story as it is told, and later goes on as if nothing had happened. It says
// what it is told then.
func zombie(parent *faulty.Talk) error {
	where, _ := parent.Hear()
	var addr, name string
	var steps int
	if _, err := fmt.Sscan(where, &addr, &name, &steps); err != nil {
		return err
	}
	ctx := context.Background()
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	tbl, err := table.Open(ctx, rdb, definition(name), table.WithWriteThrough())
	if err != nil {
		return err
	}
	for _, s := range story[:steps] {
		if err := s.do(ctx, tbl); err != nil {
			return err
		}
	}
	parent.Say("ready")
	parent.Hear()
	for i := range story { // first what comes next: another call could have to wait for it
		s := story[(steps+i)%len(story)]
		parent.Say(verdict(s.do(ctx, tbl)), s.name)
	}
	return tbl.Close()
}

// verdict says in a word what a call was told.
func verdict(err error) string {
	switch {
	case err == nil:
		return "done"
	case is(err, table.ErrUnknownOutcome):
		return "unknown"
	case is(err, table.ErrFenced):
		return "fenced"
	case is(err, table.ErrLost):
		return "lost"
	}
	return "failed: " + err.Error()
}

// A process is stopped (SIGSTOP) after each number of steps, another opens the table, and the first goes on (SIGCONT):
// each of its calls says ErrFenced, and Redis keeps every byte.
func TestG8_AZombieChangesNoByte(t *testing.T) {
	t.Parallel()
	for steps := range len(story) + 1 {
		t.Run(fmt.Sprint("after ", steps), func(t *testing.T) {
			t.Parallel()
			srv, name := redistest.Shared(t), redistest.Prefix(t)
			child := faulty.Spawn(t, "zombie")
			child.Say(srv.Addr(), name, steps)
			if line, heard := child.Hear(); !heard || line != "ready" {
				t.Fatalf("the child says %q", line)
			}
			child.Stop(t)
			rdb := srv.Client(t)
			tbl := open(t, rdb, name)
			wantContents(t, tbl, states()[steps])
			ok(t, tbl.WaitClear(t.Context()))
			ok(t, tbl.Put(t.Context(), entry{ID: 4000, Version: 1}))
			before := dump(t, rdb, name)
			child.Continue(t)
			child.Say("go on")
			wantFenced(t, child.Rest())
			wantSameBytes(t, rdb, name, before)
			ok(t, tbl.Close())
			wantSound(t, rdb, name)
		})
	}
}

// wantFenced fails unless all were told that they are fenced, but for the first, which may have nothing to ask.
func wantFenced(t *testing.T, lines []string) {
	t.Helper()
	if len(lines) != len(story) {
		t.Errorf("a zombie said %q", lines)
	}
	for i, line := range lines {
		nothingToDo := i == 0 && (line == "done fold" || line == "done stage nothing that is left")
		if !strings.HasPrefix(line, "fenced") && !nothingToDo {
			t.Errorf("a zombie was told: %s", line)
		}
	}
}

// Whatever command of an owner is late, and comes when the table has been taken over: it changes no byte.
func TestG8_ALateCommandChangesNoByte(t *testing.T) {
	t.Parallel()
	sweep(t, 2, shared, func(t *testing.T, srv *redistest.Server, n int, side faulty.Side) bool {
		if side == faulty.After {
			return true
		}
		proxy, name := proxied(t, srv)
		late := hold(proxy, n)
		first := make(chan error, 1)
		go func() { first <- tell(t.Context(), client(t, proxy.Addr(), 0), name) }()
		select {
		case err := <-first: // the command was not reached
			ok(t, err)
			return false
		case <-late.held:
		}
		rdb := srv.Client(t)
		second := open(t, rdb, name)
		ok(t, second.WaitClear(t.Context()))
		ok(t, second.Put(t.Context(), entry{ID: 4000, Version: 1}))
		before := dump(t, rdb, name)
		close(late.release)
		err := receive(t, "the first owner to notice", first)
		after := dump(t, rdb, name)
		switch still := second.Put(t.Context(), entry{ID: 4000, Version: 2}); {
		case still != nil && (err != nil || !is(still, table.ErrFenced)): // if its claim was late, the first owns it
			t.Errorf("the first owner was told %v, the second %v", err, still)
		case still == nil && err != nil && !is(err, table.ErrFenced):
			t.Errorf("the first owner was told %v", err)
		case still == nil && !maps.Equal(before, after):
			t.Error("a late command has changed bytes")
		}
		ok(t, second.Close())
		wantSound(t, rdb, name)
		return true
	})
}

// tell opens the table and lives the story, up to the first error.
func tell(ctx context.Context, rdb *redis.Client, name string) error {
	tbl, err := table.Open(ctx, rdb, definition(name), table.WithWriteThrough())
	if err != nil {
		return err
	}
	defer tbl.Close()
	for _, s := range story {
		if err := s.do(ctx, tbl); err != nil {
			return err
		}
	}
	_, err = readBy(ctx, tbl, "id")
	return err
}

// held is a command that waits in the proxy.
type held struct{ held, release chan struct{} }

func hold(proxy *faulty.Proxy, n int) held {
	h := held{make(chan struct{}), make(chan struct{})}
	proxy.Set(func(p faulty.Point) faulty.Act {
		if p.N == n && p.Side == faulty.Before {
			close(h.held)
			<-h.release
		}
		return faulty.Act{}
	})
	return h
}

// opener opens a table four times at once when it is told to, later writes by each owner, and says what each is told.
func opener(parent *faulty.Talk) error {
	where, _ := parent.Hear()
	addr, name, _ := strings.Cut(where, " ")
	ctx := context.Background()
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	tables := make([]*entries, 4)
	var wg sync.WaitGroup
	var failed error
	for i := range tables {
		wg.Go(func() {
			tbl, err := table.Open(ctx, rdb, definition(name), table.WithWriteThrough())
			if err != nil {
				failed = err // whose does not matter
			}
			tables[i] = tbl
		})
	}
	wg.Wait()
	if failed != nil {
		return failed
	}
	parent.Say("open")
	parent.Hear()
	for _, tbl := range tables {
		parent.Say(verdict(tbl.Put(ctx, entry{ID: 1})))
	}
	return nil
}

// Sixteen Opens at once, in four processes: all succeed, and exactly one of them owns the table.
func TestG8_OfSixteenOpensOneIsTheOwner(t *testing.T) {
	t.Parallel()
	for range 2 * *times {
		srv, name := redistest.Shared(t), redistest.Prefix(t)
		var children []*faulty.Child
		for range 4 {
			children = append(children, faulty.Spawn(t, "opener"))
		}
		for _, c := range children {
			c.Say(srv.Addr(), name)
		}
		for _, c := range children {
			if line, _ := c.Hear(); line != "open" {
				t.Fatalf("a child says %q", line)
			}
		}
		told := make(map[string]int)
		for _, c := range children {
			c.Say("write")
			for _, line := range c.Rest() {
				told[line]++
			}
		}
		if told["done"] != 1 || told["fenced"] != 15 {
			t.Errorf("16 owners were told %v", told)
		}
		wantSound(t, srv.Client(t), name)
	}
}

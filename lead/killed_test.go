//go:build unix

package lead

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// owner is a process of a fleet. It says when it owns the table and when its context has ended, and writes until then, and
// once more after that.
func owner(parent *faulty.Talk) error {
	where, _ := parent.Hear()
	var addr, name string
	var lease time.Duration
	if _, err := fmt.Sscan(where, &addr, &name, (*int64)(&lease)); err != nil {
		return err
	}
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	return Run(context.Background(), rdb, definition(name), func(ctx context.Context, tbl *items) error {
		parent.Say("owns")
		for id := int64(0); ctx.Err() == nil; id++ {
			if err := tbl.Put(ctx, item{id % 100}); err != nil {
				break
			}
		}
		<-ctx.Done()
		parent.Say("over")
		if err := tbl.Put(context.Background(), item{1000}); !errors.Is(err, table.ErrFenced) {
			parent.Say("not fenced:", err)
		}
		return nil
	}, WithLease(lease))
}

func spawn(t testing.TB, srv *redistest.Server, name string, lease time.Duration) *faulty.Child {
	t.Helper()
	child := faulty.Spawn(t, "owner")
	child.Say(srv.Addr(), name, int64(lease))
	hear(t, child, "owns")
	return child
}

func hear(t testing.TB, child *faulty.Child, want string) {
	t.Helper()
	if line, heard := child.Hear(); !heard || line != want {
		t.Fatalf("the child says %q, not %q", line, want)
	}
}

// After kill -9 a successor owns the table within the lease and a second.
func TestL2_AKilledOwnerIsSucceeded(t *testing.T) {
	t.Parallel()
	srv, name := redistest.Shared(t), redistest.Prefix(t)
	const lease = time.Second
	child := spawn(t, srv, name, lease)
	core, logs := observer.New(zap.InfoLevel)
	successor := start(t, srv.Client(t), name, WithLease(lease), WithLogger(zap.New(core)))
	select {
	case <-successor.owns:
		t.Fatal("there are two owners")
	case <-time.After(2 * lease):
	}
	child.Kill()
	begin := time.Now()
	receive(t, "a successor", successor.owns, 30*time.Second)
	if took := time.Since(begin); took > lease+time.Second {
		t.Errorf("a successor came after %v", took)
	}
	told := logs.FilterMessage("owns the table now").All()
	if len(told) != 1 {
		t.Fatalf("logged is %v", logs.All())
	}
	fields := told[0].ContextMap()
	without, _ := fields["without_owner_at_most"].(time.Duration)
	if fields["why"] != "the lease ran out" || fields["before"] == "" || fields["holder"] == "" || fields["table"] != name || without < lease/2 {
		t.Errorf("logged is %v", fields)
	}
	successor.halt(t)
	walk.Walk(t, srv.Client(t), name, "id")
}

// An owner that stands still for twice its lease (SIGSTOP) finds its context ended, and changes nothing.
func TestL1_AStoppedOwnerIsFenced(t *testing.T) {
	t.Parallel()
	srv, name := redistest.Shared(t), redistest.Prefix(t)
	const lease = time.Second
	child := spawn(t, srv, name, lease)
	child.Stop(t)
	successor := start(t, srv.Client(t), name, WithLease(lease))
	tbl := receive(t, "a successor", successor.owns, 30*time.Second)
	ok(t, tbl.Clear(t.Context()))
	child.Continue(t)
	hear(t, child, "over")
	select {
	case <-tbl.Done():
		t.Errorf("the successor has ended: %v", tbl.Err())
	case <-time.After(2 * lease): // the former owner stays out for one, and longer while the lease is held
	}
	n, err := tbl.Count(t.Context(), tbl.All("id"))
	ok(t, err)
	if n != 0 {
		t.Errorf("the former owner has written %d records", n)
	}
	child.Kill()
	for _, line := range child.Rest() {
		t.Errorf("the former owner says %q", line)
	}
}

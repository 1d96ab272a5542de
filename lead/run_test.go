//go:build unix

package lead

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

type item struct{ ID int64 }

type items = table.Table[item, int64]

func definition(name string) table.Definition[item, int64] {
	return table.Definition[item, int64]{
		Name:       name,
		PrimaryKey: table.Key(codec.Int64, func(i *item) int64 { return i.ID }),
		Attributes: []table.Attribute[item]{table.Field("id", codec.Int64, func(i *item) *int64 { return &i.ID })},
		Indexes:    []table.Index[item]{table.By("id", func(i *item) float64 { return float64(i.ID) })},
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// replica is one process of a fleet, in this process.
type replica struct {
	owns  chan *items // what work was called with
	ended chan error  // what Run has returned
	stop  context.CancelFunc
}

// start runs a replica whose work ends with its context.
func start(t testing.TB, rdb redis.UniversalClient, name string, opts ...Option) *replica {
	t.Helper()
	return startWith(t, rdb, definition(name), opts...)
}

// startWith is start with another definition.
func startWith(t testing.TB, rdb redis.UniversalClient, def table.Definition[item, int64], opts ...Option) *replica {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &replica{owns: make(chan *items, 10), ended: make(chan error, 1), stop: cancel}
	go func() {
		r.ended <- Run(ctx, rdb, def, func(ctx context.Context, tbl *items) error {
			r.owns <- tbl
			<-ctx.Done()
			return ctx.Err()
		}, opts...)
	}()
	t.Cleanup(func() {
		cancel()
		<-r.ended
	})
	return r
}

func receive[T any](t testing.TB, what string, from <-chan T, within time.Duration) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(within):
		t.Fatalf("%s did not come within %v", what, within)
	}
	return v
}

// halt ends a replica.
func (r *replica) halt(t testing.TB) {
	t.Helper()
	r.stop()
	err := receive(t, "the end", r.ended, 10*time.Second)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run has returned %v", err)
	}
	r.ended <- err
}

// When an owner ends in an orderly way a successor owns the table within 250 ms.
func TestL2_AGracefulEndHandsOver(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	first := start(t, rdb, name)
	tbl := receive(t, "the first owner", first.owns, 10*time.Second)
	ok(t, tbl.Put(t.Context(), item{1}))
	second := start(t, rdb, name)
	select {
	case <-second.owns:
		t.Fatal("there are two owners")
	case <-time.After(500 * time.Millisecond):
	}
	best := time.Hour
	for range 5 { // the machine may be busy
		first.halt(t)
		begin := time.Now()
		tbl = receive(t, "a successor", second.owns, 10*time.Second)
		best = min(best, time.Since(begin))
		_, err := tbl.Get(t.Context(), 1)
		ok(t, err)
		first, second = second, start(t, rdb, name)
	}
	if best > 250*time.Millisecond {
		t.Errorf("a successor came after %v at best", best)
	}
	t.Logf("at best after %v", best)
	second.halt(t)
	first.halt(t)
	walk.Walk(t, rdb, name, "id")
}

// An operator opens the table over the fleet, keeps it as long as he likes, and gives it back by closing it.
func TestL1_AnOperatorIsNotUndone(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	lease := WithLease(500 * time.Millisecond)
	a, b := start(t, rdb, name, lease), start(t, rdb, name, lease)
	var tbl *items
	select {
	case tbl = <-a.owns:
	case tbl = <-b.owns:
	}
	operator, err := table.Open(t.Context(), rdb, definition(name))
	ok(t, err)
	defer operator.Close()
	receive(t, "the end of the owner, who is idle", tbl.Done(), 10*time.Second)
	if !errors.Is(tbl.Err(), table.ErrFenced) {
		t.Errorf("the owner was told %v", tbl.Err())
	}
	select {
	case <-a.owns:
		t.Error("the fleet has undone the operator")
	case <-b.owns:
		t.Error("the fleet has undone the operator")
	case <-time.After(2 * time.Second):
	}
	ok(t, operator.Put(t.Context(), item{1}))
	ok(t, operator.Close())
	select {
	case <-a.owns:
	case <-b.owns:
	case <-time.After(10 * time.Second):
		t.Error("the fleet has not taken the table back")
	}
}

// What waiting does not cure is returned, also while another process owns the table.
func TestL1_AMismatchIsReturned(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	a := start(t, rdb, name)
	receive(t, "the owner", a.owns, 10*time.Second)
	other := definition(name)
	other.PrimaryKey = table.Key(codec.IntAsString, func(i *item) int64 { return i.ID })
	err := Run(t.Context(), rdb, other, func(context.Context, *items) error {
		t.Error("it owns the table")
		return nil
	})
	if !errors.Is(err, table.ErrSchemaMismatch) {
		t.Errorf("Run has returned %v", err)
	}
}

// What work returns is what Run returns, and the lease is given up.
func TestL1_WorkReturnsOfItsOwnAccord(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	mine := errors.New("mine")
	err := Run(t.Context(), rdb, definition(name), func(ctx context.Context, tbl *items) error {
		ok(t, tbl.Put(ctx, item{1}))
		return mine
	}, WithTable(table.WithOwner("me")))
	if err != mine {
		t.Errorf("Run has returned %v", err)
	}
	l, err := table.StoredLease(t.Context(), rdb, name)
	ok(t, err)
	if l != (table.Lease{}) {
		t.Errorf("the lease is still %+v", l)
	}
}

// While Redis is away the context of work ends when the lease may be over, and the replica owns the table again soon after.
func TestL1_RedisIsAwayForLongerThanTheLease(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, redistest.Options{})
	rdb := srv.TCPClient(t, func(o *redis.Options) { o.ReadTimeout = 300 * time.Millisecond })
	ended := make(chan error, 10)
	owns := make(chan struct{}, 10)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	run := make(chan error, 1)
	go func() {
		run <- Run(ctx, rdb, definition("t"), func(ctx context.Context, _ *items) error {
			owns <- struct{}{}
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return nil
		}, WithLease(time.Second))
	}()
	receive(t, "the owner", owns, 10*time.Second)
	ok(t, syscall.Kill(srv.PID(), syscall.SIGSTOP))
	defer syscall.Kill(srv.PID(), syscall.SIGCONT)
	if why := receive(t, "the end of the lease", ended, 2*time.Second); !errors.Is(why, errRanOut) {
		t.Errorf("work has ended because of %v", why)
	}
	ok(t, syscall.Kill(srv.PID(), syscall.SIGCONT))
	receive(t, "the next term", owns, 10*time.Second)
	cancel()
	if err := receive(t, "the end", run, 10*time.Second); !errors.Is(err, context.Canceled) {
		t.Errorf("Run has returned %v", err)
	}
}

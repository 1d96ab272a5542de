package table_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// leave is a way to end a read early, at row k of it.
type leave func(ctx context.Context, tbl *items, k int) error

var errLeft = errors.New("left as it was meant to")

func breakAt(ctx context.Context, tbl *items, k int) error {
	i := 0
	for _, err := range tbl.Records(ctx, tbl.All("at")) {
		if err != nil {
			return err
		}
		if i++; i > k {
			return errLeft
		}
	}
	return errors.New("the read ended by itself")
}

func panicAt(ctx context.Context, tbl *items, k int) (err error) {
	defer func() { err, _ = recover().(error) }()
	i := 0
	for range tbl.Records(ctx, tbl.All("at")) {
		if i++; i > k {
			panic(errLeft)
		}
	}
	return errors.New("the read ended by itself")
}

func cancelAt(ctx context.Context, tbl *items, k int) (last error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	i := 0
	for _, err := range tbl.Records(ctx, tbl.All("at")) {
		if last = err; err == nil && i > k {
			return fmt.Errorf("row %d came after the context had ended", i)
		}
		if i++; i > k {
			cancel()
		}
	}
	return last
}

func closeStreamAt(ctx context.Context, tbl *items, k int) error {
	s := tbl.Stream(ctx, tbl.All("at"))
	for i := 0; i <= k; i++ {
		<-s.C()
	}
	s.Close()
	return s.Err()
}

func cancelStreamAt(ctx context.Context, tbl *items, k int) error {
	ctx, cancel := context.WithCancel(ctx)
	s := tbl.Stream(ctx, tbl.All("at"))
	for i := 0; i <= k; i++ {
		<-s.C()
	}
	cancel()
	for range s.C() {
	}
	return s.Err()
}

const leaveRows = 120

// Not parallel: it looks at all goroutines of the process.
func TestG6_AReadLeftAtAnyRowFreesWhatItHas(t *testing.T) {
	rdb := redistest.Shared(t).Client(t)
	tbl := openOn(t, rdb, redistest.Prefix(t), table.WithPageBytes(1<<10), table.WithStreamBuffer(3))
	put(t, tbl, numbered(0, leaveRows+30)...)
	ways := map[string]leave{"break": breakAt, "panic": panicAt, "cancel": cancelAt, "Close": closeStreamAt, "cancelled stream": cancelStreamAt}
	before := goleak.IgnoreCurrent()
	for name, way := range ways {
		for k := range leaveRows {
			err := way(context.Background(), tbl, k)
			if !errors.Is(err, context.Canceled) && !errors.Is(err, errLeft) {
				t.Errorf("%s at row %d: %v", name, k, err)
			}
			if pins := stats(t, tbl).Pins; pins != 0 {
				t.Fatalf("%s at row %d: %d pins are left", name, k, pins)
			}
		}
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	until(t, "all connections but the writer's own to be free", func() bool {
		s := rdb.PoolStats()
		return s.TotalConns-s.IdleConns <= 1
	})
}

// Not parallel, as above. Nobody ever receives from these streams.
func TestG6_AStreamThatNobodyDrainsGoesWithItsContext(t *testing.T) {
	tbl := openItems(t, smallPages(), table.WithStreamBuffer(2))
	put(t, tbl, numbered(0, 500)...)
	before := goleak.IgnoreCurrent()
	ctx, cancel := context.WithCancel(context.Background())
	var streams []*table.Stream[item]
	for range 20 {
		streams = append(streams, tbl.Stream(ctx, tbl.All("at")))
	}
	until(t, "the streams to be under way", func() bool { return stats(t, tbl).Pins == len(streams) })
	cancel()
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
	for _, s := range streams {
		if err := s.Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want Canceled", err)
		}
	}
	if pins := stats(t, tbl).Pins; pins != 0 {
		t.Errorf("%d pins are left", pins)
	}
}

// frozen stops a server's process, not its sockets, until the returned function is called.
func frozen(t testing.TB, s *redistest.Server) (thaw func()) {
	t.Helper()
	ok(t, syscall.Kill(s.PID(), syscall.SIGSTOP))
	return func() { ok(t, syscall.Kill(s.PID(), syscall.SIGCONT)) }
}

// quick checks how long calls took to end. On a busy machine a goroutine may have to wait for its turn, which no code of
// ours can help: so most must be within the promise, and none far from it.
func quick(t testing.TB, took []time.Duration) {
	t.Helper()
	slices.Sort(took)
	if typical := took[len(took)/2]; typical > 5*time.Millisecond {
		t.Errorf("calls took %v to end, want less than 5 ms", typical)
	}
	if worst := took[len(took)-1]; worst > 250*time.Millisecond {
		t.Errorf("a call took %v to end", worst)
	}
}

func TestG6_CancellingAtAnyRowEndsAReadWhileRedisHangs(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	tbl := openOn(t, server.Client(t), redistest.Prefix(t), table.WithPageBytes(1<<10))
	put(t, tbl, numbered(0, leaveRows+30)...)
	var took []time.Duration
	for k := range leaveRows {
		ctx, cancel := context.WithCancel(t.Context())
		i, thaw, start := 0, func() {}, time.Time{}
		var last error
		for _, err := range tbl.Records(ctx, tbl.All("at")) {
			if last = err; i == k {
				thaw, start = frozen(t, server), time.Now()
				cancel()
			}
			i++
		}
		took = append(took, time.Since(start))
		cancel()
		thaw()
		if i != k+2 || !errors.Is(last, context.Canceled) {
			t.Fatalf("row %d: %d rows, then %v", k, i-1, last)
		}
	}
	quick(t, took)
}

func TestG6_EveryCallEndsWithItsContextWhileRedisHangs(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, redistest.Options{})
	rdb := server.Client(t)
	tbl := openOn(t, rdb, redistest.Prefix(t), smallPages(), table.WithLease(time.Hour)) // renewals hang as well
	put(t, tbl, numbered(0, 500)...)
	calls := reads(tbl)
	calls["Stats"] = func(ctx context.Context) ([]int64, error) {
		_, err := tbl.Stats(ctx)
		return nil, err
	}
	thaw := frozen(t, server)
	defer thaw()
	var took []time.Duration
	for name, call := range calls {
		for range 20 { // many more than there are places for
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
			_, err := call(ctx)
			deadline, _ := ctx.Deadline()
			took = append(took, time.Since(deadline))
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: got %v, want DeadlineExceeded", name, err)
			}
		}
	}
	quick(t, took)
	if s := rdb.PoolStats(); s.TotalConns-s.IdleConns > 5 { // four flights of reads and the writer
		t.Errorf("%d connections are kept by calls that were abandoned", s.TotalConns-s.IdleConns)
	}
}

func TestG6_ASlowPredicateDoesNotHoldUpACancelledCall(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 900)...)
	calls := map[string]func(context.Context, table.Spec[item]) error{
		"Records": func(ctx context.Context, s table.Spec[item]) error { return lastError(tbl.Records(ctx, s)) },
		"limited": func(ctx context.Context, s table.Spec[item]) error { return lastError(tbl.Records(ctx, s.Max(5))) },
		"Count": func(ctx context.Context, s table.Spec[item]) error {
			_, err := tbl.Count(ctx, s)
			return err
		},
		"Delete": func(ctx context.Context, s table.Spec[item]) error {
			_, err := tbl.Delete(ctx, s)
			return err
		},
	}
	for name, call := range calls {
		ctx, cancel := context.WithCancel(t.Context())
		judged := 0
		err := call(ctx, tbl.All("at").Where(func(*item) bool {
			if judged++; judged == 3 {
				cancel()
			}
			return false
		}))
		cancel()
		if judged != 3 || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %d records were judged, then %v", name, judged, err)
		}
	}
}

func TestG6_ALookUpLeftAtAnyRowEnds(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 10)...)
	for k := range 9 {
		ctx, cancel := context.WithCancel(t.Context())
		rows, last := 0, error(nil)
		for _, last = range tbl.Lookup(ctx, keysOf(numbered(0, 10))...) {
			if rows++; rows == k+1 {
				cancel()
			}
		}
		cancel()
		if rows != k+2 || !errors.Is(last, context.Canceled) {
			t.Errorf("cancelled at row %d: %d rows, then %v", k, rows-1, last)
		}
	}
}

package table_test

import (
	"context"
	"io"
	"math"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// A writer that dies after any number of bytes leaves rows and indexes in step: all of a Put is there, or nothing.
func TestU05_AWriterDiesAtAnyPointOfAWrite(t *testing.T) {
	t.Parallel()
	s, name := redistest.Shared(t), redistest.Prefix(t)
	admin := s.Client(t)
	old, fresh := numbered(0, 20), numbered(10, 30)
	for i := range fresh {
		fresh[i].At, fresh[i].Name = float64(-1-i), "fresh"
	}
	before, after := 0, 0
	for bytes := int64(0); bytes < 6000; bytes += 157 {
		var left atomic.Int64
		left.Store(math.MaxInt64)
		rdb := s.TCPClient(t, func(o *redis.Options) { o.Dialer, o.MaxRetries = dyingDialer(s.Addr(), &left), -1 })
		tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), table.WithReset())
		ok(t, err)
		put(t, tbl, old...)
		left.Store(bytes)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		_ = tbl.Put(ctx, fresh...)
		cancel()
		next := openOn(t, admin, name) // the dead one is fenced
		switch n, err := next.Count(t.Context(), next.All("at")); {
		case err != nil:
			t.Fatal(err)
		case n == 20:
			before++
			wantItems(t, all(t, next.Records(t.Context(), next.All("at"))), old)
		case n == 30:
			after++
			wantIDs(t, next, next.Range("at", -100, 1), append(keysOf(reversed(fresh)), 0)...)
		default:
			t.Fatalf("%d rows after %d bytes", n, bytes)
		}
		ok(t, tbl.Close())
		ok(t, next.Close())
	}
	if before == 0 || after == 0 {
		t.Errorf("%d writes were not done, %d were", before, after)
	}
}

func reversed(rows []item) []item {
	rows = slices.Clone(rows)
	slices.Reverse(rows)
	return rows
}

// dyingDialer dials connections which, taken together, take so many bytes and then never any more.
func dyingDialer(addr string, left *atomic.Int64) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		if left.Load() <= 0 {
			return nil, io.ErrClosedPipe
		}
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		return &dyingConn{Conn: conn, left: left}, err
	}
}

type dyingConn struct {
	net.Conn
	left *atomic.Int64
}

func (c *dyingConn) Write(b []byte) (int, error) {
	rest := c.left.Add(-int64(len(b)))
	if rest >= 0 {
		return c.Conn.Write(b)
	}
	n, _ := c.Conn.Write(b[:max(0, int64(len(b))+rest)])
	c.Conn.Close()
	return n, io.ErrClosedPipe
}

// Connection errors while a merge is folded do not leave the table merging.
func TestU06_AFoldSurvivesConnectionErrors(t *testing.T) {
	t.Parallel()
	s, name, b := redistest.Shared(t), redistest.Prefix(t), newBrake(t)
	var left atomic.Int64
	left.Store(math.MaxInt64)
	rdb := s.TCPClient(t, func(o *redis.Options) { o.Dialer, o.MaxRetries = dyingDialer(s.Addr(), &left), -1 })
	tbl := openAs(t, rdb, s.Client(t), itemDefinition(name), []string{"at", "rank"}, table.WithCleanup(b.pool))
	ok(t, tbl.ScratchPut(t.Context(), numbered(0, 1000)...))
	merge(t, tbl)
	left.Store(0)
	b.release()
	until(t, "the fold to fail", func() bool { st, _ := tbl.Stats(t.Context()); return st.FoldFailures > 0 })
	left.Store(math.MaxInt64)
	ok(t, tbl.WaitClear(t.Context()))
	put(t, tbl, numbered(1000, 1001)...)
	if n, err := tbl.Count(t.Context(), tbl.All("at")); err != nil || n != 1001 {
		t.Errorf("%d, %v", n, err)
	}
}

package table_test

import (
	"context"
	"io"
	"math"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
)

// cutConn reads no more than so many bytes, taken together with others, and then, once, the end.
type cutConn struct {
	net.Conn
	left *atomic.Int64
}

func (c *cutConn) Read(b []byte) (int, error) {
	n := min(int64(len(b)), c.left.Load())
	if n == 0 {
		c.left.Store(math.MaxInt64)
		c.Close()
		return 0, io.EOF
	}
	got, err := c.Conn.Read(b[:n])
	c.left.Add(-int64(got))
	return got, err
}

// go-redis tries again what was cut off. The half of an answer that came first must not stand before the whole one.
func TestAPageThatWasCutOffIsReadAnew(t *testing.T) {
	t.Parallel()
	s := redistest.Shared(t)
	var left, cuts atomic.Int64
	left.Store(math.MaxInt64)
	rdb := s.TCPClient(t, func(o *redis.Options) {
		o.MinRetryBackoff, o.MaxRetryBackoff = time.Millisecond, time.Millisecond
		o.Dialer = func(ctx context.Context, _, _ string) (net.Conn, error) {
			cuts.Add(1)
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.Addr())
			return &cutConn{conn, &left}, err
		}
	})
	tbl := openAs(t, rdb, s.Client(t), itemDefinition(redistest.Prefix(t)), []string{"at", "rank"})
	put(t, tbl, numbered(0, 50)...)
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), numbered(0, 50))
	before := cuts.Load()
	const steps = 60
	for i := range int64(steps) {
		left.Store(1 + 41*i)
		wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), numbered(0, 50))
	}
	if n := cuts.Load() - before; n < steps/2 {
		t.Errorf("only %d of %d answers were cut off", n, steps)
	}
}

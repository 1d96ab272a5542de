package stress

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// TestG9_NothingIsLostOrTornInAStorm loads tables while faults of some thirty kinds hit their Redis and the way to it.
// Calls may fail, but every answer is checked, and after each fault a put, a read and a merge succeed within 2 s. At the
// end every acknowledged write is there.
func TestG9_NothingIsLostOrTornInAStorm(t *testing.T) {
	s := &storm{part: session.begin(t, "faults", 5000, faultShare), counts: make(map[string]int), limit: 2 * time.Second}
	if !session.full {
		s.limit = 15 * time.Second // other packages' tests run beside this one
	}
	t.Run("cells", func(t *testing.T) {
		for k := range cells {
			c := newCell(t, s, k)
			t.Run(fmt.Sprint(k), func(t *testing.T) { // not parallel: go test would run no more than two at once
				s.wg.Go(c.run)
			})
		}
		s.wg.Wait()
	})
	t.Logf("faults: %v", s.counts)
	kinds := Figure{Name: "kinds of faults", Ours: float64(len(s.counts)), Target: 30}
	if session.full {
		kinds.Floor = kinds.Target
	}
	session.figures.Add(kinds)
	session.figures.Add(Figure{Name: "longest time until all was well after a fault, ms (2,000)", Ours: float64(s.slowest.Load())})
}

// cells is how many servers the storm rages over, each with a table and its users.
const cells = 4

type storm struct {
	part    *part
	limit   time.Duration
	wg      sync.WaitGroup
	faults  atomic.Int64
	slowest atomic.Int64 // milliseconds

	mu     sync.Mutex     // guards counts
	counts map[string]int // faults of each kind
}

func (s *storm) count(kind string, healed time.Duration) {
	s.part.reach(float64(s.faults.Add(1)))
	for ms := healed.Milliseconds(); ; {
		was := s.slowest.Load()
		if ms <= was || s.slowest.CompareAndSwap(was, ms) {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[kind]++
}

// cell is one server, the proxy in front of it, and a table under load.
type cell struct {
	*storm
	t        *testing.T
	server   *redistest.Server
	proxy    *toxiproxy.Proxy
	way      *way
	admin    *redis.Client // past the proxy, over one connection that stays
	follower *redis.Client // of a replica
	f        *fleet
	rand     *rand.Rand
	name     string
}

func newCell(t *testing.T, s *storm, k int) *cell {
	c := &cell{storm: s, t: t, rand: source(uint64(3000 + k)), name: fmt.Sprint("storm", k)}
	c.server = redistest.Start(t, redistest.Options{Args: []string{"--appendonly", "yes", "--appendfsync", "always",
		"--auto-aof-rewrite-percentage", "0", "--enable-debug-command", "yes", "--busy-reply-threshold", "5"}})
	c.admin = c.server.Client(t)
	c.follower = redistest.Start(t, redistest.Options{}).TCPClient(t, nil)
	ok(t, c.follow(c.follower))
	c.way = &way{conns: make(map[*wayConn]struct{})}
	c.proxy = c.startProxy(t)
	rdb := c.server.TCPClient(t, func(o *redis.Options) {
		o.Addr, o.Dialer = c.proxy.Listen, c.way.dial
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond, 200*time.Millisecond
		o.MinRetryBackoff, o.MaxRetryBackoff = time.Millisecond, 10*time.Millisecond
	})
	c.f = newFleet(t, rdb, c.name, 12, 3, table.WithPageBytes(300))
	c.f.patience = time.Second
	return c
}

// startProxy starts a proxy on a port that no outgoing connection can take while it does not listen.
func (c *cell) startProxy(t *testing.T) *toxiproxy.Proxy {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	for {
		p := toxiproxy.NewProxy(server, c.name, fmt.Sprint("127.0.0.1:", 10_000+c.rand.IntN(22_000)), c.server.Addr())
		if err := p.Start(); err == nil {
			t.Cleanup(p.Stop)
			return p
		}
		ok(t, t.Context().Err())
	}
}

// run lets the users work until the part is over, and looks at all that there is.
func (c *cell) run() {
	l := newLoad(c.t, c.f, c.part, 2*time.Minute)
	for k := range 6 {
		r := rand.New(rand.NewPCG(c.rand.Uint64(), uint64(k)))
		l.start(func() error { return tolerated(c.use(l, r, k)) })
	}
	for !l.isOver() {
		c.strike(l)
	}
	l.wait()
	c.calm(l)
	walk.Walk(c.t, c.admin, c.name, "at", "rank")
	readsMade.Add(c.f.reads.Load())
	mergesSpanned.Add(c.f.spanned.Load())
}

// calm sees that all is well when nothing strikes any more, unless something has failed before.
func (c *cell) calm(l *load) {
	if c.t.Failed() {
		return
	}
	ctx, cancel := context.WithTimeout(l.ctx, c.limit)
	defer cancel()
	if err := c.well(ctx); err != nil {
		l.fail(fmt.Errorf("after the storm: %w", err))
	}
	if err := c.f.tbl.Load().WaitClear(ctx); err != nil {
		l.fail(err)
	}
}

// use is one call of a user.
func (c *cell) use(l *load, r *rand.Rand, kind int) error {
	ctx, cancel := context.WithTimeout(l.ctx, time.Duration(1+r.IntN(1000))*time.Millisecond)
	defer cancel()
	switch kind {
	case 0, 1:
		return c.f.put(ctx, r.IntN(c.f.groups))
	case 2:
		rest(ctx, 10*time.Millisecond)
		return c.f.reload(l.ctx, r.IntN(thirds), func(error) bool { return l.ctx.Err() != nil || l.t.Failed() })
	case 3:
		return c.f.whole(ctx, r, nothing)
	}
	return c.f.query(ctx, r)
}

// tolerated returns what must not happen even in a storm: a wrong answer, or the claim that data is lost.
func tolerated(err error) error {
	if errors.As(err, &wrong{}) || errors.Is(err, table.ErrLost) || errors.Is(err, table.ErrFenced) || errors.Is(err, table.ErrClosed) ||
		errors.Is(err, table.ErrPanic) {
		return err
	}
	return nil
}

// strike lets one fault happen, ends it, and sees that all is well soon after.
func (c *cell) strike(l *load) {
	fault := faults[c.rand.IntN(len(faults))]
	end, err := fault.begin(c)
	if err != nil {
		l.fail(fmt.Errorf("%s could not be had: %w", fault.name, err))
		return
	}
	rest(l.ctx, time.Duration(1+c.rand.IntN(15))*time.Millisecond)
	if err := end(); err != nil {
		l.fail(fmt.Errorf("%s could not be ended: %w", fault.name, err))
		return
	}
	healed := time.Now()
	ctx, cancel := context.WithTimeout(l.ctx, c.limit)
	defer cancel()
	if err := c.well(ctx); err != nil {
		l.fail(fmt.Errorf("%v after %s: %w", c.limit, fault.name, err))
	}
	c.count(fault.name, time.Since(healed))
}

// well tells whether a put, a read and a merge succeed before ctx ends, whoever else waits for them.
func (c *cell) well(ctx context.Context) error {
	failed := func(error) bool { return ctx.Err() != nil }
	for _, call := range []func() error{
		func() error { return c.f.put(ctx, c.rand.IntN(c.f.groups)) },
		func() error { return c.f.whole(ctx, c.rand, nothing) },
		func() error { return c.f.reload(ctx, c.rand.IntN(thirds), failed) },
	} {
		for err := call(); err != nil; err = call() {
			if tolerated(err) != nil || ctx.Err() != nil {
				return err
			}
		}
	}
	return nil
}

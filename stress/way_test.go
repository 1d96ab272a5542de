package stress

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// way is how a cell's client gets to its server: it dials, and what it does to connections no proxy can do.
type way struct {
	mu        sync.Mutex // guards all below
	elsewhere string     // where connections that are made now lead; empty: to where the client says
	conns     map[*wayConn]struct{}

	most atomic.Int64 // bytes of one request; a longer one ends its connection. 0: any number
}

// wayConn is one connection. Once it is silent it swallows what is written, and nothing comes back.
type wayConn struct {
	net.Conn
	way    *way
	silent atomic.Bool
}

func (w *way) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	w.mu.Lock()
	if w.elsewhere != "" {
		addr = w.elsewhere
	}
	w.mu.Unlock()
	conn, err := (&net.Dialer{Timeout: 200 * time.Millisecond}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := &wayConn{Conn: conn, way: w}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[c] = struct{}{}
	return c, nil
}

func (c *wayConn) Write(p []byte) (int, error) {
	if most := c.way.most.Load(); most > 0 && int64(len(p)) > most {
		_ = c.Close()
		return 0, net.ErrClosed
	}
	if c.silent.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *wayConn) Close() error {
	c.way.mu.Lock()
	delete(c.way.conns, c)
	c.way.mu.Unlock()
	return c.Conn.Close()
}

// some calls f with up to n connections.
func (w *way) some(n int, f func(*wayConn)) {
	w.mu.Lock()
	var chosen []*wayConn
	for c := range w.conns {
		if len(chosen) < n {
			chosen = append(chosen, c)
		}
	}
	w.mu.Unlock()
	for _, c := range chosen {
		f(c)
	}
}

// silence lets some connections fall silent for good, as where a network forgets those that were idle.
func (c *cell) silence() (func() error, error) {
	c.way.some(2, func(conn *wayConn) { conn.silent.Store(true) })
	return fine, nil
}

// capRequests ends each connection on which a request of more than so many bytes is sent.
func (c *cell) capRequests() (func() error, error) {
	c.way.most.Store(1000)
	return func() error { c.way.most.Store(0); return nil }, nil
}

// leadElsewhere lets new connections lead to a replica that hears nothing any more, as after a fail-over whose new address is
// not known everywhere. Those connections stay, and later the replica hears again.
func (c *cell) leadElsewhere() (func() error, error) {
	ctx := context.Background()
	if err := c.follower.Do(ctx, "replicaof", "127.0.0.1", "1").Err(); err != nil {
		return nil, err
	}
	c.way.lead(c.follower.Options().Addr)
	c.way.some(3, func(conn *wayConn) { _ = conn.Conn.Close() })
	return func() error {
		c.way.lead("")
		return c.follow(c.follower)
	}, nil
}

func (w *way) lead(elsewhere string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.elsewhere = elsewhere
}

// follow makes a server a replica of the cell's.
func (c *cell) follow(follower *redis.Client) error {
	host, port, err := net.SplitHostPort(c.server.Addr())
	if err != nil {
		return err
	}
	return follower.Do(context.Background(), "replicaof", host, port).Err()
}

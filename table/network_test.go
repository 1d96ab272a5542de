package table_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"
)

// network is a client's way to its servers, which can break in ways that a server cannot show.
type network struct {
	dials   atomic.Int64
	hanging atomic.Pointer[hang]
	end     chan struct{} // closed when the test ends, before clients are closed: dials that hang end with it

	mu    sync.Mutex // guards conns
	conns []*cable
}

// hang is what a dial does that cannot succeed; it returns when end is closed at the latest.
type hang func(ctx context.Context, end <-chan struct{}) error

func newNetwork() *network { return &network{end: make(chan struct{})} }

// cable is a connection that may swallow what is sent.
type cable struct {
	net.Conn
	swallows atomic.Bool
}

// Write sends, or seems to.
func (w *cable) Write(p []byte) (int, error) {
	if w.swallows.Load() {
		return len(p), nil
	}
	return w.Conn.Write(p)
}

// Dial is a Dialer of go-redis.
func (n *network) Dial(ctx context.Context, kind, addr string) (net.Conn, error) {
	n.dials.Add(1)
	if hang := n.hanging.Load(); hang != nil {
		return nil, (*hang)(ctx, n.end)
	}
	conn, err := new(net.Dialer).DialContext(ctx, kind, addr)
	if err != nil {
		return nil, err
	}
	w := &cable{Conn: conn}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns = append(n.conns, w)
	return w, nil
}

// hang lets dials hang from now on.
func (n *network) hang(t testing.TB, h hang) {
	t.Cleanup(func() { close(n.end) })
	n.hanging.Store(&h)
}

// cut closes all connections.
func (n *network) cut() { n.each(func(w *cable) { w.Close() }) }

// swallow makes all connections that there are swallow what is sent, as where something between forgets idle ones.
func (n *network) swallow() { n.each(func(w *cable) { w.swallows.Store(true) }) }

func (n *network) each(do func(*cable)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, w := range n.conns {
		do(w)
	}
}

// unheard hangs as a dial whose SYNs are dropped.
func unheard(ctx context.Context, end <-chan struct{}) error {
	select {
	case <-ctx.Done():
	case <-end:
	}
	return &net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded}
}

// deaf hangs whatever its context says.
func deaf(_ context.Context, end <-chan struct{}) error {
	<-end
	return net.ErrClosed
}

func (n *network) options(o *redis.Options) { o.Dialer = n.Dial }

// Package delay is a proxy for TCP that makes every answer late by a fixed time, as a network would.
package delay

import (
	"context"
	"io"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
)

// Proxy forwards connections until it is closed.
type Proxy struct {
	target   string
	by       time.Duration
	listener net.Listener
	ctx      context.Context // over when the proxy is closed
	cancel   context.CancelFunc
	running  errgroup.Group
}

// To starts a proxy to target. What comes back from target arrives later by the given time; what is under way at the
// same moment is delayed once, not in turn.
func To(target string, by time.Duration) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Proxy{target: target, by: by, listener: l, ctx: ctx, cancel: cancel}
	p.start(p.accept)
	return p, nil
}

// Addr returns where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Close ends all connections and returns when nothing of the proxy runs any more.
func (p *Proxy) Close() {
	p.cancel()
	_ = p.listener.Close() // it is only told to stop
	_ = p.running.Wait()   // start returns no errors
}

func (p *Proxy) start(f func()) {
	p.running.Go(func() error { f(); return nil })
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = client.Close() // the client sees that
			continue
		}
		p.join(client, server)
	}
}

// join forwards both ways until either side, or the proxy, is closed.
func (p *Proxy) join(client, server net.Conn) {
	late := make(chan chunk, 1024)
	hangUp := func() { _, _ = client.Close(), server.Close() }
	stop := context.AfterFunc(p.ctx, hangUp)
	p.start(func() { _, _ = io.Copy(server, client); hangUp(); stop() })
	p.start(func() { p.receive(server, late) })
	p.start(func() { deliver(client, late); hangUp() })
}

type chunk struct {
	bytes []byte
	due   time.Time
}

func (p *Proxy) receive(from net.Conn, late chan<- chunk) {
	defer close(late)
	for {
		buf := make([]byte, 64<<10)
		n, err := from.Read(buf)
		if n > 0 {
			late <- chunk{buf[:n], time.Now().Add(p.by)}
		}
		if err != nil {
			return
		}
	}
}

// deliver writes each chunk when it is due, and drains late when it cannot.
func deliver(to net.Conn, late <-chan chunk) {
	var failed error
	for c := range late {
		if failed == nil {
			sleep(time.Until(c.due))
			_, failed = to.Write(c.bytes)
		}
	}
}

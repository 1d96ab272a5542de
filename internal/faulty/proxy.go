package faulty

import (
	"bufio"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Side is where in an exchange a Point is.
type Side int

// The sides of a command.
const (
	Before Side = iota // the server has not got the command yet
	After              // it has run it, and the client has not got the reply yet
)

func (s Side) String() string { return [...]string{"before", "after"}[s] }

// Point is a place in the traffic of all connections of a Proxy.
type Point struct {
	N    int    // counts the commands, from 0
	Name string // of the command, in lower case
	Side Side
	Size int // bytes of the command or of its reply
}

// Act is what becomes of a Point. The zero value lets it pass.
type Act struct {
	Cut   bool // closes both connections ...
	Bytes int  // ... after so many bytes of the command or reply have been passed on
}

// Hook is called at each Point, by one goroutine per connection; the traffic of the connection waits for it.
type Hook func(Point) Act

// Proxy listens on a TCP port of 127.0.0.1 and forwards to Redis.
type Proxy struct {
	listener net.Listener
	dial     func() (net.Conn, error)
	commands atomic.Int64
	hook     atomic.Pointer[Hook]
	wg       sync.WaitGroup

	mu     sync.Mutex // guards all below
	conns  map[net.Conn]struct{}
	closed bool
}

// NewProxy starts a proxy to the unix socket of a server. It ends with the test.
func NewProxy(t testing.TB, socket string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: l, conns: make(map[net.Conn]struct{})}
	p.dial = func() (net.Conn, error) { return net.DialTimeout("unix", socket, 5*time.Second) }
	p.Pass()
	p.wg.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Addr returns host:port to connect to.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Commands returns how many commands came so far: the N of the next one.
func (p *Proxy) Commands() int { return int(p.commands.Load()) }

// Set makes h decide from the next Point on. Calls of an earlier hook may still be under way.
func (p *Proxy) Set(h Hook) { p.hook.Store(&h) }

// Pass lets everything pass from the next Point on.
func (p *Proxy) Pass() { p.Set(func(Point) Act { return Act{} }) }

// CutAll closes all connections there are; new ones are accepted.
func (p *Proxy) CutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

func (p *Proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.listener.Close()
	p.CutAll()
	p.wg.Wait()
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wg.Go(func() { p.serve(client) })
	}
}

// serve forwards until one side ends or the hook cuts.
func (p *Proxy) serve(client net.Conn) {
	defer p.forget(client)
	server, err := p.dial()
	if err != nil || !p.keep(client, server) {
		return
	}
	defer p.forget(server)
	from, back := bufio.NewReaderSize(client, 64<<10), bufio.NewReaderSize(server, 64<<10)
	for p.exchange(client, server, from, back) {
	}
}

// exchange forwards one command and its reply.
func (p *Proxy) exchange(client, server net.Conn, from, back *bufio.Reader) bool {
	command, err := readFrame(from, nil)
	if err != nil {
		return false
	}
	at := Point{N: int(p.commands.Add(1)) - 1, Name: commandName(command), Size: len(command)}
	if !p.pass(server, command, at) {
		return false
	}
	reply, err := readFrame(back, nil)
	if err != nil {
		return false
	}
	at.Side, at.Size = After, len(reply)
	return p.pass(client, reply, at)
}

// pass does with a frame what the hook wants.
func (p *Proxy) pass(to net.Conn, frame []byte, at Point) bool {
	act := (*p.hook.Load())(at)
	if act.Cut {
		frame = frame[:min(act.Bytes, len(frame))]
	}
	_, err := to.Write(frame)
	return err == nil && !act.Cut
}

func (p *Proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = struct{}{}
	}
	return !p.closed
}

func (p *Proxy) forget(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	c.Close()
}

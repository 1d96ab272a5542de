package main

import (
	"context"
	"errors"
	"maps"
	"net"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
)

var errCut = errors.New("the line is cut")

// line is what connections go over. It can be cut, which ends them all, and mended.
type line struct {
	via pgconn.DialFunc

	mu    sync.Mutex // guards what follows
	isCut bool
	conns map[*call]bool
}

func newLine(via pgconn.DialFunc) *line { return &line{via: via, conns: map[*call]bool{}} }

// call is one connection over a line.
type call struct {
	net.Conn
	line *line
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := l.via(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isCut {
		return nil, errors.Join(errCut, conn.Close())
	}
	c := &call{Conn: conn, line: l}
	l.conns[c] = true
	return c, nil
}

// Close hangs up.
func (c *call) Close() error {
	c.line.mu.Lock()
	defer c.line.mu.Unlock()
	delete(c.line.conns, c)
	return c.Conn.Close()
}

func (l *line) cut() {
	for _, c := range l.cutOff() {
		_ = c.Close() // it is of no use any more
	}
}

// cutOff lets nobody call any more, and returns whose calls are to be ended.
func (l *line) cutOff() []*call {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = true
	return slices.Collect(maps.Keys(l.conns))
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.isCut = false
}

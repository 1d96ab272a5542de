package table

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/table/internal/scan"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// guest is what of a Reader does not depend on the type of its records.
type guest struct {
	base    *base
	shown   *scan.Shown
	logger  *zap.Logger
	timeout time.Duration // of the client's reads
	closing sync.Once
}

// startGuest starts the goroutines of a Reader.
func startGuest(c *wire.Client, cfg scan.Config, o *options) *guest {
	shown := scan.NewShown()
	return &guest{
		base:    &base{name: c.Keys.Table, reader: scan.NewReader(c, shown, cfg)},
		shown:   shown,
		logger:  o.logger.With(zap.String("table", c.Keys.Table)),
		timeout: wire.ReadTimeout(c.Redis),
	}
}

// Close ends reads under way with ErrClosed, and stops all goroutines of the Reader. It waits for socket reads under way, at most
// two read time-outs of the client. Close may be called more than once, but not from a function that the Reader calls (codec,
// predicate). It does not close the client. The error is always nil.
func (g *guest) Close() error {
	g.closing.Do(func() {
		g.shown.Close()
		stopped := make(chan struct{})
		go func() {
			g.base.reader.Close()
			close(stopped)
		}()
		if !isClosedWithin(stopped, 2*g.timeout) {
			g.logger.Warn("closed without a call of the client that does not end", zap.Duration("after", 2*g.timeout))
		}
	})
	return nil
}

// leave is Close for a call that must not outlive its context: once ctx has ended it waits no longer than briefly, and what hangs
// in a socket ends by itself later.
func (g *guest) leave(ctx context.Context) {
	closed := make(chan struct{})
	go func() {
		_ = g.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-ctx.Done():
		isClosedWithin(closed, time.Millisecond)
	}
}

package table

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// stop stops all parts of the table at once, and then gives the lease up. It waits for that, but no longer than two read time-outs.
func (o *owner) stop() {
	var parts sync.WaitGroup
	parts.Go(func() { o.folds.Stop(); o.release() })
	parts.Go(func() { o.actor.Close(); o.store.Close() })
	parts.Go(o.base.reader.Close)
	stopped := make(chan struct{})
	go func() {
		parts.Wait()
		o.lease.giveUp()
		close(stopped)
	}()
	if !isClosedWithin(stopped, o.timeout/2) {
		o.lease.interrupt()
		o.store.Interrupt() // the effect under way has had time enough; a socket read ends by itself
	}
	if !isClosedWithin(stopped, 2*o.timeout-o.timeout/2) {
		o.actor.GiveUp()
		o.logger.Warn("closed without a call of the client that does not end", zap.Duration("after", 2*o.timeout))
	}
}

func isClosedWithin(c <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-c:
		return true
	case <-timer.C:
		return false
	}
}

package table

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// stop stops all parts of the table at once, and waits for them, for two read time-outs at most.
func (o *owner) stop() {
	var parts sync.WaitGroup
	parts.Go(func() { o.folds.Stop(); o.release() })
	parts.Go(func() { o.actor.Close(); o.store.Close() })
	parts.Go(o.reader.Close)
	stopped := make(chan struct{})
	go func() {
		parts.Wait()
		close(stopped)
	}()
	if !isClosedWithin(stopped, o.timeout/2) {
		o.store.Interrupt() // an effect under way had its time; a socket read that it waits for ends by itself
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

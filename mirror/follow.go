package mirror

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/table"
)

// following is the goroutine of a mirror.
type following[R any, K comparable] struct {
	mirror  *Mirror[R, K]
	rdb     redis.UniversalClient
	options options
	logger  *zap.Logger
}

// Pauses after errors that waiting does not cure, such as another schema: somebody has to do something.
const (
	firstPause = 500 * time.Millisecond
	mostPause  = 15 * time.Second
)

// run follows the table until the mirror is closed. What ends it before the mirror has been in step is Open's to tell.
func (f *following[R, K]) run() {
	m := f.mirror
	defer close(m.stopped)
	for pause := firstPause; ; {
		a := newApplier(m)
		err := table.Follow(m.life, f.rdb, *m.def, a, f.how()...)
		switch {
		case m.life.Err() != nil:
			m.failed = table.ErrClosed
			return
		case !m.isInStep():
			m.failed = err
			return
		case a.wasInStep:
			pause = firstPause
		}
		f.logger.Warn("the mirror shows what it has and tries again", zap.Error(err), zap.Duration("in", pause), zap.Duration("age", m.Age()))
		f.sleep(m.life, pause)
		pause = min(2*pause, mostPause)
	}
}

// how returns how the table is followed. Once there was one, it will be again.
func (f *following[R, K]) how() []table.Option {
	opts := []table.Option{table.WithLogger(f.options.logger), table.WithProofEvery(f.options.maxAge / 3)}
	if f.options.awaits || f.mirror.isInStep() {
		opts = append(opts, table.WithWait())
	}
	return opts
}

// sleep waits for about d, or until ctx ends.
func (f *following[R, K]) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d/2 + rand.N(d))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// isInStep tells whether there is something to show.
func (m *Mirror[R, K]) isInStep() bool {
	select {
	case <-m.inStep:
		return true
	default:
		return false
	}
}

// show shows the next version. Only the goroutine calls it, and proves.
func (m *Mirror[R, K]) show(next *version[R, K], passed []table.Position, changed changed) {
	next.number = 1
	if before := m.shown.Load(); before != nil {
		next.number = before.number + 1
	}
	m.changes.add(next.number, changed)
	if changed.copied {
		m.positions.forget()
	}
	m.shown.Store(next)
	m.positions.add(next.number, passed)
	m.news.ring()
}

// proves notes that what is shown includes all that the server had acknowledged at that time.
func (m *Mirror[R, K]) proves(at time.Time) {
	m.proven.Store(int64(at.Sub(m.born)))
	if !m.isInStep() {
		close(m.inStep)
	}
	m.news.ring()
}

package mirror

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/table"
)

// Mirror is a table in memory. It is safe for concurrent use. Get one with Open, end it with Close.
type Mirror[R any, K comparable] struct {
	reading[R, K]
	shown     atomic.Pointer[version[R, K]]
	positions positions
	changes   journal
	news      bell // rung when another version is shown, and when something is proven
	counts    counts
	noted     table.NoteVersion // of the note that was told last; only the goroutine writes and reads it

	born   time.Time
	proven atomic.Int64 // since born: what the server had acknowledged then is shown
	maxAge time.Duration

	asker asker // for positions that were not seen

	life    context.Context // of the goroutine; ended by Close
	end     context.CancelFunc
	stopped chan struct{} // closed by the goroutine
	inStep  chan struct{} // closed by the goroutine, when there is something to show whose age is known
	failed  error         // why the goroutine has stopped before that
}

var (
	_ table.KeyReading[struct{}, string] = (*Mirror[struct{}, string])(nil)
	_ table.NotedReading[struct{}]       = (*Mirror[struct{}, string])(nil)
)

// Open copies the table that def describes into memory and returns once the copy is in step. From then on the mirror follows the table
// by itself until Close. Open waits for that until ctx ends; once it has returned ctx no longer matters, but for its values, which
// hooks of the client see. rdb stays the caller's. Indexes of def may have no score function. The user in Redis needs what a Reader
// needs (README).
//
// It fails with what table.Follow ends with: ErrInvalidDefinition, ErrUnsafeClient, ErrNoTable (see WithWait), ErrNoFeed where the owner
// keeps no change feed, ErrSchemaMismatch, refusals that do not pass. None of them ends an open mirror: it shows what it has, its
// Age grows, it logs the error and tries again.
func Open[R any, K comparable](ctx context.Context, rdb redis.UniversalClient, def table.Definition[R, K], opts ...Option) (*Mirror[R, K], error) {
	o := resolve(opts)
	m := &Mirror[R, K]{
		born:    time.Now(),
		maxAge:  o.maxAge,
		noted:   table.NoteVersion{Lineage: rand.Text()},
		stopped: make(chan struct{}),
		inStep:  make(chan struct{}),
	}
	def.Attributes, def.Indexes = slices.Clone(def.Attributes), slices.Clone(def.Indexes)
	m.reading = reading[R, K]{def: &def, source: m}
	m.life, m.end = context.WithCancel(context.WithoutCancel(ctx))
	m.asker = asker{turn: newTurn(), open: func(ctx context.Context) (asked, error) { return table.OpenReader(ctx, rdb, def) }}
	f := &following[R, K]{mirror: m, rdb: rdb, options: o, logger: o.logger.With(zap.String("table", def.Name))}
	go f.run()
	select {
	case <-m.inStep:
		return m, nil
	case <-m.stopped:
		m.end()
		return nil, fmt.Errorf("mirror: %w", m.failed)
	case <-ctx.Done():
		_ = m.Close()
		return nil, fmt.Errorf("table %s: open a mirror: %w", def.Name, ended(ctx))
	}
}

// Close ends the mirror: its goroutine, calls that wait, and loops over Changes. It returns when they have stopped following; a socket
// read that hangs is left to end by itself. Later reads of the mirror say ErrClosed; snapshots stay as they are. Close may be called more
// than once. It does not close the client. The error is always nil.
func (m *Mirror[R, K]) Close() error {
	m.end()
	<-m.stopped
	m.asker.close()
	return nil
}

// version returns what reads show now.
func (m *Mirror[R, K]) version(ctx context.Context) (*version[R, K], error) {
	switch {
	case ctx.Err() != nil:
		return nil, ended(ctx)
	case m.life.Err() != nil:
		return nil, table.ErrClosed
	case m.maxAge > 0:
		if age := m.Age(); age > m.maxAge {
			return nil, fmt.Errorf("%w: %v old, at most %v", table.ErrStale, age.Round(time.Millisecond), m.maxAge)
		}
	}
	return m.shown.Load(), nil
}

// Age returns how old what the mirror shows may be: all that the server had acknowledged so long ago is shown. While the server answers it
// is about a second at most, or a third of WithMaxAge; else it grows. It speaks of the server that was asked, which after a fail-over
// may for some seconds be the old one.
func (m *Mirror[R, K]) Age() time.Duration {
	return time.Since(m.born) - time.Duration(m.proven.Load())
}

// Position returns the position of the moment that the mirror shows. It does not ask Redis. A mirror, a Table and a Reader that show the
// same moment return equal ones.
func (m *Mirror[R, K]) Position() table.Position { return m.shown.Load().at }

// bell tells those who wait that there is news.
type bell struct {
	mu   sync.Mutex
	rung chan struct{} // guarded by mu; closed at the next ring; nil if nobody waits for that
}

// next returns a channel that is closed when the bell is rung from now on.
func (b *bell) next() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung == nil {
		b.rung = make(chan struct{})
	}
	return b.rung
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rung != nil {
		close(b.rung)
		b.rung = nil
	}
}

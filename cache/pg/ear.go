package pg

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
)

// closeTimeout is for how long the end of a connection is told to the server.
const closeTimeout = time.Second

// ear hears notifications on a connection of its own, which it makes again when it is lost.
type ear struct {
	pool    *pgxpool.Pool
	channel string
	name    string
	hints   chan<- struct{} // to the teller: something may be pending
	logger  *zap.Logger
}

func (e *ear) run(ctx context.Context) error {
	for again := (retry{}); ctx.Err() == nil; {
		heard, err := e.listen(ctx)
		if heard {
			again = retry{}
		}
		if ctx.Err() == nil {
			e.logger.Warn("not notified, what is pending is looked for; the connection is made again", zap.Error(err))
			_ = again.wait(ctx) // the loop asks the same
		}
	}
	return ctx.Err()
}

// listen hears until the connection is lost. It tells whether it has heard anything but its own beginning.
func (e *ear) listen(ctx context.Context) (heard bool, err error) {
	conn, err := e.connect(ctx)
	if err != nil {
		return false, err
	}
	defer hangUp(ctx, conn)
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{e.channel}.Sanitize()); err != nil {
		return false, err
	}
	hint(e.hints) // of what was not heard before
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return heard, err
		}
		heard = true
		if n.Payload == e.name {
			hint(e.hints)
		}
	}
}

// connect takes a connection out of the pool, which makes another one for it when needed.
func (e *ear) connect(ctx context.Context) (*pgx.Conn, error) {
	c, err := e.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return c.Hijack(), nil
}

func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	_ = conn.Close(ctx) // it is of no use any more, whatever the server says
}

package feed

import (
	"context"
	"time"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// One reply brings about goodReply bytes, as far as the reply before lets foresee it: a server may close connections to which it must
// send much, and a reply must come within the client's read time-out. Bodies are bounded by MostBody.
const (
	firstRead = 16 // how many entries are asked for at first
	mostRead  = 500
	goodReply = 1 << 20
)

// mostClosed is how often in a row the connection may be closed instead of one entry, before that entry counts as a gap.
const mostClosed = 2

// mostAge is how long a tail uses one connection: after a fail-over an old one may lead to a server that the table has left.
const mostAge = 5 * time.Second

// Tail reads the entries of a feed as they come, and asks how far the table is, through a connection of its own. It is for one
// goroutine. End it with Close.
type Tail struct {
	client *wire.Client
	conn   *wire.Dedicated // nil: there is none
	since  time.Time
	most   int // how many entries to ask for
	closed int // how often in a row the server has closed the connection instead of sending one entry
}

// NewTail returns a tail. It connects with its first call.
func NewTail(c *wire.Client) *Tail { return &Tail{client: c, most: firstRead} }

// Close closes the connection.
func (t *Tail) Close() { t.Reconnect() }

// Reconnect has the next call use a new connection.
func (t *Tail) Reconnect() {
	if t.conn != nil {
		t.conn.Close()
		t.conn = nil
	}
}

// MostWait is for how long Wait may wait: a reply that comes later than the client's read time-out ends the connection.
func (t *Tail) MostWait() time.Duration { return wire.ReadTimeout(t.client.Redis) / 2 }

// Position asks how far the table is. wire.ErrNoTable: there is none.
func (t *Tail) Position(ctx context.Context) (layout.Position, error) {
	raw, err := t.do(ctx, "hmget", &t.client.Keys.Truth, "epoch", "seq")
	if err != nil {
		return layout.Position{}, err
	}
	r := wire.NewReply(raw)
	fields := r.Texts()
	if r.Err() == nil && len(fields) == 2 && fields[0] == nil && fields[1] == nil {
		return layout.Position{}, wire.ErrNoTable
	}
	if len(fields) != 2 {
		r.Fail()
		return layout.Position{}, r.Err()
	}
	p, ok := layout.ParsePosition(string(fields[0]) + "/" + string(fields[1]))
	if !ok {
		r.Fail()
	}
	return p, r.Err()
}

// OwnerKeepsFeed tells whether the table's owner keeps a feed. The key itself may be missing all the same: somebody has deleted it, and
// there was no effect since then. wire.ErrNoTable: there is none.
func (t *Tail) OwnerKeepsFeed(ctx context.Context) (bool, error) {
	raw, err := t.do(ctx, "hget", &t.client.Keys.Truth, layout.FeedField)
	if err != nil {
		return false, err
	}
	r := wire.NewReply(raw)
	keeps := r.Text()
	if r.Err() == nil && keeps == nil {
		return false, wire.ErrNoTable
	}
	return string(keeps) == layout.KeepsFeed, r.Err()
}

// Read returns entries behind a position, up to another one. They may not be all: Read again. ErrGap: the server cannot send the
// next one.
func (t *Tail) Read(ctx context.Context, behind, to layout.Position) ([]Entry, error) {
	asked := t.most
	raw, err := t.do(ctx, Range(&t.client.Keys.Feed, behind, to, asked)...)
	if asked == 1 && wire.WasClosed(err) {
		if t.closed++; t.closed >= mostClosed {
			t.closed = 0
			return nil, ErrGap
		}
	}
	return t.learn(raw, err, ReadEntries)
}

// learn reads a reply, and foresees from it how many entries the next one may have.
func (t *Tail) learn(raw []byte, err error, read func([]byte) ([]Entry, error)) ([]Entry, error) {
	if err != nil {
		if !wire.IsRefusal(err) {
			t.most = 1 // the reply may have been too large
		}
		return nil, err
	}
	t.closed = 0
	entries, err := read(raw)
	if n := len(entries); n > 0 {
		t.most = max(1, min(n*goodReply/len(raw), 4*t.most, mostRead))
	}
	return entries, err
}

// Wait returns entries behind a position, and waits for some while there are none. It returns none when the wait is over.
func (t *Tail) Wait(ctx context.Context, behind layout.Position, wait time.Duration) ([]Entry, error) {
	wait = max(min(wait, t.MostWait()), time.Millisecond)
	raw, err := t.do(ctx, "xread", "count", t.most, "block", wait.Milliseconds(), "streams", &t.client.Keys.Feed,
		layout.EntryID(behind.Epoch, behind.Seq))
	if err == nil && wire.IsNull(raw) {
		return nil, nil
	}
	return t.learn(raw, err, readStream)
}

func (t *Tail) do(ctx context.Context, args ...any) (raw []byte, err error) {
	err = t.client.Retry(ctx, nil, wire.SendAgain, func() (err error) {
		raw, err = t.once(ctx, args)
		if err != nil {
			t.Reconnect()
		}
		return err
	})
	return raw, err
}

func (t *Tail) once(ctx context.Context, args []any) ([]byte, error) {
	if t.conn != nil && time.Since(t.since) > mostAge {
		t.Reconnect()
	}
	if t.conn == nil {
		conn, err := t.client.Dedicate(ctx)
		if err != nil {
			return nil, err
		}
		t.conn, t.since = conn, time.Now()
	}
	return t.conn.Do(ctx, args...)
}

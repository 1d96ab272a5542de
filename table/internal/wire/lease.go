package wire

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// ErrHeld: another process holds a lease of the table.
var ErrHeld = errors.New("tablecache: another process holds a lease of the table")

// HeldError is an ErrHeld. It tells who holds the lease, and for how long at most if it is not renewed.
type HeldError struct {
	Holder string // the owner's name and a random id
	Left   time.Duration
}

// Error tells both.
func (e *HeldError) Error() string {
	return fmt.Sprintf("%v: %s, for %v unless it is renewed", ErrHeld, e.Holder, e.Left.Round(time.Millisecond))
}

// Unwrap returns ErrHeld.
func (e *HeldError) Unwrap() error { return ErrHeld }

// Lease is what is stored of a lease. It is zero where nobody holds one.
type Lease struct {
	Holder string        // who holds it: the owner's name and a random id
	Length time.Duration // how long it is each time it is renewed
	Until  time.Time     // when it ends unless it is renewed, by the server's clock
}

// StoredLease returns the lease of a table of which only the name is known. When ctx ends it returns at once; a call that hangs in a
// socket ends by itself later.
func StoredLease(ctx context.Context, rdb redis.UniversalClient, name string) (Lease, error) {
	c, since := NewClient(rdb, layout.KeysOf(name, nil), "", nil), time.Now()
	fields, err := await(ctx, func() (fields []any, err error) {
		err = c.Retry(ctx, nil, SendAgain, func() error {
			args := []any{"hmget", &c.Keys.Truth}
			for _, field := range layout.LeaseFields {
				args = append(args, field)
			}
			cmd := redis.NewSliceCmd(ctx, args...)
			c.Process(ctx, cmd)
			fields = cmd.Val()
			return cmd.Err()
		})
		return fields, err
	})
	if ctx.Err() != nil {
		return Lease{}, c.EndedWaiting(ctx, since)
	}
	if err != nil {
		return Lease{}, LostToForeignType(err)
	}
	return parseLease(fields)
}

func parseLease(fields []any) (l Lease, err error) {
	if len(fields) != len(layout.LeaseFields) || fields[0] == nil {
		return l, nil
	}
	var micros [2]int64
	for i := range micros {
		text, _ := fields[1+i].(string)
		if micros[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return l, fmt.Errorf("%w: a number of the table's lease cannot be read", engine.ErrLost)
		}
	}
	l.Holder, _ = fields[0].(string)
	l.Length, l.Until = time.Duration(micros[0])*time.Microsecond, time.UnixMicro(micros[1])
	return l, nil
}

package pg

import (
	"context"
	"errors"

	"github.com/tablecache-go/tablecache/table"
)

// refresher has the cache refreshed, and takes off the table of what is pending what it was told of before.
type refresher struct {
	refresh func(context.Context) error
	table   pending
	told    *ledger
	options
}

func (r *refresher) run(ctx context.Context) error {
	for {
		select {
		case <-r.told.added:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := r.finish(ctx); err != nil {
			return err
		}
	}
}

// finish tries until what the cache has been told of is done.
func (r *refresher) finish(ctx context.Context) error {
	for again := (retry{}); ; {
		err := r.try(ctx)
		if err == nil || ctx.Err() != nil || isFinal(err) {
			return err
		}
		r.tell("a refresh has failed", err)
		if err := again.wait(ctx); err != nil {
			return err
		}
	}
}

// try refreshes once. Only what was told before counts as done, and only after the cache has acknowledged it.
func (r *refresher) try(ctx context.Context) error {
	ids := r.told.all()
	if err := r.refresh(ctx); err != nil {
		return err
	}
	if err := r.table.remove(ctx, ids); err != nil {
		return err
	}
	r.told.finish(ids)
	return nil
}

// isFinal tells whether trying again is in vain: the cache's table can no longer be written by this process.
func isFinal(err error) bool {
	return errors.Is(err, table.ErrClosed) || errors.Is(err, table.ErrFenced) || errors.Is(err, table.ErrLost)
}

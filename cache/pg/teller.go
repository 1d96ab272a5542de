package pg

import (
	"context"
	"math"
	"time"

	"go.uber.org/zap"
)

// teller reads what is pending and tells the cache what is new. It goes on while the refresher works, and while that fails.
type teller[K comparable] struct {
	to    Invalidator[K]
	from  Changes[K]
	table pending
	told  *ledger
	hints <-chan struct{} // from the ear: something may be pending
	options
}

// restFactor is how much longer than it has read the teller rests at least after it has read much: reading that again and again, because it
// cannot be refreshed, must not keep the database busy.
const restFactor = 4

func (t *teller[K]) run(ctx context.Context) error {
	var again retry
	for replayed := false; ; {
		began := time.Now()
		read, refused, err := t.pass(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case refused != nil:
			return refused
		case err != nil:
			t.tell("what is pending cannot be read", err)
			if err := again.wait(ctx); err != nil {
				return err
			}
			continue
		}
		again = retry{}
		if !replayed {
			replayed = true
			t.to.Replayed()
		}
		if read >= pageRows {
			if err := rest(ctx, min(restFactor*time.Since(began), t.poll)); err != nil {
				return err
			}
		}
		if err := t.wait(ctx); err != nil {
			return err
		}
	}
}

// wait returns when it is time for the next pass.
func (t *teller[K]) wait(ctx context.Context) error {
	timer := time.NewTimer(t.poll)
	defer timer.Stop()
	select {
	case <-t.hints:
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// pass reads all that is pending now, page by page, tells what is new, and returns how many rows it has read. A row that comes meanwhile, with
// whatever id, is found by the next pass at the latest. refused is the cache's error.
func (t *teller[K]) pass(ctx context.Context) (read int, refused, err error) {
	t.told.begin()
	for after := int64(math.MinInt64); ; {
		page, err := t.table.page(ctx, after)
		if err != nil || len(page) == 0 {
			return read, nil, err
		}
		read += len(page)
		if rows := t.told.untold(page); len(rows) > 0 {
			if err := t.say(rows); err != nil {
				return read, err, nil
			}
			t.told.add(rows)
		}
		if len(page) < pageRows {
			return read, nil, nil
		}
		after = page[len(page)-1].ID
	}
}

// say tells the cache of rows. What it cannot be told of in detail is told as everything.
func (t *teller[K]) say(rows []row) error {
	n := newNews[K]()
	for _, r := range rows {
		if err := n.add(r, t.from.Key); err != nil {
			n.all = true
			t.logger.Warn("a pending row cannot be read: everything is invalidated", zap.Int64("id", r.ID))
		}
	}
	if !n.all {
		err := n.tell(t.to.Invalidate, t.to.InvalidateKeys)
		if err == nil {
			return nil
		}
		t.logger.Warn("an invalidation is refused: everything is invalidated", zap.Error(err))
	}
	return t.to.Invalidate(t.from.Index)
}

package table

import (
	"context"
	"errors"

	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Count returns how many records s has at one moment. It reads records only if s has a predicate, or while a
// merge is being folded.
func (h *handle[R, K]) Count(ctx context.Context, s Spec[R]) (int, error) {
	p, err := h.planOf(s, scripts.Merged)
	if err != nil {
		return 0, h.errorf("count", err)
	}
	var n int
	if p.recheck == nil {
		n, err = h.countRows(ctx, p)
	} else {
		n, err = h.countRecords(ctx, p)
	}
	return n, h.errorf("count", err)
}

func (h *handle[R, K]) countRows(ctx context.Context, p plan[R]) (int, error) {
	n, at, err := h.reader.Count(ctx, p.query)
	if err == nil {
		err = p.Note.check(&at)
	}
	if err != nil {
		return 0, err
	}
	return n, nil
}

func (h *handle[R, K]) countRecords(ctx context.Context, p plan[R]) (n int, err error) {
	var bad error
	err = h.read(ctx, p, func(_ R, err error) bool {
		if err != nil {
			bad = err
			return false
		}
		n++
		return true
	})
	return n, errors.Join(err, bad)
}

package table

import (
	"context"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/scan"
)

// filter decodes and judges rows, and counts up to the limit.
type filter[R any, K comparable] struct {
	*decoder[R, K]
	plan   plan[R]
	passed int
	ready  []judged[R] // the part of the answer on the page judged
	judged *scan.Page  // the page that enough has judged; nil: it has judged none
}

type judged[R any] struct {
	record R
	err    error
}

// enough tells whether the first page holds as many records of the answer as the limit allows.
func (f *filter[R, K]) enough(ctx context.Context, page *scan.Page) bool {
	if f.plan.limit == 0 {
		return false
	}
	if f.plan.recheck == nil {
		return len(page.Rows) >= f.plan.limit
	}
	f.ready, f.judged = nil, page
	for i := 0; i < len(page.Rows) && ctx.Err() == nil; i++ {
		if err, ok := f.judge(page, i); ok {
			f.ready = append(f.ready, judged[R]{f.record, err})
		}
		if len(f.ready) == f.plan.limit {
			return true
		}
	}
	return false // also when ctx has ended: the next call will find that
}

// judge decodes row i; ok is false when it is not part of the answer.
func (f *filter[R, K]) judge(page *scan.Page, i int) (err error, ok bool) {
	if err := f.decode(page.Keys[i], page.Rows[i]); err != nil {
		return err, true
	}
	holds, err := judge(f.plan.recheck, &f.record)
	if err != nil {
		err = &CodingError{Table: f.def.Name, Key: layout.KeyHash(page.Keys[i]), Decoding: true, Err: err}
	}
	return err, holds || err != nil
}

// pass yields the records of one page.
func (f *filter[R, K]) pass(ctx context.Context, page *scan.Page, yield func(R, error) bool) error {
	if f.judged == page {
		return f.passReady(ctx, yield)
	}
	for i := range page.Rows {
		if ctx.Err() != nil { // checked for each row, because a slow predicate may let none pass
			return engine.Ended(ctx)
		}
		if bad, ok := f.judge(page, i); ok {
			if err := f.yield(ctx, f.record, bad, yield); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *filter[R, K]) passReady(ctx context.Context, yield func(R, error) bool) error {
	for _, j := range f.ready {
		if err := f.yield(ctx, j.record, j.err, yield); err != nil {
			return err
		}
	}
	return nil
}

func (f *filter[R, K]) yield(ctx context.Context, r R, bad error, yield func(R, error) bool) error {
	if ctx.Err() != nil {
		return engine.Ended(ctx)
	}
	if !yield(r, bad) {
		return scan.ErrStop
	}
	f.passed++
	if f.passed == f.plan.limit {
		return scan.ErrStop
	}
	return nil
}

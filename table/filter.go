package table

import (
	"context"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/scan"
)

// filter decodes and judges rows, and counts up to the limit.
type filter[R any, K comparable] struct {
	*decoder[R, K]
	plan   plan[R]
	passed int
	ready  map[*scan.Page][]judged[R] // the part of the answer on the pages that enough has judged
	found  int                        // how many records are ready
	first  *scan.Page                 // of the pages that enough was asked about last
	known  int                        // how many these were
	looked bool                       // the first page that was read has been looked at
	begun  bool                       // a page was passed
}

type judged[R any] struct {
	record R
	err    error
}

// mostReady bounds the limit up to which enough judges more than the first page, for it keeps the records that it has found.
const mostReady = 1000

// refuses tells, of the first page that was read, that the note is another one than the plan wants: what is read after that is no
// older, so nothing more need be read.
func (f *filter[R, K]) refuses(page *scan.Page) bool {
	isFirst := !f.looked
	f.looked = true
	return isFirst && f.plan.Note.check(&page.Moment) != nil
}

// enough tells whether pages hold as many records of the answer as the limit allows. It judges a page once, unless the pages were
// read anew.
func (f *filter[R, K]) enough(ctx context.Context, pages []*scan.Page) bool {
	switch {
	case f.plan.limit == 0, f.plan.recheck != nil && f.plan.limit > mostReady && len(pages) > 1:
		return false
	case f.first != pages[0]:
		f.first, f.known, f.found, f.ready = pages[0], 0, 0, make(map[*scan.Page][]judged[R])
	}
	for f.known < len(pages) && f.found < f.plan.limit && ctx.Err() == nil { // if ctx has ended the next call will find that
		f.prejudge(ctx, pages[f.known])
		f.known++
	}
	return f.found >= f.plan.limit
}

// prejudge gets the part of the answer on a page ready, up to the limit.
func (f *filter[R, K]) prejudge(ctx context.Context, page *scan.Page) {
	if f.plan.recheck == nil {
		f.found += len(page.Rows)
		return
	}
	ready := make([]judged[R], 0)
	for i := 0; i < len(page.Rows) && f.found < f.plan.limit; i++ {
		if ctx.Err() != nil {
			return
		}
		if err, ok := f.judge(page, i); ok {
			ready = append(ready, judged[R]{f.record, err})
			f.found++
		}
	}
	f.ready[page] = ready
}

// judge decodes row i; ok is false when it is not part of the answer.
func (f *filter[R, K]) judge(page *scan.Page, i int) (err error, ok bool) {
	if err := f.decode(page.Keys[i], page.Rows[i]); err != nil {
		return err, true
	}
	holds, err := Holds(f.plan.recheck, &f.record)
	if err != nil {
		err = f.plan.Fault(page.Keys[i], err)
	}
	return err, holds || err != nil
}

// pass yields the records of one page. The first one tells which note the snapshot has.
func (f *filter[R, K]) pass(ctx context.Context, page *scan.Page, yield func(R, error) bool) error {
	if !f.begun {
		f.begun = true
		if err := f.plan.Note.check(&page.Moment); err != nil {
			return err
		}
	}
	if ready, is := f.ready[page]; is {
		delete(f.ready, page)
		return f.passReady(ctx, ready, yield)
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

func (f *filter[R, K]) passReady(ctx context.Context, ready []judged[R], yield func(R, error) bool) error {
	for _, j := range ready {
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

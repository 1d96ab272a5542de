package table

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/scan"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// DeleteSeq deletes the records of s page by page and yields what it has deleted. It holds no lock
// while the loop body runs. A record that changes between being judged and being deleted is
// judged again. Each key is deleted at most once, even if the body puts it back. Breaking out of
// the loop ends it; all records of the current page (up to 1,000) are deleted then, although some
// were not yielded. A row that cannot be decoded yields a *CodingError and stays (DeleteKeys deletes
// it). If the table is cleared meanwhile the sequence ends.
func (t *Table[R, K]) DeleteSeq(ctx context.Context, s Spec[R]) iter.Seq2[R, error] {
	return t.sweep(ctx, s, sweeping{what: "delete", scope: scripts.Merged, span: regularSpan(t.actor), mark: t.actor.Delete})
}

// regularSpan waits until the lock is clear before it gets a span, so that records are judged as they will be deleted.
func regularSpan(a *engine.Actor) func(context.Context) (*engine.Span, error) {
	return func(ctx context.Context) (*engine.Span, error) {
		if err := a.WaitClear(ctx); err != nil {
			return nil, err
		}
		return a.RegularSpan(ctx)
	}
}

// marking deletes or discards records, and returns a verdict for each.
type marking func(context.Context, engine.Deletion) ([]engine.Verdict, error)

// sweeping is what a sweep does.
type sweeping struct {
	what   string // for errors
	scope  scripts.Scope
	span   func(context.Context) (*engine.Span, error)
	mark   marking
	behind engine.Place // where it begins
}

// sweeper marks the records of a plan, page by page.
type sweeper[R any, K comparable] struct {
	*decoder[R, K]
	pages  *scan.Sweep
	plan   plan[R]
	span   *engine.Span
	mark   marking
	yield  func(R, error) bool
	marked int
	cut    bool // the limit has ended the choice from the present page
}

func (t *Table[R, K]) sweep(ctx context.Context, s Spec[R], do sweeping) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		p, err := t.planToMark(s, do.scope)
		w := sweeper[R, K]{decoder: t.decoder(), pages: t.reader.Sweep(p.query, do.behind), plan: p, mark: do.mark, yield: yield}
		if err == nil {
			w.span, err = do.span(ctx)
		}
		if err == nil {
			err = w.run(ctx)
		}
		if err != nil && !errors.Is(err, scan.ErrStop) && !errors.Is(err, engine.ErrCleared) {
			var none R
			yield(none, t.errorf(do.what, err))
		}
	}
}

// mostRetries bounds how often a page that other writers disturb is read again so that it can be marked
// as a whole. After that its records are marked one by one, each if it is still as it was read.
const mostRetries = 100

// run goes through the pages.
func (w *sweeper[R, K]) run(ctx context.Context) error {
	for tries := mostRetries; ; {
		page, err := w.page(ctx)
		if err != nil || page == nil {
			return err
		}
		all := rowsOf(page)
		if page.Final && tries > 0 { // these are all the records there are
			tries--
			disturbed, err := w.sweepWhole(ctx, all, page.Moment)
			if err == nil && disturbed {
				continue
			}
			return err
		}
		wait := w.maybeReadAhead(ctx, page)
		chosen, err := w.choose(ctx, all)
		if err != nil {
			return err // wait is not called: nobody needs the next page
		}
		wait()
		err = w.sweepRows(ctx, chosen, page.Moment)
		tries = 0
		switch {
		case err != nil:
			return err
		case w.cut: // of those that were chosen some may not be marked, so that others are
			w.pages.Again()
		case page.Final:
			return nil
		default:
			w.pages.Next(page)
		}
	}
}

func (w *sweeper[R, K]) page(ctx context.Context) (*scan.Page, error) {
	page, err := w.pages.Page(ctx)
	w.cut = false
	if err == nil {
		err = w.span.Err()
	}
	return page, err
}

// maybeReadAhead reads the page behind this one while this one is judged, unless the limit may end the sweep on it.
func (w *sweeper[R, K]) maybeReadAhead(ctx context.Context, page *scan.Page) (wait func()) {
	if w.plan.limit > 0 {
		return func() {}
	}
	return w.pages.ReadAhead(ctx, page)
}

func rowsOf(page *scan.Page) []scan.Found {
	rows := make([]scan.Found, len(page.Rows))
	for i := range rows {
		rows[i] = scan.Found{Key: page.Keys[i], Row: page.Rows[i], Score: page.Scores[i]}
	}
	return rows
}

// sweepWhole marks those of all records that pass, at one moment. disturbed tells that other records had come meanwhile, or
// that some had changed, so that nothing was marked; or that some of the limit is left, because some may not be marked.
func (w *sweeper[R, K]) sweepWhole(ctx context.Context, all []scan.Found, read wire.Moment) (disturbed bool, err error) {
	chosen, err := w.choose(ctx, all)
	if err != nil || len(chosen) == 0 {
		return false, err
	}
	d := w.deletion(chosen, read)
	d.Witnesses = witnesses(all, chosen)
	for _, b := range w.plan.query.Bounds {
		d.Bounds = append(d.Bounds, engine.Bytes(b.Min), engine.Bytes(b.Max))
	}
	verdicts, err := w.mark(ctx, d)
	if err != nil {
		return false, err
	}
	changed, err := w.report(chosen, verdicts)
	if w.cut {
		w.pages.Again()
	}
	return len(changed) > 0 || w.cut, err
}

// witnesses returns the records that are not chosen.
func witnesses[R any](all []scan.Found, chosen []candidate[R]) (others []engine.Mark) {
	for _, f := range all {
		if len(chosen) > 0 && bytes.Equal(chosen[0].Key, f.Key) {
			chosen = chosen[1:]
			continue
		}
		others = append(others, markOf(f))
	}
	return others
}

// sweepRows marks the chosen records, yields those that were marked, and judges those again that have changed since.
func (w *sweeper[R, K]) sweepRows(ctx context.Context, chosen []candidate[R], read wire.Moment) error {
	for len(chosen) > 0 {
		verdicts, err := w.mark(ctx, w.deletion(chosen, read))
		if err != nil {
			return err
		}
		if count(verdicts, engine.Marked) > 0 { // else there may have been no effect
			w.pages.Applied()
		}
		changed, err := w.report(chosen, verdicts)
		if err != nil || len(changed) == 0 {
			return err
		}
		if chosen, read, err = w.again(ctx, changed); err != nil {
			return err
		}
	}
	return nil
}

// again reads and judges the records with these keys again.
func (w *sweeper[R, K]) again(ctx context.Context, changed []engine.Bytes) ([]candidate[R], wire.Moment, error) {
	rows, read, err := w.pages.Find(ctx, changed)
	if err == nil {
		err = w.span.Err()
	}
	if err != nil {
		return nil, wire.Moment{}, err
	}
	chosen, err := w.choose(ctx, slices.DeleteFunc(rows, func(f scan.Found) bool { return f.Row == nil || !inside(w.plan.intervals, f.Score) }))
	return chosen, read, err
}

// markOf returns the mark for a record as it was read.
func markOf(f scan.Found) engine.Mark {
	return engine.Mark{Key: f.Key, Value: f.Row, Score: f.Score}
}

// candidate is a row that the plan's predicate holds for.
type candidate[R any] struct {
	scan.Found
	record R
}

// choose decodes and judges rows, up to the limit.
func (w *sweeper[R, K]) choose(ctx context.Context, rows []scan.Found) ([]candidate[R], error) {
	chosen := make([]candidate[R], 0, len(rows))
	for _, f := range rows {
		if ctx.Err() != nil {
			return nil, engine.Ended(ctx)
		}
		if w.plan.limit > 0 && w.marked+len(chosen) == w.plan.limit {
			w.cut = true
			break
		}
		c, ok, err := w.judge(f)
		if err != nil && !w.yield(c.record, err) {
			return nil, scan.ErrStop
		}
		if ok && err == nil {
			chosen = append(chosen, c)
		}
	}
	return chosen, nil
}

func (w *sweeper[R, K]) judge(f scan.Found) (c candidate[R], ok bool, err error) {
	if w.pages.IsDone(f.Key) {
		return c, false, nil
	}
	c.Found = f
	if err = w.decode(f.Key, bytes.Clone(f.Row)); err != nil { // a clone: a codec or predicate may write to it, and f.Row is sent back
		w.pages.Done(f.Key)
		return c, false, err
	}
	c.record = w.record
	if ok, err = Holds(w.plan.recheck, &c.record); err != nil {
		w.pages.Done(f.Key)
		err = w.plan.Fault(f.Key, err)
	}
	return c, ok, err
}

// inside tells whether a score, as Redis wrote it, lies in one of the intervals.
func inside(intervals []Interval, score []byte) bool {
	f, err := layout.ParseScore(string(score))
	return err == nil && slices.ContainsFunc(intervals, func(i Interval) bool { return i.Contains(f) })
}

func (w *sweeper[R, K]) deletion(chosen []candidate[R], read wire.Moment) engine.Deletion {
	d := engine.Deletion{Marks: make([]engine.Mark, len(chosen)), Index: w.plan.query.Index, ReadAt: read.View.Seq, Span: w.span}
	for i, c := range chosen {
		d.Marks[i] = markOf(c.Found)
	}
	return d
}

// report counts and yields what was marked, and returns the keys that must be judged again.
func (w *sweeper[R, K]) report(chosen []candidate[R], verdicts []engine.Verdict) (changed []engine.Bytes, err error) {
	w.marked += count(verdicts, engine.Marked)
	for i, v := range verdicts {
		switch v {
		case engine.Missing: // it is gone, or was written through
			w.pages.Done(chosen[i].Key)
		case engine.Marked:
			w.pages.Done(chosen[i].Key)
			if err == nil && !w.yield(chosen[i].record, nil) {
				err = scan.ErrStop
			}
		case engine.Changed:
			changed = append(changed, chosen[i].Key)
		}
	}
	if w.plan.limit > 0 && w.marked == w.plan.limit && err == nil {
		err = scan.ErrStop
	}
	return changed, err
}

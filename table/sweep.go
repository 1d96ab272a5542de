package table

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/tablecache-go/tablecache/engine"
)

// DeleteSeq deletes the records of s page by page and yields what it has deleted. No lock is held
// while the loop body runs. A record that changes between being judged and being deleted is
// judged again; each key is deleted at most once, even if the body puts it back. Breaking out of
// the loop stops: the page at hand, up to 1,000 records of which some were not yielded, is gone.
// A row that cannot be decoded yields a *CodingError and is left alone (DeleteKeys deletes it).
// When the table is cleared meanwhile the sequence ends.
func (t *Table[R, K]) DeleteSeq(ctx context.Context, s Spec[R]) iter.Seq2[R, error] {
	return t.sweep(ctx, s, "delete", mergedView, t.regularSpan, t.actor.Delete)
}

// ScratchDiscard stages the deletion of the records of s, in the view that a merge now would
// show, and returns how many it discarded. It waits like ScratchPut and is atomic like Delete.
func (t *Table[R, K]) ScratchDiscard(ctx context.Context, s Spec[R]) (int, error) {
	return drain(t.ScratchDiscardSeq(ctx, s))
}

// ScratchDiscardSeq is to ScratchDiscard what DeleteSeq is to Delete. When its scratch session is
// merged or aborted meanwhile it ends with ErrScratchMerged or ErrScratchAborted.
func (t *Table[R, K]) ScratchDiscardSeq(ctx context.Context, s Spec[R]) iter.Seq2[R, error] {
	return t.sweep(ctx, s, "discard", stagedView, t.actor.ScratchSpan, t.actor.Discard)
}

// regularSpan waits for the lock, so that what is judged is what will be deleted.
func (t *Table[R, K]) regularSpan(ctx context.Context) (*engine.Span, error) {
	if err := t.actor.WaitClear(ctx); err != nil {
		return nil, err
	}
	return t.actor.RegularSpan(ctx)
}

// sweeper marks the records of a plan, page by page.
type sweeper[R any, K comparable] struct {
	*decoder[R, K]
	plan   plan[R]
	view   view
	span   *engine.Span
	mark   func(context.Context, engine.Deletion) ([]engine.Verdict, error)
	yield  func(R, error) bool
	past   past
	marked int
}

func (t *Table[R, K]) sweep(ctx context.Context, s Spec[R], what string, v view, span func(context.Context) (*engine.Span, error),
	mark func(context.Context, engine.Deletion) ([]engine.Verdict, error)) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		p, err := t.plan(s)
		w := sweeper[R, K]{decoder: t.decoder(), plan: p, view: v, mark: mark, yield: yield}
		if err == nil {
			w.span, err = span(ctx)
		}
		if err == nil {
			err = w.run(ctx)
		}
		if err != nil && !errors.Is(err, errStop) && !errors.Is(err, engine.ErrCleared) {
			var none R
			yield(none, t.errorf(what, err))
		}
	}
}

// mostRetries bounds how often a page that other writers keep disturbing is read anew to be marked
// as a whole; after that its records are marked one by one, each if it is still as it was seen.
const mostRetries = 100

// run goes through the pages. Unlike a read it wants the present, not a snapshot.
func (w *sweeper[R, K]) run(ctx context.Context) error {
	at, tries := cursor{bounds: w.plan.bounds}, mostRetries
	var ahead *page
	for len(at.bounds) > 0 {
		pg, err := w.page(ctx, at, ahead)
		if err != nil {
			return err
		}
		all := rowsOf(pg)
		if pg.last && tries > 0 { // these are all the records there are
			tries--
			disturbed, err := w.sweepWhole(ctx, all, pg.snapshot)
			if err == nil && disturbed {
				continue
			}
			return err
		}
		next := w.lookAhead(ctx, pg)
		chosen, err := w.choose(ctx, all)
		if err != nil {
			return err // without waiting for a page that nobody wants
		}
		ahead = <-next
		if err := w.sweepRows(ctx, chosen, pg.snapshot); err != nil || pg.last {
			return err
		}
		at, tries = pg.next, 0
	}
	return nil
}

// page returns the page at a cursor: the one that was read ahead, as long as nobody else has written since.
func (w *sweeper[R, K]) page(ctx context.Context, at cursor, ahead *page) (pg *page, err error) {
	if now := w.t.actor.View().Seq; ahead != nil && ahead.view.Seq == w.past.from && w.past.quiet(now) {
		pg, ahead.view.Seq = ahead, now // what the sweep itself has marked is not on it
	} else if pg, err = w.fetch(ctx, at); err != nil {
		return nil, err
	}
	w.past.read(pg.view.Seq)
	return pg, w.owned(pg.snapshot)
}

// lookAhead reads the page behind pg while that is judged. nil comes where there is none, or where it is not worth it.
func (w *sweeper[R, K]) lookAhead(ctx context.Context, pg *page) <-chan *page {
	next := make(chan *page, 1)
	read := func() {
		found, err := w.fetch(ctx, pg.next)
		if err != nil {
			found = nil // whoever wants the page meets the error
		}
		next <- found
	}
	if pg.last || w.plan.limit > 0 || w.t.streams.start(read) != nil {
		next <- nil
	}
	return next
}

func (w *sweeper[R, K]) fetch(ctx context.Context, at cursor) (*page, error) {
	return w.t.page(ctx, pageAsk{at: at, index: w.plan.index, reverse: w.plan.reverse, view: w.view, scored: true})
}

func rowsOf(pg *page) []stored {
	rows := make([]stored, len(pg.rows))
	for i := range rows {
		rows[i] = stored{key: pg.keys[i], row: pg.rows[i], score: pg.scores[i]}
	}
	return rows
}

// owned: what is to be changed must be this owner's.
func (w *sweeper[R, K]) owned(s snapshot) error {
	if s.epoch != w.t.epoch {
		return ownership(w.t.epoch, s.epoch)
	}
	return w.span.Err()
}

// sweepWhole marks those of all records that pass, at one moment; disturbed tells that they were no
// longer all, and that nothing was marked.
func (w *sweeper[R, K]) sweepWhole(ctx context.Context, all []stored, seen snapshot) (disturbed bool, err error) {
	chosen, err := w.choose(ctx, all)
	if err != nil || len(chosen) == 0 {
		return false, err
	}
	d := w.deletion(chosen, seen)
	d.Witnesses = witnesses(all, chosen)
	for _, b := range w.plan.bounds {
		d.Bounds = append(d.Bounds, engine.Bytes(b.min), engine.Bytes(b.max))
	}
	verdicts, err := w.mark(ctx, d)
	if err != nil {
		return false, err
	}
	changed, err := w.report(chosen, verdicts)
	return len(changed) > 0, err
}

// witnesses returns what is not chosen.
func witnesses[R any](all []stored, chosen []candidate[R]) (others []engine.Mark) {
	for _, f := range all {
		if len(chosen) > 0 && bytes.Equal(chosen[0].key, f.key) {
			chosen = chosen[1:]
			continue
		}
		others = append(others, f.mark())
	}
	return others
}

// sweepRows marks what was chosen, yields what was marked, and looks again at what has changed since.
func (w *sweeper[R, K]) sweepRows(ctx context.Context, chosen []candidate[R], seen snapshot) error {
	for len(chosen) > 0 {
		verdicts, err := w.mark(ctx, w.deletion(chosen, seen))
		if err != nil {
			return err
		}
		w.past.own++
		changed, err := w.report(chosen, verdicts)
		if err != nil || len(changed) == 0 {
			return err
		}
		w.past.loud = true
		if chosen, seen, err = w.again(ctx, changed); err != nil {
			return err
		}
	}
	return nil
}

// again finds and judges what has changed.
func (w *sweeper[R, K]) again(ctx context.Context, changed []engine.Bytes) ([]candidate[R], snapshot, error) {
	rows, seen, err := w.t.find(ctx, w.view, w.plan.index, changed)
	if err == nil {
		err = w.owned(seen)
	}
	if err != nil {
		return nil, snapshot{}, err
	}
	chosen, err := w.choose(ctx, slices.DeleteFunc(rows, func(f stored) bool { return f.row == nil || !w.inside(f.score) }))
	return chosen, seen, err
}

// mark names the record as it was found.
func (s stored) mark() engine.Mark {
	return engine.Mark{Key: s.key, Value: s.row, Score: s.score}
}

// candidate is a row that the plan's predicate holds for.
type candidate[R any] struct {
	stored
	record R
}

// choose decodes and judges rows, up to the limit.
func (w *sweeper[R, K]) choose(ctx context.Context, rows []stored) ([]candidate[R], error) {
	chosen := make([]candidate[R], 0, len(rows))
	for _, f := range rows {
		if ctx.Err() != nil {
			return nil, ended(ctx)
		}
		if w.plan.limit > 0 && w.marked+len(chosen) == w.plan.limit {
			break
		}
		c, ok, err := w.judge(f)
		if err != nil && !w.yield(c.record, err) {
			return nil, errStop
		}
		if ok && err == nil {
			chosen = append(chosen, c)
		}
	}
	return chosen, nil
}

func (w *sweeper[R, K]) judge(f stored) (c candidate[R], ok bool, err error) {
	if w.past.has(f.key) {
		return c, false, nil
	}
	c.stored = f
	if err = w.decode(f.key, f.row); err != nil {
		w.past.add(f.key)
		return c, false, err
	}
	c.record = w.record
	if ok, err = judge(w.plan.recheck, &c.record); err != nil {
		w.past.add(f.key)
		err = &CodingError{Table: w.t.def.Name, Key: keyHash(f.key), Decoding: true, Err: err}
	}
	return c, ok, err
}

// inside tells whether a score, as Redis wrote it, still lies in one of the intervals.
func (w *sweeper[R, K]) inside(score []byte) bool {
	f, err := parseScore(string(score))
	if err != nil {
		return false
	}
	for _, i := range w.plan.intervals {
		if i.Contains(f) {
			return true
		}
	}
	return false
}

func (w *sweeper[R, K]) deletion(chosen []candidate[R], seen snapshot) engine.Deletion {
	d := engine.Deletion{Marks: make([]engine.Mark, len(chosen)), Index: w.plan.index, Seen: seen.view.Seq, Span: w.span}
	for i, c := range chosen {
		d.Marks[i] = c.mark()
	}
	return d
}

// report counts and yields what was marked, and returns the keys that must be judged again.
func (w *sweeper[R, K]) report(chosen []candidate[R], verdicts []engine.Verdict) (changed []engine.Bytes, err error) {
	w.marked += count(verdicts, engine.Marked)
	for i, v := range verdicts {
		switch v {
		case engine.Marked:
			w.past.add(chosen[i].key)
			if err == nil && !w.yield(chosen[i].record, nil) {
				err = errStop
			}
		case engine.Changed:
			changed = append(changed, chosen[i].key)
		}
	}
	if w.plan.limit > 0 && w.marked == w.plan.limit && err == nil {
		err = errStop
	}
	return changed, err
}

package table

import (
	"context"
	"errors"
	"iter"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// ScratchPut stages records: no read sees them before ScratchMerge. From the first staged record on
// regular writes wait until the merge and its fold, or the abort, are done; with WithWriteThrough the merge shows what Put and the like
// have written since then, and nothing that was staged under these keys. Otherwise ScratchPut is like Put, but it waits only while a
// session is on that belongs to somebody (see Scratch), and while a merge is being folded. ErrGenerationsExhausted: see ScratchMerge.
//
// All who call ScratchPut stage in one session, which the first of them begins: what one has staged another may merge or abort. Use
// Scratch for a session of your own.
func (t *Table[R, K]) ScratchPut(ctx context.Context, records ...R) error {
	return t.errorf("scratch put", t.write(ctx, records, t.stages, t.actor.Stage))
}

// ScratchDiscard stages the deletion of the records of s, as they would be after a merge now,
// and returns how many it discarded; with WithWriteThrough, none of what was written through. It waits like ScratchPut and is atomic like
// Delete; those records count for a page, too, that what is staged hides. Without a predicate and a limit no record is read: Redis finds
// them, those that cannot be decoded too.
//
// Of everything (all scores of an index, no Recheck, no Limit) it is one short step, whatever the table holds, unless something else is
// staged already, or more than 1,000 records or 1 MiB were written through: discard first when you load everything anew. The merge and
// its fold are short steps then, too.
func (t *Table[R, K]) ScratchDiscard(ctx context.Context, s Spec[R]) (int, error) {
	return t.discard(ctx, s, discardingPlainly(t.actor))
}

// discarding is how the records of a session are discarded.
type discarding struct {
	all  func(context.Context) (int, error)
	step byPlace
	span func(context.Context) (*engine.Span, error)
	mark marking
}

// discardingPlainly is the one for the session that all share.
func discardingPlainly(a *engine.Actor) discarding {
	return discarding{a.DiscardAll, a.SweepStaged, a.ScratchSpan, a.Discard}
}

func discardingIn(s *engine.Session) discarding {
	return discarding{s.DiscardAll, s.SweepStaged, sessionSpan(s), s.Discard}
}

// pages returns the same page by page, from a place on.
func (d *discarding) pages(behind engine.Place) sweeping {
	return sweeping{what: "discard", scope: scripts.Staged, span: d.span, mark: d.mark, behind: behind}
}

// discard discards in one step where that is possible, else by place if no record must be read, else page by page.
func (t *Table[R, K]) discard(ctx context.Context, s Spec[R], d discarding) (int, error) {
	if s.Recheck != nil || s.Limit != 0 {
		return drain(t.sweep(ctx, s, d.pages(engine.Place{})))
	}
	s.Reverse = false // places go upwards
	p, err := t.planToMark(s, scripts.Staged)
	if err != nil {
		return 0, t.errorf("discard", err)
	}
	if p.isOfAll() && mayDiscardAll(t.actor.View()) {
		n, err := d.all(ctx)
		if !errors.Is(err, engine.ErrChanged) { // else something is staged by now, or too much was written through
			return n, t.errorf("discard", err)
		}
	}
	return t.discardByPlace(ctx, s, p, d)
}

// discardByPlace discards all records of a spec without a predicate. If too much was written through for a step it goes on by pages.
func (t *Table[R, K]) discardByPlace(ctx context.Context, s Spec[R], p plan[R], d discarding) (n int, err error) {
	span, err := d.span(ctx)
	if err != nil {
		return 0, t.errorf("discard", err)
	}
	at := sweepOf(p)
	if n, err = d.step.through(ctx, &at, span); errors.Is(err, engine.ErrChanged) {
		d.span = func(context.Context) (*engine.Span, error) { return span, nil }
		more, err := drain(t.sweep(ctx, s, d.pages(at.Place)))
		return n + more, err
	}
	if errors.Is(err, engine.ErrCleared) {
		err = nil // nothing is left
	}
	return n, t.errorf("discard", err)
}

// mayDiscardAll tells whether nothing is staged beside all that is merged. In the merging state that will be so.
func mayDiscardAll(v engine.View) bool { return v.State != engine.StateActive || v.Whole }

// ScratchDiscardKeys stages the deletion of the records with these keys, as they would be after a merge now, and returns how many it
// discarded. It waits like ScratchPut, and is atomic for each 1,000 keys; with an error it returns how many are discarded for certain.
func (t *Table[R, K]) ScratchDiscardKeys(ctx context.Context, keys ...K) (int, error) {
	n, err := t.markKeys(ctx, keys, t.actor.Discard)
	return n, t.errorf("discard", err)
}

// ScratchDiscardSeq discards as ScratchDiscard does, page by page, and yields what it has discarded, as
// DeleteSeq does. If its scratch session is merged or aborted meanwhile, it ends with ErrScratchMerged or
// ErrScratchAborted.
func (t *Table[R, K]) ScratchDiscardSeq(ctx context.Context, s Spec[R]) iter.Seq2[R, error] {
	d := discardingPlainly(t.actor)
	return t.sweep(ctx, s, d.pages(engine.Place{}))
}

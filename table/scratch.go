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
// Delete.
//
// Of everything (all scores of an index, no Recheck, no Limit) it is one short step, whatever the table holds, unless something else is
// staged already, or more than 1,000 records or 1 MiB were written through: discard first when you load everything anew. The merge and
// its fold are short steps then, too. Records that cannot be decoded are discarded with the others.
func (t *Table[R, K]) ScratchDiscard(ctx context.Context, s Spec[R]) (int, error) {
	return t.discard(ctx, s, t.actor.DiscardAll, t.ScratchDiscardSeq)
}

// discard discards in one step where that is possible, else page by page.
func (t *Table[R, K]) discard(ctx context.Context, s Spec[R], all func(context.Context) (int, error),
	pages func(context.Context, Spec[R]) iter.Seq2[R, error],
) (int, error) {
	p, err := t.planOf(s, scripts.Staged)
	if err != nil || !p.isOfAll() || !mayDiscardAll(t.actor.View()) {
		return drain(pages(ctx, s))
	}
	n, err := all(ctx)
	if errors.Is(err, engine.ErrChanged) { // something is staged by now, or too much was written through
		return drain(pages(ctx, s))
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
	return t.sweep(ctx, s, "discard", scripts.Staged, t.actor.ScratchSpan, t.actor.Discard)
}

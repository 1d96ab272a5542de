package table

import (
	"context"
	"fmt"
	"slices"

	"github.com/tablecache-go/tablecache/engine"
)

// batch is how many records one atomic write takes.
const batch = 1000

// Put stores records, in place of those with the same keys. When it returns nil every read that
// starts later sees them. Up to 1,000 records are stored all or not at all; more go in order,
// 1,000 at a time, and an error says how many are in. Of two records with the same key the last
// one wins. A record that cannot be encoded is refused, with a *CodingError, before any is sent.
//
// Put waits while scratch is active or a merge is being folded, and for long reads (at most the
// grace period), until ctx ends: it then has done nothing, or, when the write was already under
// way, the error Is ErrUnknownOutcome as well as ctx.Err(). The records are not kept.
func (t *Table[R, K]) Put(ctx context.Context, records ...R) error {
	return t.errorf("put", t.store(ctx, records, t.actor.Put))
}

// store encodes all records before it sends the first of them.
func (t *Table[R, K]) store(ctx context.Context, records []R, send func(context.Context, []engine.Row) error) error {
	if len(records) == 0 {
		return t.alive(ctx)
	}
	rows, err := t.encode(records)
	if err == nil {
		err = checkBatches(rows, maxBatchBytes)
	}
	if err != nil {
		return err
	}
	for start := 0; start < len(rows); start += batch {
		end := min(start+batch, len(rows))
		if err := send(ctx, rows[start:end:end]); err != nil {
			return sofar(err, start, len(rows))
		}
	}
	return nil
}

// checkBatches refuses what is too much for one atomic write.
func checkBatches(rows []engine.Row, most int) error {
	for batch := range slices.Chunk(rows, batch) {
		n := 0
		for i := range batch {
			n += len(batch[i].Key) + len(batch[i].Value)
		}
		if n > most {
			return fmt.Errorf("%w: %d records of %d bytes in one atomic write, at most %d bytes", ErrTooLarge, len(batch), n, most)
		}
	}
	return nil
}

// sofar says how far a write of several batches came.
func sofar(err error, stored, all int) error {
	if all <= batch {
		return err
	}
	return fmt.Errorf("%d of %d records are in: %w", stored, all, err)
}

// DeleteKeys deletes the records with these keys and returns how many there were. It waits like
// Put, and is atomic for each 1,000 keys; with an error it returns how many are gone for certain.
func (t *Table[R, K]) DeleteKeys(ctx context.Context, keys ...K) (int, error) {
	encoded, err := t.encodeKeys(keys)
	if err == nil && len(encoded) == 0 {
		err = t.alive(ctx)
	}
	if err != nil {
		return 0, t.errorf("delete", err)
	}
	n := 0
	for start := 0; start < len(encoded); start += batch {
		verdicts, err := t.actor.Delete(ctx, keysToDelete(encoded[start:min(start+batch, len(encoded))]))
		n += count(verdicts, engine.Marked)
		if err != nil {
			return n, t.errorf("delete", err)
		}
	}
	return n, nil
}

func keysToDelete(keys []engine.Bytes) engine.Deletion {
	marks := make([]engine.Mark, len(keys))
	for i := range keys {
		marks[i].Key = keys[i]
	}
	return engine.Deletion{Marks: marks}
}

func count(verdicts []engine.Verdict, v engine.Verdict) (n int) {
	for i := range verdicts {
		if verdicts[i] == v {
			n++
		}
	}
	return n
}

// Delete deletes the records of s and returns how many it deleted. It waits like Put. Up to 1,000
// records that lie on one page are deleted all at once, exactly those that are records of s at
// that moment; more go page by page, and other writes may run between two pages. With an error it
// returns how many are gone for certain.
func (t *Table[R, K]) Delete(ctx context.Context, s Spec[R]) (int, error) {
	return drain(t.DeleteSeq(ctx, s))
}

// drain counts what a sequence yields, up to the first error.
func drain[R any](seq func(func(R, error) bool)) (n int, err error) {
	for _, e := range seq {
		if e != nil {
			return n, e
		}
		n++
	}
	return n, nil
}

// Clear drops all records, indexes and whatever is staged, in one step and in any state of the
// lock; the generation stays. A fold and …Seq calls that are running end. Clear waits for long
// reads, at most the grace period, until ctx ends (as Put does).
func (t *Table[R, K]) Clear(ctx context.Context) error {
	return t.errorf("clear", t.actor.Clear(ctx))
}

// ScratchPut stages records: no read sees them before ScratchMerge. The first staged record makes
// regular writes wait until the merge and its fold, or the abort, are done. Otherwise it is as
// Put, but it waits only while a merge is being folded. ErrGenerationsExhausted: see ScratchMerge.
func (t *Table[R, K]) ScratchPut(ctx context.Context, records ...R) error {
	return t.errorf("scratch put", t.store(ctx, records, t.actor.Stage))
}

// ScratchMerge makes all that is staged visible to readers, in one step that takes as long for a
// million records as for one. Where nothing is staged it does nothing. The fold that follows runs
// in the background; see WaitClear. After 2^32-1 merges it is ErrGenerationsExhausted.
func (t *Table[R, K]) ScratchMerge(ctx context.Context) error {
	return t.errorf("merge", t.actor.Merge(ctx))
}

// ScratchAbort drops all that is staged, if anything is; regular writes go on.
func (t *Table[R, K]) ScratchAbort(ctx context.Context) error {
	return t.errorf("abort", t.actor.Abort(ctx))
}

// WaitClear waits until no scratch is active and the fold of the last merge is done, or ctx ends.
func (t *Table[R, K]) WaitClear(ctx context.Context) error {
	return t.errorf("wait", t.actor.WaitClear(ctx))
}

package table

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// mostAtomic is how many records one atomic write takes.
const mostAtomic = 1000

// mostBeside is how many records are staged at once beside writes that do not wait for the session: they wait for no more than that.
const mostBeside = 250

// Put stores records, in place of those with the same keys. When it returns nil every read that
// starts later sees them. Up to 1,000 records are stored all or not at all. More go in order,
// 1,000 at a time, and an error says how many are in. Of two records with the same key the later
// one wins. If a record cannot be encoded, Put returns a *CodingError and has sent nothing.
//
// Put waits while a scratch session is on (see WithWriteThrough), while a merge is being folded, and for long reads (at most
// the grace period). When ctx ends first, the error Is ctx.Err() and nothing was done; if the write was
// already under way, the error Is ErrUnknownOutcome, too. It also has a *WaitError, which says what Put
// has waited for. A write that fails again and again though Redis answers is a *GivenUpError (see
// WithTries). Put does not keep the records.
func (t *Table[R, K]) Put(ctx context.Context, records ...R) error {
	return t.errorf("put", t.write(ctx, records, mostAtomic, t.actor.Put))
}

// write encodes all records before it sends the first of them, so many in one atomic write.
func (t *Table[R, K]) write(ctx context.Context, records []R, atOnce int, send func(context.Context, []engine.Row) error) error {
	if len(records) == 0 {
		return t.reader.Alive(ctx)
	}
	rows, err := t.encode(records)
	if err == nil {
		err = checkAtomic(rows, maxAtomicBytes)
	}
	if err != nil {
		return err
	}
	for start := 0; start < len(rows); start += atOnce {
		end := min(start+atOnce, len(rows))
		if err := send(ctx, rows[start:end:end]); err != nil {
			return sofar(err, start, len(rows), atOnce)
		}
	}
	return nil
}

// checkAtomic refuses records that have too many bytes for one atomic write.
func checkAtomic(rows []engine.Row, most int) error {
	for chunk := range slices.Chunk(rows, mostAtomic) {
		n := 0
		for i := range chunk {
			n += len(chunk[i].Key) + len(chunk[i].Value)
		}
		if n > most {
			return fmt.Errorf("%w: %d records of %d bytes in one atomic write, at most %d bytes", ErrTooLarge, len(chunk), n, most)
		}
	}
	return nil
}

// sofar says how many records were stored before the error, if a call takes more than one atomic write.
func sofar(err error, stored, all, atOnce int) error {
	if all <= atOnce {
		return err
	}
	return fmt.Errorf("%d of %d records are in: %w", stored, all, err)
}

// DeleteKeys deletes the records with these keys and returns how many of them readers saw. It waits like
// Put, and is atomic for each 1,000 keys; with an error it returns how many are gone for certain.
func (t *Table[R, K]) DeleteKeys(ctx context.Context, keys ...K) (int, error) {
	n, err := t.markKeys(ctx, keys, t.actor.Delete)
	return n, t.errorf("delete", err)
}

// markKeys deletes or discards by key alone, and returns how many records were marked.
func (t *Table[R, K]) markKeys(ctx context.Context, keys []K, mark marking) (n int, err error) {
	encoded, err := t.def.encodeKeys(keys)
	if err == nil && len(encoded) == 0 {
		err = t.reader.Alive(ctx)
	}
	for start := 0; start < len(encoded) && err == nil; start += mostAtomic {
		var verdicts []engine.Verdict
		verdicts, err = mark(ctx, keysToDelete(encoded[start:min(start+mostAtomic, len(encoded))]))
		n += count(verdicts, engine.Marked)
	}
	return n, err
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

// Delete deletes the records of s and returns how many it deleted. It waits like Put without WithWriteThrough. If all records
// of s lie on one page (of up to 1,000), they are deleted at one moment: exactly those that are records of
// s then. More go page by page, and other writes may run between two pages: a record that one of them puts behind
// the place where Delete is, is deleted then, even if it was deleted before. With an error Delete returns how many are gone for certain.
//
// Without a predicate and a limit no record is read: Redis finds and deletes them, those that cannot be decoded too. If s is every
// score of its index all go at one moment, at the same cost for one and for a million. That is no Clear: the note stays.
func (t *Table[R, K]) Delete(ctx context.Context, s Spec[R]) (int, error) {
	if s.Recheck != nil || s.Limit != 0 {
		return drain(t.DeleteSeq(ctx, s))
	}
	p, err := t.planToMark(s, scripts.Merged)
	if err != nil {
		return 0, t.errorf("delete", err)
	}
	n, err := t.deleteByPlace(ctx, p)
	if errors.Is(err, engine.ErrCleared) {
		err = nil // nothing is left
	}
	return n, t.errorf("delete", err)
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

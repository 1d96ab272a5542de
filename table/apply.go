package table

import (
	"context"
	"fmt"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Batch is what one Apply changes.
type Batch[R any, K comparable] struct {
	Put    []R    // records to store; of two with the same key the later one wins
	Delete []K    // keys of records to delete; one that is not there is passed over
	Note   []byte // what is noted with the table, see Table.Note; nil: the note stays; not nil but empty: a note of no bytes
}

// Apply makes all changes of a batch at one moment: all of them or none, and the note with them. A batch without records and keys
// changes the note alone; an empty one does nothing. Give up to 1,000 records and keys, not counting those that come twice, and a note
// of up to 64 KiB: more is ErrTooLarge. A key both in Put and in Delete is ErrInvalidSpec. What cannot be encoded is a *CodingError.
// In these cases nothing was sent.
//
// Apply waits as Put does, and its other errors are the same. It keeps nothing of the batch.
func (t *Table[R, K]) Apply(ctx context.Context, b Batch[R, K]) error {
	return t.errorf("apply", t.apply(ctx, b))
}

func (t *Table[R, K]) apply(ctx context.Context, b Batch[R, K]) error {
	c, err := t.encodeBatch(b)
	switch {
	case err != nil:
		return err
	case len(c.Rows)+len(c.Marks) == 0 && c.Note == nil:
		return t.reader.Prove(ctx)
	}
	return t.actor.Apply(ctx, c)
}

func (t *Table[R, K]) encodeBatch(b Batch[R, K]) (c engine.Change, err error) {
	if c.Note, err = ownNote(b.Note); err != nil {
		return c, err
	}
	if c.Rows, err = t.encode(b.Put); err != nil {
		return c, err
	}
	keys, err := t.def.encodeKeys(b.Delete)
	if err != nil {
		return c, err
	}
	c.Marks = keysToDelete(keys).Marks
	if n := len(c.Rows) + len(c.Marks); n > mostAtomic {
		return c, fmt.Errorf("%w: %d changes in one batch, at most %d", ErrTooLarge, n, mostAtomic)
	}
	if err := checkApart(c.Rows, c.Marks); err != nil {
		return c, err
	}
	return c, checkAtomic(c.Rows, maxAtomicBytes)
}

// checkApart refuses keys that are both stored and deleted.
func checkApart(rows []engine.Row, marks []engine.Mark) error {
	if len(rows) == 0 || len(marks) == 0 {
		return nil
	}
	stored := make(map[string]bool, len(rows))
	for i := range rows {
		stored[string(rows[i].Key)] = true
	}
	for i := range marks {
		if stored[string(marks[i].Key)] {
			return fmt.Errorf("%w: key #%s is both put and deleted", ErrInvalidSpec, layout.KeyHash(marks[i].Key))
		}
	}
	return nil
}

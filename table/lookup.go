package table

import (
	"context"
	"iter"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/scan"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Get returns the record with this key, or ErrNotFound.
func (h *handle[R, K]) Get(ctx context.Context, key K) (R, error) {
	return h.GetIfNote(ctx, key, NoteVersion{})
}

// GetIfNote is Get, of a moment at which the note has version v; else the error is ErrNoteChanged, whether there is such a record or not.
// The zero version is any.
func (h *handle[R, K]) GetIfNote(ctx context.Context, key K, v NoteVersion) (R, error) {
	for r, err := range h.lookupIf(ctx, v, key) {
		return r, err
	}
	var none R
	return none, h.errorf("get", ErrNotFound)
}

// Lookup returns the records with these keys as they stand at one moment, in the order of the
// arguments. A key that is given twice counts once, and a key without a record is skipped. Lookup takes
// one round trip for at most 10,000 keys; more are ErrTooLarge. Errors come as from Records.
func (h *handle[R, K]) Lookup(ctx context.Context, keys ...K) iter.Seq2[R, error] {
	return h.lookupIf(ctx, NoteVersion{}, keys...)
}

func (h *handle[R, K]) lookupIf(ctx context.Context, v NoteVersion, keys ...K) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		found, err := h.lookup(ctx, v, keys)
		if err != nil {
			var none R
			yield(none, h.errorf("look-up", err))
			return
		}
		d := h.decoder()
		for _, f := range found {
			if ctx.Err() != nil {
				var none R
				yield(none, h.errorf("look-up", engine.Ended(ctx)))
				return
			}
			if f.Row == nil {
				continue
			}
			err := d.decode(f.Key, f.Row)
			if !yield(d.record, err) {
				return
			}
		}
	}
}

func (h *handle[R, K]) lookup(ctx context.Context, v NoteVersion, keys []K) ([]scan.Found, error) {
	encoded, err := h.def.lookupKeys(keys)
	if err != nil {
		return nil, err
	}
	if len(encoded) == 0 {
		return nil, h.reader.Alive(ctx)
	}
	rows, at, err := h.reader.Find(ctx, scripts.Merged, scripts.NoIndex, encoded)
	if err == nil {
		err = v.check(&at)
	}
	return rows, err
}

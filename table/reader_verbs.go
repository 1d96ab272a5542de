package table

import (
	"context"
	"errors"
	"iter"
)

// Name returns the table's name.
func (r *Reader[R, K]) Name() string { return r.base.name }

// All returns the spec of all records in the order of an index.
func (r *Reader[R, K]) All(index string) Spec[R] { return r.now.Load().All(index) }

// Range returns the spec of the records whose score in an index is at least ge and less than lt.
func (r *Reader[R, K]) Range(index string, ge, lt float64) Spec[R] {
	return r.now.Load().Range(index, ge, lt)
}

// Records returns the records of s as they stand at one moment during the loop that ranges over them. It is as Records of a Table, but
// no writer waits for it: what takes several pages is copied into memory first (see WithSnapshotMemory). Where neither that nor the
// change feed suffices, the loop ends with ErrSnapshotExpired if the table changes.
func (r *Reader[R, K]) Records(ctx context.Context, s Spec[R]) iter.Seq2[R, error] {
	return eachUnder(ctx, r, func(h *handle[R, K]) iter.Seq2[R, error] { return h.Records(ctx, s) })
}

// Lookup is as Lookup of a Table.
func (r *Reader[R, K]) Lookup(ctx context.Context, keys ...K) iter.Seq2[R, error] {
	return eachUnder(ctx, r, func(h *handle[R, K]) iter.Seq2[R, error] { return h.Lookup(ctx, keys...) })
}

// eachUnder yields what a handle yields that reads rows as they are written now. Once something was yielded it does not begin again.
func eachUnder[R any, K comparable](ctx context.Context, r *Reader[R, K], records func(*handle[R, K]) iter.Seq2[R, error]) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		err := r.read(ctx, func(h *handle[R, K]) error {
			begun := false
			for record, err := range records(h) {
				_, moved := movedBy(err)
				if !begun && (moved || errors.As(err, new(missingError))) {
					return err
				}
				if moved {
					err = h.errorf("read", ErrSnapshotExpired)
				}
				if begun = true; !yield(record, err) {
					break
				}
			}
			return nil
		})
		if err != nil {
			var none R
			yield(none, err)
		}
	}
}

// First returns the first record of s, or ErrNotFound.
func (r *Reader[R, K]) First(ctx context.Context, s Spec[R]) (record R, err error) {
	err = r.read(ctx, func(h *handle[R, K]) error {
		record, err = h.First(ctx, s)
		return err
	})
	return record, err
}

// Get returns the record with this key, or ErrNotFound.
func (r *Reader[R, K]) Get(ctx context.Context, key K) (record R, err error) {
	err = r.read(ctx, func(h *handle[R, K]) error {
		record, err = h.Get(ctx, key)
		return err
	})
	return record, err
}

// GetIfNote is as GetIfNote of a Table.
func (r *Reader[R, K]) GetIfNote(ctx context.Context, key K, v NoteVersion) (record R, err error) {
	err = r.read(ctx, func(h *handle[R, K]) error {
		record, err = h.GetIfNote(ctx, key, v)
		return err
	})
	return record, err
}

// Count is as Count of a Table.
func (r *Reader[R, K]) Count(ctx context.Context, s Spec[R]) (n int, err error) {
	err = r.read(ctx, func(h *handle[R, K]) error {
		n, err = h.Count(ctx, s)
		return err
	})
	return n, err
}

// Page is as Page of a Table.
func (r *Reader[R, K]) Page(ctx context.Context, s Spec[R], after Token, n int) (records []R, next Token, err error) {
	err = r.read(ctx, func(h *handle[R, K]) error {
		records, next, err = h.Page(ctx, s, after, n)
		return err
	})
	return records, next, err
}

// Stream is as Stream of a Table; its records are those of Records.
func (r *Reader[R, K]) Stream(ctx context.Context, s Spec[R]) *Stream[R] {
	return startStream(ctx, r.base, r.buffer, func(ctx context.Context) iter.Seq2[R, error] { return r.Records(ctx, s) })
}

// Position is as Position of a Table.
func (r *Reader[R, K]) Position() Position { return r.base.Position() }

// WaitFor is as WaitFor of a Table.
func (r *Reader[R, K]) WaitFor(ctx context.Context, p Position) error {
	return r.read(ctx, func(h *handle[R, K]) error { return h.WaitFor(ctx, p) })
}

// Note is as Note of a Table.
func (r *Reader[R, K]) Note(ctx context.Context) (note []byte, err error) {
	err = r.read(ctx, func(h *handle[R, K]) error {
		note, err = h.Note(ctx)
		return err
	})
	return note, err
}

// Noted is as Noted of a Table.
func (r *Reader[R, K]) Noted(ctx context.Context) (note []byte, v NoteVersion, err error) {
	err = r.read(ctx, func(h *handle[R, K]) error {
		note, v, err = h.Noted(ctx)
		return err
	})
	return note, v, err
}

// Stats returns what is known of the table without owning it: the fields that tell what its owner's process is doing (Pins,
// Mailbox, FoldFailures, FoldError, ScratchSince) are zero.
func (r *Reader[R, K]) Stats(ctx context.Context) (st Stats, err error) {
	err = r.read(ctx, func(h *handle[R, K]) error {
		st, err = h.stats(ctx)
		return h.errorf("stats", err)
	})
	return st, err
}

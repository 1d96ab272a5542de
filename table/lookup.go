package table

import (
	"context"
	"fmt"
	"iter"

	"github.com/tablecache-go/tablecache/engine"
)

// Get returns the record with this key, or ErrNotFound.
func (t *Table[R, K]) Get(ctx context.Context, key K) (R, error) {
	for r, err := range t.Lookup(ctx, key) {
		return r, err
	}
	var none R
	return none, t.errorf("get", ErrNotFound)
}

// maxKeys bounds one look-up, which is one atomic answer.
const maxKeys = 10_000

// Lookup returns the records with these keys as they stand at one moment, in the order of the
// arguments: one that is given twice comes once, one that is not there is skipped. It takes one
// round trip for at most 10,000 keys; more are ErrTooLarge. Errors come as from Records.
func (t *Table[R, K]) Lookup(ctx context.Context, keys ...K) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		found, err := t.lookup(ctx, keys)
		if err != nil {
			var none R
			yield(none, t.errorf("look-up", err))
			return
		}
		d := t.decoder()
		for _, f := range found {
			if ctx.Err() != nil {
				var none R
				yield(none, t.errorf("look-up", ended(ctx)))
				return
			}
			if f.row == nil {
				continue
			}
			err := d.decode(f.key, f.row)
			if !yield(d.record, err) {
				return
			}
		}
	}
}

func (t *Table[R, K]) lookup(ctx context.Context, keys []K) ([]stored, error) {
	if len(keys) > maxKeys {
		return nil, fmt.Errorf("%w: %d keys, at most %d", ErrTooLarge, len(keys), maxKeys)
	}
	encoded, err := t.encodeKeys(keys)
	if err != nil {
		return nil, err
	}
	if len(encoded) == 0 {
		return nil, t.alive(ctx)
	}
	rows, _, err := t.find(ctx, mergedView, noIndex, encoded)
	return rows, err
}

// stored is what is there under a key; a row that is nil: nothing.
type stored struct{ key, row, score []byte }

const noIndex = -1

// find looks rows up, and their scores in an index, at one moment, which it returns.
func (t *Table[R, K]) find(ctx context.Context, v view, index int, keys []engine.Bytes) ([]stored, snapshot, error) {
	q := question{call: t.wire.lookupCall(v, index, keys)}
	if v == mergedView && index == noIndex {
		q.keys = keys
	}
	acked := t.actor.Acked()
	a, err := t.reader.put(ctx, q)
	if err == nil {
		err = t.check(a.answer, acked)
	}
	if err != nil {
		return nil, snapshot{}, err
	}
	rows, scores := a.rows, [][]byte(nil)
	if rows == nil {
		rows, scores = a.rest.texts(), a.rest.texts()
	}
	if a.rest.err != nil || len(rows) != len(keys) || (index != noIndex && len(scores) != len(keys)) {
		return nil, snapshot{}, fmt.Errorf("%w: not an answer to a look-up", ErrLost)
	}
	t.own(rows)
	out := make([]stored, len(keys))
	for i := range out {
		out[i] = stored{key: keys[i], row: rows[i]}
		if index != noIndex {
			out[i].score = scores[i]
		}
	}
	return out, snapshot{epoch: a.epoch, view: a.view}, nil
}

func (w *wire) lookupCall(v view, index int, keys []engine.Bytes) []any {
	args := append(w.command(&w.scripts.lookup, 2+len(keys)), string(v), index+1)
	for i := range keys {
		args = append(args, &keys[i])
	}
	return args
}

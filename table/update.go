package table

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/scan"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Update reads the record with this key, lets change change it, and stores it if nobody has written that record since it was read;
// else it does all of this again, until ctx ends. So no change is lost, whoever else writes. A record that change leaves as it is is
// stored, too. Where there is no record, or it was deleted meanwhile, the error is ErrNotFound, and nothing is brought back.
//
// change may run several times, each time with the record as it is then, and it is not known beforehand which one counts: it should do
// nothing but change the record. Its error is returned, wrapped; a panic is ErrPanic; if it changes the key, the error is
// ErrInvalidSpec. In these cases nothing has changed. No lock is held while change runs, and other writes go on.
//
// Calls that update the same record in this process go one after another, in order of arrival; so change must not update the same
// record. Update waits as Put does, and its other errors are the same; it returns a *CodingError if the record cannot be decoded or
// encoded.
func (t *Table[R, K]) Update(ctx context.Context, key K, change func(*R) error) error {
	return t.errorf("update", t.update(ctx, key, change))
}

func (t *Table[R, K]) update(ctx context.Context, key K, change func(*R) error) error {
	k, err := t.def.encodeKey(key)
	if err != nil {
		return err
	}
	turn, err := t.takeTurn(ctx, k)
	if err != nil {
		return err
	}
	defer turn.end()
	for again := true; again; {
		again, err = t.updateOnce(ctx, k, change)
	}
	return err
}

// updateOnce does nothing if the record was written after it was read; then it must be done again.
func (t *Table[R, K]) updateOnce(ctx context.Context, key engine.Bytes, change func(*R) error) (again bool, err error) {
	found, m, err := t.reader.Find(ctx, scripts.Merged, scripts.NoIndex, []engine.Bytes{key})
	if err != nil {
		return false, err
	}
	if found[0].Row == nil {
		return false, ErrNotFound
	}
	row, err := t.changed(found[0], change)
	if err != nil {
		return false, err
	}
	err = t.actor.Update(ctx, row, found[0].Row, m.View.Seq)
	return errors.Is(err, engine.ErrChanged), err
}

// changed returns the row of a record after change.
func (t *Table[R, K]) changed(f scan.Found, change func(*R) error) (engine.Row, error) {
	d := t.decoder()
	if err := d.decode(f.Key, bytes.Clone(f.Row)); err != nil { // a clone: codec and change may write to it, and f.Row is sent back
		return engine.Row{}, err
	}
	if err := callChange(change, &d.record); err != nil {
		return engine.Row{}, err
	}
	rows, err := t.encode([]R{d.record})
	switch {
	case err != nil:
		return engine.Row{}, err
	case !bytes.Equal(rows[0].Key, f.Key):
		return engine.Row{}, fmt.Errorf("%w: the update of key #%s has changed it", ErrInvalidSpec, layout.KeyHash(f.Key))
	}
	return rows[0], nil
}

func callChange[R any](change func(*R) error, r *R) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return change(r)
}

// takeTurn waits until the caller may update the record with this key.
func (o *owner) takeTurn(ctx context.Context, key engine.Bytes) (*turn, error) {
	turn := o.turns.line(string(key))
	select {
	case <-turn.come:
		return turn, nil
	default:
	}
	select {
	case <-turn.come:
		return turn, nil
	case <-ctx.Done():
		turn.end()
		return nil, o.actor.EndedRegular(ctx)
	case <-o.actor.Done():
		turn.end()
		return nil, o.actor.Err()
	}
}

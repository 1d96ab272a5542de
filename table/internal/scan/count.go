package scan

import (
	"context"

	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Count returns how many rows q has at a moment. It reads rows only while a merge is being folded.
func (r *Reader) Count(ctx context.Context, q Query) (int, wire.Moment, error) {
	a, err := r.runScript(ctx, scripts.Count(r.client, q.Index, q.Bounds))
	if err != nil {
		return 0, wire.Moment{}, err
	}
	n, counted, err := scripts.ReadCount(&a)
	at := a.Moment
	if err == nil && !counted {
		n, at, err = r.countRows(ctx, q, at)
	}
	if q.Limit > 0 {
		n = min(n, q.Limit)
	}
	return n, at, err
}

// countRows reads the rows of q to count them. The moment is that of the first page, since the others are of the same snapshot; where no page
// is read it is the one that is given.
func (r *Reader) countRows(ctx context.Context, q Query, at wire.Moment) (n int, of wire.Moment, err error) {
	enough := func(pages []*Page) bool { return q.Limit > 0 && rowsOf(pages) >= q.Limit }
	begun := false
	err = r.Read(ctx, q, enough, func(p *Page) error {
		if !begun {
			begun, at = true, p.Moment
		}
		n += len(p.Rows)
		return nil
	})
	return n, at, err
}

// Note returns the note at a moment; nil if there is none.
func (r *Reader) Note(ctx context.Context) ([]byte, wire.Moment, error) {
	a, err := r.runScript(ctx, scripts.Note(r.client))
	if err != nil {
		return nil, wire.Moment{}, err
	}
	note, err := scripts.ReadNote(&a)
	return note, a.Moment, err
}

// Stats returns what the table holds at a moment, and whose it is.
func (r *Reader) Stats(ctx context.Context) (scripts.Held, wire.Moment, error) {
	a, err := r.runScript(ctx, scripts.Stats(r.client))
	if err != nil {
		return scripts.Held{}, wire.Moment{}, err
	}
	held, err := scripts.ReadStats(&a)
	return held, a.Moment, err
}

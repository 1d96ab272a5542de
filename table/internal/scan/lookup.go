package scan

import (
	"context"
	"fmt"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Found is what is stored under a key. Row is nil if there is nothing. Score is empty if no scores were wanted.
type Found struct{ Key, Row, Score []byte }

// Find looks rows up, and their scores in an index unless that is scripts.NoIndex. All are of one moment, which it returns.
func (r *Reader) Find(ctx context.Context, s scripts.Scope, index int, keys []engine.Bytes) ([]Found, wire.Moment, error) {
	q := request{client: r.client, call: scripts.Lookup(r.client, s, index, keys)}
	if s == scripts.Merged && index == scripts.NoIndex {
		q.keys = keys
	}
	a, err := r.answer(ctx, q)
	if err != nil {
		return nil, wire.Moment{}, err
	}
	rows, scores := a.rows, [][]byte(nil)
	if rows == nil {
		rows, scores, err = scripts.ReadLookup(&a.Answer)
	}
	if err != nil || len(rows) != len(keys) || (index != scripts.NoIndex && len(scores) != len(keys)) {
		return nil, wire.Moment{}, fmt.Errorf("%w: not an answer to a look-up", engine.ErrLost)
	}
	r.own(rows)
	found := make([]Found, len(keys))
	for i := range found {
		found[i] = Found{Key: keys[i], Row: rows[i]}
		if index != scripts.NoIndex {
			found[i].Score = scores[i]
		}
	}
	return found, a.Moment, nil
}

package table

import (
	"context"
	"errors"
	"iter"

	"github.com/tablecache-go/tablecache/table/internal/scan"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Records returns the records of s as they stand at one moment during the loop that ranges over them,
// whatever is written meanwhile. Each loop is a new read. Records are yielded as they arrive from
// Redis. A record that cannot be decoded, or whose predicate panics, yields a *CodingError in its
// place, and the loop may go on. Any other error is the last thing yielded; a loop that ends without
// one has got every record. Breaking out of the loop releases everything. The records belong to the
// caller. Strings of one record may share one piece of memory (see codec.Keeper): clone a short one
// that is to live much longer than its record.
//
// A read that fits one page neither waits nor makes anyone wait. For a longer read regular writes
// and folds wait until the rest of it is in memory, at most for the grace period; a read that is not
// in memory by then ends with ErrSnapshotExpired. Writing to the table inside the loop cannot
// deadlock: a ScratchPut or a merge goes on at once. A Put waits until the rest of the read is in
// memory; if WithSnapshotMemory is too little for that, the Put goes on after the grace period and the
// read has ended. When ctx ends the loop yields an error that Is ctx.Err(), within milliseconds.
func (h *handle[R, K]) Records(ctx context.Context, s Spec[R]) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		p, err := h.planOf(s, scripts.Merged)
		if err == nil {
			err = h.read(ctx, p, yield)
		}
		if err != nil {
			var none R
			yield(none, h.errorf("read", err))
		}
	}
}

// read yields the records of p, and returns the error that ended the read early.
func (h *handle[R, K]) read(ctx context.Context, p plan[R], yield func(R, error) bool) error {
	if len(p.Intervals) == 0 {
		return h.checkNote(ctx, p.Note)
	}
	f := filter[R, K]{decoder: h.decoder(), plan: p}
	enough := func(pages []*scan.Page) bool { return f.refuses(pages[0]) || f.enough(ctx, pages) }
	err := h.reader.Read(ctx, p.query, enough, func(page *scan.Page) error { return f.pass(ctx, page, yield) })
	if errors.Is(err, scan.ErrStop) {
		return nil
	}
	return err
}

// First returns the first record of s, or ErrNotFound.
func (h *handle[R, K]) First(ctx context.Context, s Spec[R]) (R, error) {
	if s.Limit >= 0 { // a negative one is refused, as by all reads
		s.Limit = 1
	}
	for r, err := range h.Records(ctx, s) {
		return r, err
	}
	var none R
	return none, h.errorf("first", ErrNotFound)
}

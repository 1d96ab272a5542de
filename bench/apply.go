package main

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/table"
)

// apply changes 1,000 records in each step: it stores one half and deletes the other, with a note. Each measurement changes the halves.
func apply(ctx context.Context, b *bench) (contest, error) {
	s, err := b.full(ctx)
	if err != nil {
		return contest{}, err
	}
	byHand := func(ctx context.Context, put, gone span) error { return s.bare.apply(ctx, b.encoded, put, gone) }
	ours, bare := halves{b: b, apply: s.apply}, halves{b: b, apply: byHand}
	return contest{ours.swap, bare.swap}, nil
}

// halves are the two halves of each 1,000 records, of which one is there.
type halves struct {
	b     *bench
	apply func(ctx context.Context, put, gone span) error
	odd   bool // the second half is there
}

// span is the records from one place to another.
type span struct{ from, to int }

func (h *halves) swap(ctx context.Context) (float64, error) {
	n := len(h.b.records) / batch * batch
	h.odd = !h.odd
	return pace(ctx, n, func(ctx context.Context) error {
		for from := 0; from < n; from += batch {
			put, gone := span{from, from + batch/2}, span{from + batch/2, from + batch}
			if h.odd {
				put, gone = gone, put
			}
			if err := h.apply(ctx, put, gone); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *sides) apply(ctx context.Context, put, gone span) error {
	change := table.Batch[record, int64]{Put: s.b.records[put.from:put.to], Delete: make([]int64, 0, gone.to-gone.from), Note: []byte("offset")}
	for i := gone.from; i < gone.to; i++ {
		change.Delete = append(change.Delete, s.b.records[i].ID)
	}
	return s.table.Apply(ctx, change)
}

// apply does by hand what Table.Apply does.
func (b *bare) apply(ctx context.Context, e *encoded, put, gone span) error {
	keys, members := make([]string, 0, gone.to-gone.from), make([]any, 0, gone.to-gone.from)
	for i := gone.from; i < gone.to; i++ {
		keys, members = append(keys, string(e.fields[2*i].([]byte))), append(members, e.fields[2*i])
	}
	_, err := b.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, b.rows, e.fields[2*put.from:2*put.to]...)
		p.HDel(ctx, b.rows, keys...)
		for i, index := range b.indexes {
			p.ZAdd(ctx, index, e.members[i][put.from:put.to]...)
			p.ZRem(ctx, index, members...)
		}
		p.Set(ctx, b.rows+":note", "offset", 0)
		return nil
	})
	return err
}

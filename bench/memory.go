package main

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// memory tells what one record costs Redis on each side.
func (b *bench) memory(ctx context.Context) error {
	s, err := b.full(ctx)
	if err != nil {
		return err
	}
	r := report{mark: "memory", head: []string{"MEMORY USAGE in bytes for each record", "ours", "bare", "ours / bare"},
		widths: []int{-40, 8, 8, 11}}
	r.begin()
	ours, theirs := newBare(b.bare, s.table.Name()), s.bare
	var all [2]float64
	for i, of := range []struct{ what, ours, bare string }{
		{"rows", ours.rows, theirs.rows},
		{"index by departure", ours.indexes[0], theirs.indexes[0]},
		{"index by price", ours.indexes[1], theirs.indexes[1]},
		{"the table's truth", s.table.Name() + ":m", ""},
	} {
		x, err := usage(ctx, b.bare, of.ours, len(b.records))
		if err != nil {
			return err
		}
		y, err := usage(ctx, b.bare, of.bare, len(b.records))
		if err != nil {
			return err
		}
		all[0], all[1] = all[0]+x, all[1]+y
		if i < 3 {
			r.add(of.what, fixed(x), fixed(y), fixed(x/y))
			continue
		}
		r.add(of.what, fixed(x), "", "")
	}
	r.add("together", fixed(all[0]), fixed(all[1]), fixed(all[0]/all[1]))
	return r.end(b.options)
}

// usage returns the bytes that a key takes for each record, counting all its elements; 0 for no key.
func usage(ctx context.Context, rdb *redis.Client, key string, records int) (float64, error) {
	if key == "" {
		return 0, nil
	}
	const countAll = 0
	n, err := rdb.MemoryUsage(ctx, key, countAll).Result()
	return float64(n) / float64(records), err
}

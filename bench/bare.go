package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/table"
)

// bare keeps records on plain go-redis, as a good engineer would write it by hand for this one record: the same keys
// and bytes, and none of the guarantees.
type bare struct {
	rdb     *redis.Client
	rows    string
	indexes [2]string // by departure, by price
}

func newBare(rdb *redis.Client, name string) *bare {
	return &bare{rdb: rdb, rows: name + ":r", indexes: [2]string{name + ":i:" + byDeparture, name + ":i:" + byPrice}}
}

// encoded are records made ready to be sent, before the clock runs.
type encoded struct {
	fields  []any // key, row, key, row ...
	members [2][]redis.Z
}

func encodeAll(records []record) *encoded {
	e := &encoded{fields: make([]any, 0, 2*len(records))}
	for i := range records {
		key := encodeKey(records[i].ID)
		e.fields = append(e.fields, key, encodeRow(&records[i]))
		e.members[0] = append(e.members[0], redis.Z{Score: departure(&records[i]), Member: key})
		e.members[1] = append(e.members[1], redis.Z{Score: price(&records[i]), Member: key})
	}
	return e
}

// putMany stores encoded records in pipelines of batch records each.
func (b *bare) putMany(ctx context.Context, e *encoded) error {
	for from := 0; 2*from < len(e.fields); from += batch {
		to := min(from+batch, len(e.fields)/2)
		_, err := b.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			p.HSet(ctx, b.rows, e.fields[2*from:2*to]...)
			for i, index := range b.indexes {
				p.ZAdd(ctx, index, e.members[i][from:to]...)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// reload fills other keys, and puts them in the place of those that are there.
func (b *bare) reload(ctx context.Context, e *encoded) error {
	return b.replace(ctx, func(next *bare) error { return next.putMany(ctx, e) })
}

// replace puts other keys, which fill fills, in the place of those that are there.
func (b *bare) replace(ctx context.Context, fill func(next *bare) error) error {
	next := &bare{rdb: b.rdb, rows: b.rows + ":next", indexes: [2]string{b.indexes[0] + ":next", b.indexes[1] + ":next"}}
	if err := fill(next); err != nil {
		return err
	}
	_, err := b.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.Rename(ctx, next.rows, b.rows)
		for i := range b.indexes {
			p.Rename(ctx, next.indexes[i], b.indexes[i])
		}
		return nil
	})
	return err
}

func (b *bare) put(ctx context.Context, r *record) error {
	key, row := encodeKey(r.ID), encodeRow(r)
	_, err := b.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, b.rows, key, row)
		p.ZAdd(ctx, b.indexes[0], redis.Z{Score: departure(r), Member: key})
		p.ZAdd(ctx, b.indexes[1], redis.Z{Score: price(r), Member: key})
		return nil
	})
	return err
}

func (b *bare) get(ctx context.Context, id int64) (record, error) {
	row, err := b.rdb.HGet(ctx, b.rows, string(encodeKey(id))).Result()
	if err != nil {
		return record{}, err
	}
	return decodeRow(row)
}

// between visits the records that depart in an interval.
func (b *bare) between(ctx context.Context, in table.Interval, visit func(*record)) error {
	keys, err := b.rdb.ZRangeArgs(ctx, b.scores(in)).Result()
	if err != nil {
		return err
	}
	return b.fetch(ctx, keys, visit)
}

func (b *bare) scores(in table.Interval) redis.ZRangeArgs {
	return redis.ZRangeArgs{Key: b.indexes[0], ByScore: true, Start: in.GE, Stop: "(" + strconv.FormatFloat(in.LT, 'g', -1, 64)}
}

// fetch visits the records with these keys.
func (b *bare) fetch(ctx context.Context, keys []string, visit func(*record)) error {
	rows, err := b.rdb.HMGet(ctx, b.rows, keys...).Result()
	if err != nil {
		return err
	}
	for _, row := range rows {
		text, _ := row.(string)
		r, err := decodeRow(text)
		if err != nil {
			return err
		}
		visit(&r)
	}
	return nil
}

// all visits every record in the order of departure, by pages.
func (b *bare) all(ctx context.Context, visit func(*record)) error {
	for from := int64(0); ; from += batch {
		keys, err := b.rdb.ZRange(ctx, b.indexes[0], from, from+batch-1).Result()
		if err != nil || len(keys) == 0 {
			return err
		}
		if err := b.fetch(ctx, keys, visit); err != nil {
			return err
		}
	}
}

// remove deletes the records that depart in an interval, by pages, and returns how many.
func (b *bare) remove(ctx context.Context, in table.Interval) (n int, err error) {
	page := b.scores(in)
	page.Count = batch
	for {
		keys, err := b.rdb.ZRangeArgs(ctx, page).Result()
		if err != nil || len(keys) == 0 {
			return n, err
		}
		if err := b.fetch(ctx, keys, func(*record) { n++ }); err != nil {
			return n, err
		}
		if err := b.drop(ctx, keys); err != nil {
			return n, err
		}
	}
}

func (b *bare) drop(ctx context.Context, keys []string) error {
	members := make([]any, len(keys))
	for i := range keys {
		members[i] = keys[i]
	}
	_, err := b.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.HDel(ctx, b.rows, keys...)
		for _, index := range b.indexes {
			p.ZRem(ctx, index, members...)
		}
		return nil
	})
	return err
}

// hide puts tombstones beside the records that depart in an interval, by pages, and returns how many. Nobody else writes meanwhile.
func (b *bare) hide(ctx context.Context, in table.Interval) (n int, err error) {
	end := "(" + strconv.FormatFloat(in.LT, 'g', -1, 64)
	from, err := b.rdb.ZCount(ctx, b.indexes[0], "-inf", "("+strconv.FormatFloat(in.GE, 'g', -1, 64)).Result()
	if err != nil {
		return 0, err
	}
	to, err := b.rdb.ZCount(ctx, b.indexes[0], "-inf", end).Result()
	for ; err == nil && from < to; from += batch {
		var keys []string
		if keys, err = b.rdb.ZRange(ctx, b.indexes[0], from, min(from+batch, to)-1).Result(); err != nil {
			break
		}
		tombs := make([]any, 0, 2*len(keys))
		for _, key := range keys {
			tombs = append(tombs, key, "")
		}
		n, err = n+len(keys), b.rdb.HSet(ctx, b.rows+":hidden", tombs...).Err()
	}
	return n, err
}

// show undoes hide.
func (b *bare) show(ctx context.Context) error { return b.rdb.Unlink(ctx, b.rows+":hidden").Err() }

// clear drops all keys.
func (b *bare) clear(ctx context.Context) error {
	return b.rdb.Unlink(ctx, b.rows, b.indexes[0], b.indexes[1]).Err()
}

// sameBytes fails unless the table's keys hold what b's do, for a record of both: but for the generation, which merges have raised.
func (b *bare) sameBytes(ctx context.Context, name string, id int64) error {
	key := string(encodeKey(id))
	for _, of := range []*bare{b, newBare(b.rdb, name)} {
		row, err := of.rdb.HGet(ctx, of.rows, key).Result()
		if err != nil {
			return err
		}
		want := makeRecords(int(id) + 1)[id]
		if !sameButGeneration(row, encodeRow(&want)) {
			return fmt.Errorf("bench: the bytes of record %d under %s are not those written by hand", id, of.rows)
		}
	}
	return nil
}

func sameButGeneration(row string, want []byte) bool {
	return len(row) == len(want) && row[generation:] == string(want[generation:])
}

package main

import (
	"context"
	"time"
)

// line is one line of the table: a piece of work, done by us and on bare go-redis.
type line struct {
	name    string // for -work
	what    string
	against string // what the other side does
	unit    string
	goal    float64 // for ours / bare; 0: none
	least   bool    // the goal is the least that will do, else the most
	prepare func(context.Context, *bench) (contest, error)
}

const (
	putByHand    = "TxPipelined HSET, ZADD, ZADD for each record, encoding"
	bulkByHand   = "pre-encoded rows: HSET, ZADD, ZADD of 1,000 in a pipeline"
	applyByHand  = "pre-encoded rows: HSET, HDEL, ZADDs, ZREMs, SET in a MULTI"
	getByHand    = "HGET, decoding"
	rangeByHand  = "ZRANGE BYSCORE, then HMGET, decoding"
	removeByHand = "ZRANGE, HMGET, decoding, then HDEL, ZREM, ZREM by 1,000"
	hideByHand   = "ZRANGE, then HSET of a tombstone each in another key, by 1,000"
	anewByHand   = "pre-encoded rows into other keys, as for bulk Put, then RENAME in a MULTI"
	allByHand    = "ZRANGE, then HMGET by pages of 1,000, decoding"
)

// section is one table of figures.
type section struct {
	mark   string // where it goes in the Markdown file
	head   []string
	lines  []line
	slices int // turns of each side in a round; 0: one
}

var (
	besideBare      = section{mark: "lines", head: []string{"work", "ours", "bare", "unit", "ours / bare", "min..max", "goal", ""}, lines: lines}
	besideOurselves = section{mark: "additions", head: []string{"work", "this", "the other", "unit", "this / other", "min..max", "goal", ""}, lines: additions}
)

var lines = []line{
	{"bulk-put", "bulk Put, 1,000 a call", bulkByHand, "records/s", 0.8, true, bulkPut},
	{"apply", "Apply of 1,000: half put, half deleted, a note", applyByHand, "changes/s", 0.85, true, apply},
	{"put-128", "Put one record, 128 goroutines", putByHand, "records/s", 3, true, put(128)},
	{"put-1", "Put one record, 1 goroutine", putByHand, "records/s", 0.9, true, put(1)},
	{"put-128-through", "Put one record, 128 goroutines, while a session stages", putByHand + ", while another writes in bulk", "records/s", 2, true, putThrough(128)},
	{"put-128-through-p99", "p99 of such a Put", "the same", "µs", 1, false, putThroughLatency(128)},
	{"lookup-1", "look-up by key, 1 goroutine", getByHand, "records/s", 0.9, true, lookup(1)},
	{"lookup-128", "look-up by key, 128 goroutines", getByHand, "records/s", 2, true, lookup(128)},
	{"range-100", "range of 100 records, 1 goroutine", rangeByHand, "ranges/s", 0.95, true, ranges(100, 1)},
	{"range-100-far", "the same over a slow network (-delay)", rangeByHand, "ranges/s", 1.6, true, far(100, 1)},
	{"range-100-x32", "range of 100 records, 32 goroutines", rangeByHand, "ranges/s", 1.3, true, ranges(100, 32)},
	{"range-1", "range of 1 record, 1 goroutine", rangeByHand, "ranges/s", 1.2, true, ranges(1, 1)},
	{"stream", "stream all (Records)", allByHand, "records/s", 1, true, streamAll((*sides).recordsOfAll)},
	{"stream-chan", "stream all (Stream)", allByHand, "records/s", 1, true, streamAll((*sides).streamOfAll)},
	{"scratch-put", "ScratchPut, 1,000 a call", bulkByHand, "records/s", 0.8, true, scratchPut},
	{"merge", "ScratchMerge with all staged", "ScratchMerge with 1 staged", "µs", 2, false, merge},
	{"fold", "fold of all", bulkByHand, "records/s", 0.4, true, fold},
	{"fold-over", "fold of all over the same", bulkByHand, "records/s", 0.4, true, foldOver},
	{"fold-part", "fold of a fifth of them, changed", bulkByHand, "records/s", 0.6, true, foldPart},
	{"fold-p99", "p99 of a 100-record range during a fold", "the same when idle", "µs", 5, false, foldLatency},
	{"reload", "reload of everything: discard, stage, merge, fold", anewByHand, "records/s", 0.85, true, reload},
	{"delete", "Delete of half by interval", removeByHand, "records/s", 1.5, true, remove(false)},
	{"delete-where", "the same with a predicate", removeByHand, "records/s", 0.8, true, remove(true)},
	{"discard", "ScratchDiscard of half by interval", hideByHand, "records/s", 0.8, true, discardHalf},
	{"delete-all", "Delete of everything", removeByHand, "records/s", 1.5, true, removeAll},
}

func (l *line) met(ratio float64) bool {
	if l.least {
		return ratio >= l.goal
	}
	return ratio <= l.goal
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

package table

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
)

// short is a range of merged rows that is expected to be short. A single one is read by one script, in one round trip. Where
// several wait at the same moment, plain commands in two round trips for all of them are less work for the server: it need
// not make a Lua string of everything that it answers. They are of one moment if the table's truth was the same before and
// after them; else, and whenever anything is not as expected, the script is asked after all.
type short struct {
	index   int
	bounds  []bound
	reverse bool
	most    int  // entries; more are too many
	exact   bool // most is the reader's limit: what comes after it is not wanted
}

// found is what plain commands have found: the rows are not parsed yet.
type found struct {
	keys [][]byte
	rows []byte
}

const (
	fewest     = 3       // so many ranges make the second round trip worthwhile
	mostShort  = 128     // entries of a short range
	mostBounds = 4       // its intervals
	mostBytes  = 1 << 20 // what a range may come to, should all its rows be as wide as the widest
	stormy     = 32      // flights that leave ranges to scripts after the truth has changed under one
)

// scan answers what short ranges there are, and returns the questions that are left.
func (r *reader) scan(ctx context.Context, batch []*ask) (left []*ask) {
	var ranges []*ask
	for _, a := range batch {
		if a.short != nil {
			ranges = append(ranges, a)
		}
	}
	if len(ranges) < fewest || r.storm.Load() > 0 && r.storm.Add(-1) >= 0 {
		return batch
	}
	r.answer(ctx, ranges)
	for _, a := range batch {
		if a.reply.found == nil {
			left = append(left, a)
		} else {
			close(a.done)
		}
	}
	return left
}

// answer answers those of the ranges that it can.
func (r *reader) answer(ctx context.Context, ranges []*ask) {
	before, keys := r.findKeys(ctx, ranges)
	seen, ok := before.seen(len(r.keys.merged))
	if !ok || seen.view.State == engine.StateMerging {
		return
	}
	after, found := r.findRows(ctx, ranges, keys, seen.widest)
	now, ok := after.seen(len(r.keys.merged))
	if !ok || !seen.same(now) {
		r.storm.Store(stormy)
		return
	}
	for i, a := range ranges {
		if found[i] != nil {
			a.reply.answer = answer{status: "OK", epoch: seen.epoch, view: seen.view}
			a.reply.found = found[i]
		}
	}
}

// same tells whether readers saw the same at both moments.
func (s seen) same(o seen) bool {
	return s.epoch == o.epoch && s.view.Generation == o.view.Generation && s.view.Version == o.view.Version &&
		o.view.State != engine.StateMerging
}

// findKeys asks for the members of each range.
func (r *reader) findKeys(ctx context.Context, ranges []*ask) (look, [][]*redis.RawCmd) {
	p := r.rdb.Pipeline()
	before := r.queueLook(ctx, p)
	lists := make([][]*redis.RawCmd, len(ranges))
	for i, a := range ranges {
		for k := range a.short.bounds {
			lists[i] = append(lists[i], queueRaw(ctx, p, r.rangeCommand(a.short, &a.short.bounds[k])...))
		}
	}
	_, _ = p.Exec(ctx) // each command has its error
	return before, lists
}

func (r *reader) rangeCommand(s *short, b *bound) []any {
	args := append(make([]any, 0, 8), "zrange", &r.keys.merged[s.index])
	if s.reverse {
		args = append(args, &b.max, &b.min, "byscore", "rev")
	} else {
		args = append(args, &b.min, &b.max, "byscore")
	}
	most := s.most
	if !s.exact {
		most++ // shows that there are too many
	}
	return append(args, "limit", 0, most)
}

// findRows asks for the rows of each range that is short, whatever its rows should be like.
func (r *reader) findRows(ctx context.Context, ranges []*ask, lists [][]*redis.RawCmd, widest int) (look, []*found) {
	p := r.rdb.Pipeline()
	out, rows := make([]*found, len(ranges)), make([]*redis.RawCmd, len(ranges))
	for i, a := range ranges {
		keys, ok := a.short.join(lists[i])
		if !ok || len(keys)*widest > mostBytes {
			continue
		}
		out[i] = &found{keys: keys}
		if len(keys) > 0 {
			rows[i] = queueRaw(ctx, p, hmget(&r.keys.rows, keys)...)
		}
	}
	after := r.queueTruth(ctx, p)
	_, _ = p.Exec(ctx) // each command has its error
	for i, cmd := range rows {
		if cmd != nil {
			out[i].rows = cmd.Val()
		}
	}
	return after, out
}

// join returns the keys of all intervals, unless they are too many or could not be had.
func (s *short) join(lists []*redis.RawCmd) (keys [][]byte, ok bool) {
	for _, cmd := range lists {
		r := resp{rest: cmd.Val()}
		keys = r.append(keys, 1)
		if r.err != nil {
			return nil, false
		}
	}
	if len(keys) > s.most && s.exact {
		keys = keys[:s.most]
	}
	return keys, len(keys) <= s.most
}

func hmget(hash *string, keys [][]byte) []any {
	args := command("hmget", hash, len(keys))
	for i := range keys {
		args = append(args, (*engine.Bytes)(&keys[i]))
	}
	return args
}

// page makes a page of what was found; nil: a row was missing, and a script must tell why.
func (f *found) page(s snapshot) *page {
	p := &page{snapshot: s, keys: f.keys, last: true}
	if len(f.keys) == 0 {
		return p
	}
	r := resp{rest: f.rows}
	p.rows = r.texts()
	if r.err != nil || len(p.rows) != len(f.keys) || !p.measure() {
		return nil
	}
	return p
}

package table

import (
	"bytes"
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
)

// short is a range of merged rows that is expected to be short, or one page of a sweep. A single short one is read by one
// script, in one round trip. Where several wait at the same moment, or all other flights are away, and for a page of a sweep,
// plain commands in two round trips for all of them are less work for the server: it need not make a Lua string of everything
// that it answers. They are of one moment if the table's truth was the same before and after them; else, and whenever anything
// is not as expected, the script is asked after all.
type short struct {
	index   int
	bounds  []bound
	reverse bool
	most    int // entries
	more    beyond
	after   cursor // a sweep's: where to go on, behind score and member
}

// beyond says what to make of entries beyond the most.
type beyond int

const (
	tooMany  beyond = iota // the range is not short
	unwanted               // most is the reader's limit
	sweeping               // they are the next page's; scores are wanted
)

// found is what plain commands have found.
type found struct {
	keys, scores [][]byte
	rows         [][]byte
	more         bool
}

const (
	fewest     = 3       // so many ranges make the second round trip worthwhile
	mostShort  = 128     // entries of a short range
	mostPassed = 256     // entries that a sweep passes once more, because they have the score at which it goes on
	mostBounds = 4       // its intervals
	mostBytes  = 1 << 20 // what a range may come to, should all its rows be as wide as the widest
	stormy     = 32      // flights that leave ranges to scripts after the truth has changed under one
)

// scan answers what short ranges there are, and returns the questions that are left.
func (r *reader) scan(ctx context.Context, batch []*ask) (left []*ask) {
	var ranges []*ask
	worth := 0
	for _, a := range batch {
		if a.short != nil {
			ranges = append(ranges, a)
			worth += a.short.worth()
		}
	}
	if !r.pays(worth) {
		return batch
	}
	r.away.Add(1)
	r.answer(ctx, ranges)
	r.away.Add(-1)
	for _, a := range batch {
		if a.reply.found == nil {
			left = append(left, a)
		} else {
			close(a.done)
		}
	}
	return left
}

// pays tells whether plain commands are better than scripts: where the server has much to do, as when all other flights wait
// for it. After a storm they would be in vain.
func (r *reader) pays(worth int) bool {
	if worth == 0 || worth < fewest && r.away.Load() < flights-1 {
		return false
	}
	return r.storm.Load() <= 0 || r.storm.Add(-1) < 0
}

// worth is how much of what makes the second round trip worthwhile a range is.
func (s *short) worth() int {
	if s.more == sweeping {
		return fewest
	}
	return 1
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
	flush(ctx, p)
	return before, lists
}

func (r *reader) rangeCommand(s *short, b *bound) []any {
	args := append(make([]any, 0, 9), "zrange", &r.keys.merged[s.index])
	min, max, most := b.min, b.max, s.most
	if s.reverse {
		if s.after.score != "" {
			max = s.after.score
		}
		args = append(args, max, min, "byscore", "rev")
	} else {
		if s.after.score != "" {
			min = s.after.score
		}
		args = append(args, min, max, "byscore")
	}
	switch s.more {
	case tooMany:
		most++ // shows that there are
	case sweeping:
		args, most = append(args, "withscores"), most+mostPassed+1
	}
	return append(args, "limit", 0, most)
}

// findRows asks for the rows of each range that is short, whatever its rows should be like.
func (r *reader) findRows(ctx context.Context, ranges []*ask, lists [][]*redis.RawCmd, widest int) (look, []*found) {
	p := r.rdb.Pipeline()
	out, rows := make([]*found, len(ranges)), make([]*redis.StringSliceCmd, len(ranges))
	for i, a := range ranges {
		f := a.short.join(lists[i])
		if f == nil || len(f.keys)*widest > mostBytes {
			continue
		}
		out[i] = f
		if len(f.keys) > 0 {
			rows[i] = redis.NewStringSliceCmd(ctx, hmget(&r.keys.rows, f.keys)...)
			_ = p.Process(ctx, rows[i]) // only queued
		}
	}
	after := r.queueTruth(ctx, p)
	flush(ctx, p)
	for i, cmd := range rows {
		if cmd != nil {
			out[i].rows, _ = ownRows(cmd) // a page without them is none
		}
	}
	return after, out
}

// join returns the keys of all intervals; nil: they are too many, or could not be had.
func (s *short) join(lists []*redis.RawCmd) *found {
	f := &found{}
	for _, cmd := range lists {
		r := resp{rest: cmd.Val()}
		f.keys = r.append(f.keys, 1)
		if r.err != nil {
			return nil
		}
	}
	if s.more == sweeping && !s.pass(f) {
		return nil
	}
	if len(f.keys) <= s.most {
		return f
	}
	if s.more == tooMany {
		return nil
	}
	f.keys, f.more = f.keys[:s.most], s.more == sweeping
	f.scores = f.scores[:min(len(f.scores), s.most)]
	return f
}

// pass splits members from scores, and drops those that the sweep has seen, unless they are so many that a script must find
// its way.
func (s *short) pass(f *found) bool {
	n := len(f.keys) / 2
	pairs := f.keys
	f.keys, f.scores = make([][]byte, 0, n), make([][]byte, 0, n)
	for i := 0; i+1 < len(pairs); i += 2 {
		if len(f.keys) > 0 || !s.seen(pairs[i], pairs[i+1]) {
			f.keys, f.scores = append(f.keys, pairs[i]), append(f.scores, pairs[i+1])
		}
	}
	return n-len(f.keys) <= mostPassed
}

// seen tells whether an entry is not behind where the sweep goes on.
func (s *short) seen(member, score []byte) bool {
	if s.after.score == "" {
		return false
	}
	a, err := parseScore(string(score))
	b, err2 := parseScore(s.after.score)
	order := bytes.Compare(member, []byte(s.after.member))
	if s.reverse {
		order = -order
	}
	return err == nil && err2 == nil && a == b && order <= 0
}

func hmget(hash *string, keys [][]byte) []any {
	args := command("hmget", hash, len(keys))
	for i := range keys {
		args = append(args, (*engine.Bytes)(&keys[i]))
	}
	return args
}

// page makes a page of what was found; nil: a row was missing, and a script must tell why.
func (f *found) page(s snapshot, bounds []bound) *page {
	p := &page{snapshot: s, keys: f.keys, scores: f.scores, last: !f.more}
	if len(f.keys) == 0 {
		return p
	}
	if !p.fill(f.rows) {
		return nil
	}
	if f.more {
		end := len(f.keys) - 1
		p.next = cursor{bounds: bounds, score: string(f.scores[end]), member: string(f.keys[end])}
	}
	return p
}

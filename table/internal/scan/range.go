package scan

import (
	"bytes"
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// rangeScan reads, by plain commands, a range of rows that is expected to be short, or one page of a sweep.
type rangeScan struct {
	index   int
	bounds  []layout.Bound
	reverse bool
	most    int    // how many entries it may have
	excess  excess // what more entries mean
	after   cursor // where a sweep goes on
}

// found is what a range scan has found.
type found struct {
	keys, scores [][]byte
	rows         [][]byte
	more         bool
}

// scanRanges answers the ranges that it can, and returns the requests that are left.
func (b *batcher) scanRanges(group []*pending) (left []*pending) {
	var ranges []*pending
	for _, p := range group {
		if p.scan != nil && (len(ranges) == 0 || ranges[0].client == p.client) {
			ranges = append(ranges, p)
		}
	}
	if !scanPays(ranges, b.away.Load()) || b.cooldown.tick() {
		return group
	}
	b.away.Add(1)
	b.answerRanges(wire.ForCallers(b.ctx, callersOf(ranges)), ranges)
	b.away.Add(-1)
	for _, p := range group {
		if p.response.found == nil {
			left = append(left, p)
		} else {
			close(p.done)
		}
	}
	return left
}

// answerRanges answers ranges in two round trips. Those that it cannot answer stay without a response.
func (b *batcher) answerRanges(ctx context.Context, ranges []*pending) {
	home := b.home()
	probe, lists := findKeys(ctx, ranges, home)
	before, ok := probe.Truth()
	if ok {
		b.amongStaged.Store(before.Home() == wire.AmongStaged)
	}
	if !ok || before.Home() != home {
		return
	}
	probe, found := findRows(ctx, ranges, lists, before)
	after, ok := probe.Truth()
	if !ok || !before.SameForReaders(after) {
		b.cooldown.begin()
		return
	}
	for i, p := range ranges {
		if found[i] != nil {
			p.response.Answer = wire.Answer{Status: wire.StatusOK, Moment: before.Moment}
			p.response.found = found[i]
		}
	}
}

// home returns where rows were found last. The answer proves whether they still are there.
func (b *batcher) home() wire.Home {
	if b.amongStaged.Load() {
		return wire.AmongStaged
	}
	return wire.AmongMerged
}

// findKeys sends the first round trip: a probe, and the members of each range.
func findKeys(ctx context.Context, ranges []*pending, home wire.Home) (wire.Probe, [][]*redis.RawCmd) {
	client := ranges[0].client
	p := client.Redis.Pipeline()
	before := client.QueueProbe(ctx, p)
	lists := make([][]*redis.RawCmd, len(ranges))
	for i, r := range ranges {
		_, entries := client.KeysAt(home, r.scan.index)
		for k := range r.scan.bounds {
			args := r.scan.command(entries, &r.scan.bounds[k])
			lists[i] = append(lists[i], wire.QueueRaw(ctx, p, args...))
		}
	}
	wire.Flush(ctx, p)
	return before, lists
}

// command returns the command that reads the members of one interval.
func (s *rangeScan) command(index *string, b *layout.Bound) []any {
	args := append(make([]any, 0, 9), "zrange", index)
	low, high, most := b.Min, b.Max, s.most
	if s.reverse {
		if s.after.score != "" {
			high = s.after.score
		}
		args = append(args, high, low, "byscore", "rev")
	} else {
		if s.after.score != "" {
			low = s.after.score
		}
		args = append(args, low, high, "byscore")
	}
	switch s.excess {
	case isTooMuch:
		most++ // one entry too many shows that the range is too long
	case isNextPage:
		args, most = append(args, "withscores"), most+mostPassed+1
	}
	return append(args, "limit", 0, most)
}

// findRows sends the second round trip: the rows of each range that is short enough, and the truth.
func findRows(ctx context.Context, ranges []*pending, lists [][]*redis.RawCmd, before wire.Truth) (wire.Probe, []*found) {
	client := ranges[0].client
	p := client.Redis.Pipeline()
	out, rows := make([]*found, len(ranges)), make([]*redis.StringSliceCmd, len(ranges))
	for i, r := range ranges {
		f := r.scan.join(lists[i])
		if f == nil || !fits(len(f.keys), before.Widest) || !before.IsComplete(r.scan.index, len(client.Keys.Merged)) {
			continue
		}
		out[i] = f
		if len(f.keys) > 0 {
			hash, _ := client.KeysAt(before.Home(), r.scan.index)
			rows[i] = redis.NewStringSliceCmd(ctx, wire.HMGet(hash, f.keys)...)
			_ = p.Process(ctx, rows[i]) // only queued
		}
	}
	after := client.QueueTruth(ctx, p)
	wire.Flush(ctx, p)
	for i, cmd := range rows {
		if cmd != nil {
			out[i].rows, _ = wire.OwnRows(cmd) // without rows it makes no page
		}
	}
	return after, out
}

// join returns the keys of all intervals. It returns nil if there are too many, or if a command has failed.
func (s *rangeScan) join(lists []*redis.RawCmd) *found {
	f := &found{}
	for _, cmd := range lists {
		r := wire.NewReply(cmd.Val())
		f.keys = r.AppendTexts(f.keys, 1)
		if r.Err() != nil {
			return nil
		}
	}
	if s.excess == isNextPage && !s.splitBehind(f) {
		return nil
	}
	if len(f.keys) <= s.most {
		return f
	}
	if s.excess == isTooMuch {
		return nil
	}
	f.keys, f.more = f.keys[:s.most], s.excess == isNextPage
	f.scores = f.scores[:min(len(f.scores), s.most)]
	return f
}

// splitBehind separates members and scores, and drops the entries that are not behind the place where the sweep goes on. It returns
// false if these are so many that a script must find the place.
func (s *rangeScan) splitBehind(f *found) bool {
	n := len(f.keys) / 2
	pairs := f.keys
	f.keys, f.scores = make([][]byte, 0, n), make([][]byte, 0, n)
	for i := 0; i+1 < len(pairs); i += 2 {
		if len(f.keys) > 0 || s.isBehind(pairs[i], pairs[i+1]) {
			f.keys, f.scores = append(f.keys, pairs[i]), append(f.scores, pairs[i+1])
		}
	}
	return n-len(f.keys) <= mostPassed
}

// isBehind tells whether an entry is behind the place where the sweep goes on, in reading order.
func (s *rangeScan) isBehind(member, score []byte) bool {
	if s.after.score == "" {
		return true
	}
	a, err := layout.ParseScore(string(score))
	b, err2 := layout.ParseScore(s.after.score)
	order := bytes.Compare(member, []byte(s.after.member))
	if s.reverse {
		order = -order
	}
	return err != nil || err2 != nil || a != b || order > 0
}

// page makes a page of what was found. It returns nil if a row is missing: a script must find out why.
func (f *found) page(m wire.Moment, bounds []layout.Bound) *Page {
	p := &Page{Moment: m, Keys: f.keys, Scores: f.scores, Final: !f.more}
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

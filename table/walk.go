package table

import (
	"context"
	"strings"

	"github.com/tablecache-go/tablecache/engine"
)

// walk is how far a long read of merged rows has come, by rank: as long as the pin lasts no rank moves, so that a page is
// what plain commands find between two of them. Each round trip fetches the rows of one page, for whose keys the trip before
// has asked, and the keys of the next. Scripts read where staged rows lie over merged ones, and where rows may be so wide
// that only they can tell where a page must end.
type walk struct {
	spans []span   // not asked for yet; the first is not empty
	keys  [][]byte // of the page that comes next
}

// span is a run of ranks in the direction of travel: from the first up to but not the last.
type span struct{ from, to int }

// leastWalk is the shortest page that is read by ranks: what must be shorter is left to a script.
const leastWalk = 4

// walks tells whether a page of a pinned snapshot is to be read by ranks: if those of the snapshot's rows that count are all
// merged, and none is very wide.
func (t *Table[R, K]) walks(q pageAsk) bool {
	return q.at.walk != nil || q.at.score != "" && q.of.view.State != engine.StateMerging && t.stride() >= leastWalk
}

// stride is how many rows a page has: about as many as fill it, and no more than a few times too many.
func (t *Table[R, K]) stride() int {
	return min(mostEntries, t.opts.pageBytes/t.rowBytes.guess(), 4*t.opts.pageBytes/max(1, int(t.widest.Load())))
}

// walk returns the next page, after finding out where it is if need be.
func (t *Table[R, K]) walk(ctx context.Context, q pageAsk) (*page, error) {
	w := q.at.walk
	if w == nil {
		spans, err := t.spans(ctx, q)
		if err != nil {
			return nil, err
		}
		w = &walk{spans: spans}
	}
	for {
		p, next, err := t.step(ctx, q, w)
		if err != nil || p.last || len(p.rows) > 0 {
			return p, err
		}
		w = next
	}
}

// spans finds out which ranks the bounds of q are, after the row that it goes on behind.
func (t *Table[R, K]) spans(ctx context.Context, q pageAsk) ([]span, error) {
	key := &t.wire.keys.merged[q.index]
	commands := [][]any{{"zrank", key, q.at.member}, {"zcard", key}}
	for _, b := range q.at.bounds {
		before, through := b.ahead(q.reverse)
		commands = append(commands, []any{"zcount", key, before.min, before.max}, []any{"zcount", key, through.min, through.max})
	}
	a, err := t.plain(ctx, q, nil, commands)
	if err != nil {
		return nil, err
	}
	n, ok := numbers(a.raw[:len(commands)])
	if !ok {
		return nil, t.conclude(ctx)
	}
	at, all, n := n[0], n[1], n[2:]
	if q.reverse {
		at = all - 1 - at
	}
	spans := make([]span, len(q.at.bounds))
	for i := range spans {
		spans[i] = span{n[2*i], n[2*i+1]}
	}
	spans[0].from = at + 1
	return trimmed(spans), nil
}

// ahead returns what lies before the interval in the direction of travel, and that together with the interval.
func (b bound) ahead(reverse bool) (before, through bound) {
	if !reverse {
		return bound{"-inf", "(" + b.min}, bound{"-inf", b.max}
	}
	before = bound{strings.TrimPrefix(b.max, "("), "+inf"}
	if b.max == "+inf" {
		before = bound{"(+inf", "+inf"} // nothing
	}
	return before, bound{b.min, "+inf"}
}

// step makes one round trip: it returns the page whose keys are known, and where the next one is.
func (t *Table[R, K]) step(ctx context.Context, q pageAsk, w *walk) (*page, *walk, error) {
	rows, keys, left := t.stepCommands(q, w)
	a, err := t.plain(ctx, q, rows, keys)
	if err != nil {
		return nil, nil, err
	}
	p := &page{snapshot: *q.of, keys: w.keys}
	next := &walk{spans: left}
	if len(w.keys) > 0 {
		if !p.fill(a.rows) {
			if err := t.refill(ctx, q, p); err != nil {
				return nil, nil, err
			}
		}
		t.rowBytes.learn(p.bytes, len(p.rows))
	}
	if len(w.spans) > 0 {
		r := resp{rest: a.raw[0]}
		if next.keys = r.texts(); r.err != nil || len(next.keys) == 0 {
			return nil, nil, t.conclude(ctx)
		}
	}
	p.last = len(next.keys) == 0 && len(left) == 0
	p.next = cursor{walk: next}
	return p, next, nil
}

// refill asks for the rows of a page once more, so that an empty one, which is damaged, can be told from one that is missing.
func (t *Table[R, K]) refill(ctx context.Context, q pageAsk, p *page) error {
	a, err := t.plain(ctx, q, nil, [][]any{hmget(&t.wire.keys.rows, p.keys)})
	if err != nil {
		return err
	}
	r := resp{rest: a.raw[0]}
	if !p.fill(r.texts()) || r.err != nil {
		return t.conclude(ctx)
	}
	t.own(p.rows)
	return nil
}

// stepCommands asks for the rows of the keys that w has, and for the keys that come next; left is what comes after those.
func (t *Table[R, K]) stepCommands(q pageAsk, w *walk) (rows []any, keys [][]any, left []span) {
	if len(w.keys) > 0 {
		rows = hmget(&t.wire.keys.rows, w.keys)
	}
	if len(w.spans) == 0 {
		return rows, nil, nil
	}
	s := w.spans[0]
	to := min(s.to, s.from+max(1, t.stride()))
	zrange := []any{"zrange", &t.wire.keys.merged[q.index], s.from, to - 1}
	if q.reverse {
		zrange = append(zrange, "rev")
	}
	left = append([]span{{to, s.to}}, w.spans[1:]...)
	return rows, [][]any{zrange}, trimmed(left)
}

// trimmed drops empty spans at the front.
func trimmed(s []span) []span {
	for len(s) > 0 && s[0].from >= s[0].to {
		s = s[1:]
	}
	return s
}

// plain has commands on merged rows answered, and makes sure that they are of q's snapshot.
func (t *Table[R, K]) plain(ctx context.Context, q pageAsk, rows []any, commands [][]any) (reply, error) {
	n := len(commands)
	commands = append(commands, []any{"hlen", &t.wire.keys.rows}, []any{"zcard", &t.wire.keys.merged[q.index]}, t.wire.fixed.truth)
	a, err := t.reader.put(ctx, question{plain: commands, rows: rows})
	if err != nil {
		return reply{}, err
	}
	now, ok := readTruth(a.raw[n+2])
	if !ok {
		return reply{}, t.conclude(ctx)
	}
	if now.epoch != q.of.epoch {
		return reply{}, ownership(q.of.epoch, now.epoch)
	}
	if now.view.Version != q.of.view.Version || !alone(now.view, q.of.view.Generation) {
		return reply{}, ErrSnapshotExpired
	}
	t.widest.Store(int64(now.widest))
	sizes, ok := numbers(a.raw[n : n+2])
	if !ok || sizes[0] != now.count || sizes[1] != now.count {
		return reply{}, t.conclude(ctx)
	}
	return a, nil
}

// alone tells whether, in this view, readers of a generation see merged rows alone.
func alone(v engine.View, generation uint32) bool {
	if v.State == engine.StateMerging {
		return v.Generation == generation+1
	}
	return v.Generation == generation
}

// numbers reads integers; ok is false when one is none.
func numbers(raw [][]byte) (all []int, ok bool) {
	for _, one := range raw {
		r := resp{rest: one}
		all = append(all, r.integer())
		if r.err != nil {
			return nil, false
		}
	}
	return all, true
}

// conclude finds out, in one script, whether what was not as expected is lost; if not, it has changed.
func (t *Table[R, K]) conclude(ctx context.Context) error {
	if _, err := t.stats(ctx); err != nil {
		return err
	}
	return ErrSnapshotExpired
}

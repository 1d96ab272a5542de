package scan

import (
	"context"
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// rankScan is where a long read of rows in one home goes on, by rank. Each round trip fetches the rows of one page and the keys of the
// next one. A fold may move all rows from one home to another meanwhile, where they have the same ranks.
type rankScan struct {
	home wire.Home // where the rows were last
	runs []run     // ranks whose keys were not fetched yet; the first run is not empty
	keys [][]byte  // the keys of the next page
}

// run is a run of consecutive ranks in reading order: those from `from` up to but not including `to`.
type run struct{ from, to int }

// errNotAsPinned: an answer does not agree with the snapshot. Its connection may lead elsewhere, the snapshot may be gone, or
// something may be lost.
var errNotAsPinned = errors.New("tablecache: not as it was pinned")

// pageByRank returns the next page. If the answer does not agree with the snapshot and the snapshot still lasts, it asks once more,
// through a new connection.
func (r *Reader) pageByRank(ctx context.Context, q pageQuery) (*Page, error) {
	for _, b := range []*batcher{r.batcher, r.confirmer} {
		p, err := r.pageThrough(ctx, b, q)
		if !errors.Is(err, errNotAsPinned) {
			return p, err
		}
		if err := r.conclude(ctx, q.of.View); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: rows of a snapshot are missing", engine.ErrLost)
}

// pageThrough returns the next page by way of b. It first finds out the ranks of the page if they are not known.
func (r *Reader) pageThrough(ctx context.Context, b *batcher, q pageQuery) (*Page, error) {
	scan := q.at.ranks
	if scan == nil {
		scan = &rankScan{home: wire.HomeOf(q.of.View, q.of.View.Generation)}
		if err := r.findRuns(ctx, b, q, scan); err != nil {
			return nil, err
		}
	}
	for {
		p, next, err := r.nextByRank(ctx, b, q, scan)
		if err != nil || p.Final || len(p.Rows) > 0 {
			return p, err
		}
		scan = next
	}
}

// findRuns finds the ranks of the bounds of q, from the row on behind which the read goes on.
func (r *Reader) findRuns(ctx context.Context, b *batcher, q pageQuery, scan *rankScan) error {
	a, err := r.runPinned(ctx, b, q, &scan.home, func(_, key *string) request {
		commands := [][]any{{"zrank", key, q.at.member}, {"zcard", key}}
		for _, bound := range q.at.bounds {
			before, through := bound.Ahead(q.Reverse)
			commands = append(commands, []any{"zcount", key, before.Min, before.Max}, []any{"zcount", key, through.Min, through.Max})
		}
		return request{commands: commands}
	})
	if err != nil {
		return err
	}
	n, ok := wire.Integers(a.raw)
	if !ok {
		return errNotAsPinned
	}
	at, all, n := n[0], n[1], n[2:]
	if q.Reverse {
		at = all - 1 - at
	}
	runs := make([]run, len(q.at.bounds))
	for i := range runs {
		runs[i] = run{n[2*i], n[2*i+1]}
	}
	runs[0].from = at + 1
	scan.runs = trimmed(runs)
	return nil
}

// trimmed returns the runs without empty ones at the front.
func trimmed(runs []run) []run {
	for len(runs) > 0 && runs[0].from >= runs[0].to {
		runs = runs[1:]
	}
	return runs
}

// nextByRank makes one round trip: it returns the page whose keys are known, and where the next one is.
func (r *Reader) nextByRank(ctx context.Context, b *batcher, q pageQuery, scan *rankScan) (*Page, *rankScan, error) {
	page, left := scan.next(max(1, r.sizes().rowsOfPage()))
	home := scan.home // scan may be asked again
	a, err := r.runPinned(ctx, b, q, &home, func(rows, entries *string) request { return rankCommands(q, rows, entries, scan.keys, page) })
	if errors.Is(err, wire.ErrTooLarge) && len(scan.keys) > 1 {
		return r.firstByRank(ctx, b, q, scan)
	}
	if err != nil {
		return nil, nil, err
	}
	p := &Page{Moment: *q.of, Keys: scan.keys}
	next := &rankScan{home: home, runs: left}
	if len(scan.keys) > 0 {
		if !p.fill(a.rows) {
			if err := r.refill(ctx, b, q, p, &next.home); err != nil {
				return nil, nil, err
			}
		}
		r.rows.Learn(p.bytes, len(p.Rows))
	}
	if len(scan.runs) > 0 {
		reply := wire.NewReply(a.raw[0])
		if next.keys = reply.Texts(); reply.Err() != nil || len(next.keys) == 0 {
			return nil, nil, errNotAsPinned
		}
	}
	p.Final = len(next.keys) == 0 && len(left) == 0
	p.next = cursor{ranks: next}
	return p, next, nil
}

// firstByRank returns a page of the first key alone, because the server cannot send the rows of all keys.
func (r *Reader) firstByRank(ctx context.Context, b *batcher, q pageQuery, scan *rankScan) (*Page, *rankScan, error) {
	r.narrow()
	p, _, err := r.nextByRank(ctx, b, q, &rankScan{home: scan.home, keys: scan.keys[:1]})
	if err != nil {
		return nil, nil, err
	}
	next := &rankScan{home: scan.home, keys: scan.keys[1:], runs: scan.runs}
	p.Final, p.next = false, cursor{ranks: next}
	return p, next, nil
}

// refill fetches the rows of a page once more, as raw replies: these tell an empty row, which is damaged, from a missing one.
func (r *Reader) refill(ctx context.Context, b *batcher, q pageQuery, p *Page, home *wire.Home) error {
	a, err := r.runPinned(ctx, b, q, home, func(rows, _ *string) request { return request{commands: [][]any{wire.HMGet(rows, p.Keys)}} })
	if err != nil {
		return err
	}
	reply := wire.NewReply(a.raw[0])
	if !p.fill(reply.Texts()) || reply.Err() != nil {
		return errNotAsPinned
	}
	r.own(p.Rows)
	return nil
}

// next returns the ranks of the keys that come next, at most so many, and the ranks behind those.
func (s *rankScan) next(most int) (page run, left []run) {
	if len(s.runs) == 0 {
		return run{}, nil
	}
	first := s.runs[0]
	to := min(first.to, first.from+most)
	return run{first.from, to}, trimmed(append([]run{{to, first.to}}, s.runs[1:]...))
}

// rankCommands returns the commands for the rows of keys, and for the keys of the next page unless that is empty.
func rankCommands(q pageQuery, rows, entries *string, keys [][]byte, page run) (asked request) {
	if len(keys) > 0 {
		asked.rows = wire.HMGet(rows, keys)
	}
	if page.from < page.to {
		zrange := []any{"zrange", entries, page.from, page.to - 1}
		if q.Reverse {
			zrange = append(zrange, "rev")
		}
		asked.commands = [][]any{zrange}
	}
	return asked
}

// runPinned sends the plain commands that build returns for the keys of q's rows, and makes sure that their answers are of q's snapshot.
// home is where the rows were last. If a fold has moved them meanwhile, it asks where they are now, and home says so.
func (r *Reader) runPinned(ctx context.Context, b *batcher, q pageQuery, home *wire.Home, build func(rows, entries *string) request) (response, error) {
	a, now, err := r.runAt(ctx, b, q, *home, build)
	if err == nil && now != *home {
		*home = now
		if a, now, err = r.runAt(ctx, b, q, *home, build); err == nil && now != *home {
			err = errNotAsPinned
		}
	}
	return a, err
}

// runAt is runPinned in one home. It also returns where the rows are behind the answers, which count only if that is the same.
func (r *Reader) runAt(ctx context.Context, b *batcher, q pageQuery, at wire.Home, build func(rows, entries *string) request) (response, wire.Home, error) {
	rows, entries := r.client.KeysAt(at, q.Index)
	asked := build(rows, entries)
	n := len(asked.commands)
	asked.commands = append(asked.commands, []any{"hlen", rows}, []any{"zcard", entries}, r.client.Commands.Truth)
	since := r.authority.Shown()
	a, err := b.put(ctx, asked)
	now := wire.Nowhere
	if err == nil {
		now, err = r.checkPinned(ctx, a.raw[n:], q, at, since)
		a.raw = a.raw[:n]
	}
	switch {
	case errors.Is(err, engine.ErrFenced):
		r.authority.Conclude(a.Answer, since, err)
	case errors.Is(err, engine.ErrLost): // a script must find out
		err = errNotAsPinned
	}
	return a, now, err
}

// checkPinned returns where the rows of a snapshot are, or why answers from one home are not of it. sizes are the raw replies of HLEN,
// of ZCARD, and of the truth, which was read last: rows that are in one home then were there before.
func (r *Reader) checkPinned(ctx context.Context, sizes [][]byte, q pageQuery, at wire.Home, since Progress) (wire.Home, error) {
	now, ok := r.client.ReadTruth(sizes[2])
	if !ok {
		return wire.Nowhere, errNotAsPinned
	}
	if err := r.authority.Check(ctx, wire.Answer{Status: wire.StatusOK, Moment: now.Moment}, since, r.batcher.lineage); err != nil {
		return wire.Nowhere, err
	}
	if !isOf(now.View, q.of.View) || q.unpinned && !sameRows(now.Moment, *q.of) {
		return wire.Nowhere, engine.ErrSnapshotExpired
	}
	r.widest.Store(int64(now.Widest))
	home := wire.HomeOf(now.View, q.of.View.Generation)
	counts, ok := wire.Integers(sizes[:2])
	if want := now.CountAt(at); home == at && (!ok || counts[0] != want || counts[1] != want) {
		return home, errNotAsPinned
	}
	return home, nil
}

// isOf tells whether readers of a snapshot whose rows are in one home still see it, in this view.
func isOf(now, of engine.View) bool {
	return now.Version == of.Version && wire.HomeOf(now, of.Generation).IsPlain()
}

// conclude returns nil if a snapshot still is what readers see. It asks a primary, by one script.
func (r *Reader) conclude(ctx context.Context, of engine.View) error {
	a, err := r.confirm(ctx, request{call: scripts.Stats(r.client)}, r.authority.Shown())
	if err == nil && !isOf(a.View, of) {
		return engine.ErrSnapshotExpired
	}
	return err
}

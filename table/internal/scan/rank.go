package scan

import (
	"context"
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// rankScan is where a long read of merged rows goes on, by rank. Each round trip fetches the rows of one page and the keys of the
// next one.
type rankScan struct {
	runs []run    // ranks whose keys were not fetched yet; the first run is not empty
	keys [][]byte // the keys of the next page
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
		runs, err := r.findRuns(ctx, b, q)
		if err != nil {
			return nil, err
		}
		scan = &rankScan{runs: runs}
	}
	for {
		p, next, err := r.nextByRank(ctx, b, q, scan)
		if err != nil || p.Final || len(p.Rows) > 0 {
			return p, err
		}
		scan = next
	}
}

// findRuns returns the ranks of the bounds of q, from the row on behind which the read goes on.
func (r *Reader) findRuns(ctx context.Context, b *batcher, q pageQuery) ([]run, error) {
	key := &r.client.Keys.Merged[q.Index]
	commands := [][]any{{"zrank", key, q.at.member}, {"zcard", key}}
	for _, bound := range q.at.bounds {
		before, through := bound.Ahead(q.Reverse)
		commands = append(commands, []any{"zcount", key, before.Min, before.Max}, []any{"zcount", key, through.Min, through.Max})
	}
	a, err := r.runPinned(ctx, b, q, nil, commands)
	if err != nil {
		return nil, err
	}
	n, ok := wire.Integers(a.raw[:len(commands)])
	if !ok {
		return nil, errNotAsPinned
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
	return trimmed(runs), nil
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
	rows, keys, left := r.rankCommands(q, scan)
	a, err := r.runPinned(ctx, b, q, rows, keys)
	if errors.Is(err, wire.ErrTooLarge) && len(scan.keys) > 1 {
		return r.firstByRank(ctx, b, q, scan)
	}
	if err != nil {
		return nil, nil, err
	}
	p := &Page{Moment: *q.of, Keys: scan.keys}
	next := &rankScan{runs: left}
	if len(scan.keys) > 0 {
		if !p.fill(a.rows) {
			if err := r.refill(ctx, b, q, p); err != nil {
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
	p, _, err := r.nextByRank(ctx, b, q, &rankScan{keys: scan.keys[:1]})
	if err != nil {
		return nil, nil, err
	}
	next := &rankScan{keys: scan.keys[1:], runs: scan.runs}
	p.Final, p.next = false, cursor{ranks: next}
	return p, next, nil
}

// refill fetches the rows of a page once more, as raw replies: these tell an empty row, which is damaged, from a missing one.
func (r *Reader) refill(ctx context.Context, b *batcher, q pageQuery, p *Page) error {
	a, err := r.runPinned(ctx, b, q, nil, [][]any{wire.HMGet(&r.client.Keys.Rows, p.Keys)})
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

// rankCommands returns the commands for the rows of scan's keys and for the keys that come next. left are the ranks behind those.
func (r *Reader) rankCommands(q pageQuery, scan *rankScan) (rows []any, keys [][]any, left []run) {
	if len(scan.keys) > 0 {
		rows = wire.HMGet(&r.client.Keys.Rows, scan.keys)
	}
	if len(scan.runs) == 0 {
		return rows, nil, nil
	}
	first := scan.runs[0]
	to := min(first.to, first.from+max(1, r.sizes().rowsOfPage()))
	zrange := []any{"zrange", &r.client.Keys.Merged[q.Index], first.from, to - 1}
	if q.Reverse {
		zrange = append(zrange, "rev")
	}
	left = append([]run{{to, first.to}}, scan.runs[1:]...)
	return rows, [][]any{zrange}, trimmed(left)
}

// runPinned sends plain commands on merged rows, and makes sure that their answers are of q's snapshot.
func (r *Reader) runPinned(ctx context.Context, b *batcher, q pageQuery, rows []any, commands [][]any) (response, error) {
	n := len(commands)
	commands = append(commands, []any{"hlen", &r.client.Keys.Rows}, []any{"zcard", &r.client.Keys.Merged[q.Index]},
		r.client.Commands.Truth)
	since := r.authority.Shown()
	a, err := b.put(ctx, request{commands: commands, rows: rows})
	if err == nil {
		err = r.checkPinned(ctx, a.raw[n:], q, since)
	}
	switch {
	case errors.Is(err, engine.ErrFenced):
		r.authority.Conclude(a.Answer, since, err)
	case errors.Is(err, engine.ErrLost): // a script must find out
		err = errNotAsPinned
	}
	return a, err
}

// checkPinned returns why answers are not of a snapshot. sizes are the raw replies of HLEN, of ZCARD, and of the truth.
func (r *Reader) checkPinned(ctx context.Context, sizes [][]byte, q pageQuery, since Progress) error {
	now, ok := r.client.ReadTruth(sizes[2])
	if !ok {
		return errNotAsPinned
	}
	if err := r.authority.Check(ctx, wire.Answer{Status: wire.StatusOK, Moment: now.Moment}, since, r.batcher.lineage); err != nil {
		return err
	}
	if !isOf(now.View, q.of.View) || q.unpinned && !isUntouched(now.Moment, *q.of) {
		return engine.ErrSnapshotExpired
	}
	r.widest.Store(int64(now.Widest))
	counts, ok := wire.Integers(sizes[:2])
	if !ok || counts[0] != now.Count || counts[1] != now.Count {
		return errNotAsPinned
	}
	return nil
}

// isOf tells whether readers of a snapshot of merged rows still see it, in this view.
func isOf(now, of engine.View) bool {
	return now.Version == of.Version && onlyMerged(now, of.Generation)
}

// isUntouched tells whether the rows and the ranks of a snapshot are as they were, though nothing has kept them.
func isUntouched(now, of wire.Moment) bool {
	return sameRows(now, of) && now.View.State != engine.StateMerging
}

// conclude returns nil if a snapshot still is what readers see. It asks a primary, by one script.
func (r *Reader) conclude(ctx context.Context, of engine.View) error {
	a, err := r.confirm(ctx, request{call: scripts.Stats(r.client)}, r.authority.Shown())
	if err == nil && !isOf(a.View, of) {
		return engine.ErrSnapshotExpired
	}
	return err
}

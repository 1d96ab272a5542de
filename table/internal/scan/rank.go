package scan

import (
	"context"
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// rankScan is how far a long read of merged rows has come, by rank. Each round trip fetches the rows of one page, for whose
// keys the round trip before has asked, and the keys of the next.
type rankScan struct {
	runs []run    // not asked for yet; the first is not empty
	keys [][]byte // of the page that comes next
}

// run is consecutive ranks in the direction of travel: from the first up to but not to.
type run struct{ from, to int }

// errNotAsPinned: an answer is not what the snapshot must have. A connection may lead elsewhere, the snapshot may be gone, or
// something is lost.
var errNotAsPinned = errors.New("tablecache: not as it was pinned")

// pageByRank returns the next page. What is not as it was pinned it asks for once more, through a connection of its own, if the
// snapshot still lasts.
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

// pageThrough returns the next page, after finding out where it is if need be.
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

// findRuns finds out which ranks the bounds of q are, behind the row where it goes on.
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

// firstByRank returns a page of the first of the keys alone, because all their rows are more than the server can send.
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

// refill asks for the rows of a page once more, so that an empty one, which is damaged, can be told from one that is missing.
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

// rankCommands asks for the rows of the keys that scan has, and for the keys that come next; left is what comes after those.
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

// runPinned has plain commands on merged rows answered, and makes sure that the answers are of q's snapshot.
func (r *Reader) runPinned(ctx context.Context, b *batcher, q pageQuery, rows []any, commands [][]any) (response, error) {
	n := len(commands)
	commands = append(commands, []any{"hlen", &r.client.Keys.Rows}, []any{"zcard", &r.client.Keys.Merged[q.Index]},
		r.client.Commands.Truth)
	acked := r.authority.Acked()
	a, err := b.put(ctx, request{commands: commands, rows: rows})
	if err == nil {
		err = r.checkPinned(a.raw[n:], q.of.View, acked)
	}
	switch {
	case errors.Is(err, engine.ErrFenced):
		r.authority.FoundBroken(err)
	case errors.Is(err, engine.ErrLost): // only a script can tell
		err = errNotAsPinned
	}
	return a, err
}

// checkPinned returns why answers are not of a snapshot. sizes are how many rows and entries there are, and the truth.
func (r *Reader) checkPinned(sizes [][]byte, of engine.View, acked uint64) error {
	now, ok := r.client.ReadTruth(sizes[2])
	if !ok {
		return errNotAsPinned
	}
	if err := r.check(wire.Answer{Status: wire.StatusOK, Moment: now.Moment}, acked); err != nil {
		return err
	}
	if now.View.Version != of.Version || !onlyMerged(now.View, of.Generation) {
		return engine.ErrSnapshotExpired
	}
	r.widest.Store(int64(now.Widest))
	counts, ok := wire.Integers(sizes[:2])
	if !ok || counts[0] != now.Count || counts[1] != now.Count {
		return errNotAsPinned
	}
	return nil
}

// conclude finds out, by one script that a primary runs, whether a snapshot still is what readers see: nil.
func (r *Reader) conclude(ctx context.Context, of engine.View) error {
	a, err := r.confirm(ctx, request{call: scripts.Stats(r.client)}, r.authority.Acked())
	if err == nil && (a.View.Version != of.Version || !onlyMerged(a.View, of.Generation)) {
		return engine.ErrSnapshotExpired
	}
	return err
}

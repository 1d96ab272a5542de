package scan

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// lineage is what the truth tells of how the table came where it is. The line of an epoch never changes; burned numbers are added.
type lineage struct {
	at     Progress
	line   layout.Line       // the owners before
	burned []layout.Position // the latest, of which there are at.burns
	schema string            // empty: there is no truth
	keys   int               // how many of the table's keys there are, all the while
}

// relation says how an answer stands to what was shown before it was asked for.
type relation int

const (
	follows relation = iota // it has all of that
	strays                  // it has not
	unknown                 // the lineage of another owner is needed, or a later one
)

// relation tells how the moment of an answer stands to what was shown before.
func (l lineage) relation(now, since Progress) relation {
	switch {
	case since.Epoch == "":
		return follows
	case now.Epoch == since.Epoch && now.Seq >= since.Seq && now.burns == since.burns:
		return follows
	case now.Epoch == since.Epoch && (now.Seq < since.Seq || now.burns < since.burns),
		now.Epoch != since.Epoch && now.Epoch.Count() <= since.Epoch.Count():
		return strays
	case l.at.Epoch != now.Epoch || l.at.burns < now.burns:
		return unknown
	case now.Epoch != since.Epoch && !l.line.Includes(since.Position), l.hasBurned(since):
		return strays
	}
	return follows
}

// hasBurned tells whether a number was burned after it was shown, as a fail-over makes possible. If so many were burned since that
// not all are named, nobody knows.
func (l lineage) hasBurned(since Progress) bool {
	return l.at.burns-since.burns > layout.MostBurned || slices.Contains(l.burned, since.Position)
}

// standing says whether the table has come to a position.
type standing int

const (
	reached standing = iota
	ahead            // it may come there yet
	off              // it never will: the position is of another line
)

// standing tells whether the table has come to p.
func (l lineage) standing(p layout.Position) standing {
	switch {
	case p.Epoch == l.at.Epoch && p.Seq > l.at.Seq:
		return ahead
	case slices.Contains(l.burned, p):
		return off
	case p.Epoch == l.at.Epoch || l.line.Includes(p):
		return reached
	case p.Epoch.Count() > l.at.Epoch.Count():
		return ahead
	}
	return off
}

// answer is the lineage as an answer whose rows nobody has asked for.
func (l lineage) answer() wire.Answer {
	a := wire.Answer{Status: wire.StatusOK}
	a.Epoch, a.View.Seq, a.Burns = l.at.Epoch, l.at.Seq, l.at.burns
	if a.Epoch == "" {
		a.Status = wire.StatusLost
	}
	return a
}

// lineage asks for the table's lineage, once for all callers that wait for it. It may have been asked for a little earlier.
func (b *batcher) lineage(ctx context.Context) (lineage, error) {
	since := time.Now()
	asked := b.lineages.DoChan("", func() (any, error) { return b.fetchLineage(context.Background()) }) // it must not end with one caller
	select {
	case l := <-asked:
		return l.Val.(lineage), l.Err
	case <-ctx.Done():
		return lineage{}, b.client.EndedWaiting(ctx, since)
	case <-b.done:
		return lineage{}, engine.ErrClosed
	}
}

// fetchLineage asks for the table's lineage as it is from now on.
func (b *batcher) fetchLineage(ctx context.Context) (lineage, error) {
	a, err := b.put(ctx, lineageRequest(b.client))
	if err != nil {
		return lineage{}, err
	}
	return readLineage(a.raw)
}

// lineageRequest asks for keys before and after the truth: a table that comes or goes between two commands has not lost its truth.
func lineageRequest(c *wire.Client) request {
	return request{commands: [][]any{c.Commands.Exists, c.Commands.Lineage, c.Commands.Exists}, ofLineage: true}
}

// readLineage reads the raw answers to a lineageRequest. What is missing is zero: a truth of another version has other fields.
func readLineage(raw [][]byte) (l lineage, err error) {
	r := wire.NewReply(raw[1])
	fields := r.Texts()
	n, ok := wire.Integers([][]byte{raw[0], raw[2]})
	if r.Err() != nil || len(fields) != len(layout.LineageFields) || !ok {
		return l, fmt.Errorf("%w: not the truth of a table", engine.ErrLost)
	}
	l.at.Epoch = layout.Epoch(fields[0])
	l.at.Seq, _ = strconv.ParseUint(string(fields[1]), 10, 64)
	l.at.burns, _ = strconv.ParseUint(string(fields[2]), 10, 64)
	l.line, l.burned = layout.ParseLine(string(fields[3])), layout.ParseLine(string(fields[4]))
	l.schema, l.keys = string(fields[5]), min(n[0], n[1])
	return l, nil
}

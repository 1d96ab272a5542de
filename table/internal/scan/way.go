package scan

import (
	"sync/atomic"

	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// A page is read in one of three ways:
//
//	script   one round trip, always right. The server makes a Lua string of everything that it answers.
//	range    a range scan: plain commands in two round trips, for several requests together. The pages are of one moment if the
//	         truth was the same before and after. If it was not, or if anything else is not as expected, a script is asked.
//	rank     a rank scan: plain commands, by ranks, which do not move as long as a pin lasts. Each round trip brings the rows of
//	         one page and the keys of the next.
//
// This file says which way is taken when, and has every number that this depends on. Its functions are pure.
const (
	pipelines = 4    // how many pipelines are under way at once
	gathered  = 64   // how many requests go into one pipeline
	queued    = 1024 // how many requests wait; further callers wait for a place
	joined    = 1000 // how many keys of several look-ups travel in one call

	mostEntries = 1000            // how many entries a page has at most, so that its script stays short
	MostListed  = mostEntries + 1 // how many entries of a listing: one more shows whether anything comes after them

	fewestRanges = 3       // from so many ranges on a second round trip is worth its time
	mostRange    = 128     // how many entries a range scan reads
	mostBounds   = 4       // how many intervals it reads
	mostBytes    = 1 << 20 // how many bytes its rows may have, if all are as wide as the widest
	mostPassed   = 256     // how many entries a sweep may read twice, because they have the score at which it goes on
	coolingPages = 32      // how many groups of requests go by scripts after a range scan was in vain

	firstEntries    = 16   // how many entries of the feed are asked for at first
	mostFeedEntries = 4096 // and at most

	leastRankPage = 4 // a page of fewer rows than this is left to scripts
)

// sizes is what is known of a table's rows.
type sizes struct {
	page   int // about how many bytes a page has
	row    int // about how many bytes a row has
	widest int // no row has more bytes
}

// rowsOfPage returns how many rows a page by plain commands has: about as many as fill it, but so few that it has no more than four
// times its bytes even if all are as wide as the widest. It may be 0.
func (s sizes) rowsOfPage() int { return min(mostEntries, s.page/s.row, 4*s.page/max(1, s.widest)) }

// rowsOfScript returns how many entries a page by script has at most, and how many rows it fetches first.
func (s sizes) rowsOfScript(most int) (entries, first int) {
	guess := min(max(s.page/s.row, 1), mostEntries)
	if most == 0 {
		return guess, guess
	}
	entries = min(most, MostListed)
	return entries, min(guess, entries)
}

// byRank tells whether a page is read by ranks: if it is of a pinned snapshot, behind its first page, with no staged row over merged
// ones, and no row is very wide.
func byRank(q pageQuery, s sizes) bool {
	if q.of == nil {
		return false
	}
	return q.at.ranks != nil || q.at.score != "" && wire.HomeOf(q.of.View, q.of.View.Generation).IsPlain() && s.rowsOfPage() >= leastRankPage
}

// rangeFor returns the range scan that may answer q, or nil if a script must.
func rangeFor(q pageQuery, s sizes) *rangeScan {
	scan := &rangeScan{index: q.Index, bounds: q.at.bounds, reverse: q.Reverse, most: mostRange}
	switch {
	case q.of != nil || q.Scope != scripts.Merged || q.scored && q.most > 0:
		return nil
	case q.scored && len(q.at.bounds) == 1:
		scan.most, scan.excess, scan.after = max(1, s.rowsOfPage()), isNextPage, q.at
	case q.scored || q.at.score != "" || len(q.at.bounds) > mostBounds || q.most > mostRange:
		return nil
	case q.most > 0:
		scan.most, scan.excess = q.most, isUnwanted
	}
	return scan
}

// scanPays tells whether a range scan is better than scripts. It is for a page of a sweep, and when the server has much to do: when
// several ranges wait at the same moment, or all other pipelines wait for the server.
func scanPays(ranges []*pending, away int32) bool {
	for _, p := range ranges {
		if p.scan.excess == isNextPage {
			return true
		}
	}
	return len(ranges) >= fewestRanges || len(ranges) > 0 && away >= pipelines-1
}

// fits tells whether the rows of a range may be fetched, even if all are as wide as the widest.
func fits(keys, widest int) bool { return keys*widest <= mostBytes }

// nextEntries returns how many entries of the feed to ask for, after n of them had so many bytes: about as many as fill a page, but
// not all at once more.
func nextEntries(n, bytes, page int) int {
	return max(1, min(n*page/max(1, bytes), 4*n, mostFeedEntries))
}

// cooldown is for how long there are no range scans after one that was in vain, because somebody wrote meanwhile.
type cooldown struct{ left atomic.Int32 }

func (c *cooldown) begin() { c.left.Store(coolingPages) }

// tick counts one group of requests, and tells whether that group must do without a range scan.
func (c *cooldown) tick() bool { return c.left.Load() > 0 && c.left.Add(-1) >= 0 }

// excess says what it means that a range has more entries than the most.
type excess int

const (
	isTooMuch  excess = iota // the range is too long for a range scan
	isUnwanted               // nobody wants them: most is the caller's limit
	isNextPage               // they belong to the next page of a sweep, which also wants scores
)

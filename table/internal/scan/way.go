package scan

import (
	"sync/atomic"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// A page is read in one of three ways:
//
//	script   one round trip, always right. The server makes a Lua string of everything that it answers.
//	range    plain commands in two round trips, for several requests together. The pages are of one moment if the truth was
//	         the same before and after; else, and whenever anything is not as expected, a script is asked after all.
//	rank     plain commands, by ranks, which do not move as long as a pin lasts. Each round trip brings the rows of one page
//	         and the keys of the next.
//
// Here stands which way is taken when, and every number that it depends on. These functions ask nobody anything.
const (
	pipelines = 4    // under way at once
	gathered  = 64   // requests in one pipeline
	queued    = 1024 // requests that wait before callers wait for a place
	joined    = 1000 // keys of several look-ups that travel in one call

	mostEntries = 1000 // of a page, so that its script stays short

	fewestRanges = 3       // so many ranges make a second round trip worth its time
	mostRange    = 128     // entries of a range that is scanned
	mostBounds   = 4       // its intervals
	mostBytes    = 1 << 20 // its bytes, if all its rows were as wide as the widest
	mostPassed   = 256     // entries that a sweep reads once more, because they have the score at which it goes on
	coolingPages = 32      // groups that leave ranges to scripts after the truth has moved under a range scan

	leastRankPage = 4 // rows of a page by ranks; shorter ones are left to scripts
)

// sizes is what is known of a table's rows.
type sizes struct {
	page   int // about how many bytes a page has
	row    int // about how many bytes a row has
	widest int // no row has more
}

// rowsOfPage is how many rows a page by plain commands has: about as many as fill it, and no more than a few times too many
// should all be as wide as the widest. It may be 0.
func (s sizes) rowsOfPage() int { return min(mostEntries, s.page/s.row, 4*s.page/max(1, s.widest)) }

// rowsOfScript is how many entries a page by a script has at most, and how many rows it fetches first.
func (s sizes) rowsOfScript(most int) (entries, first int) {
	guess := min(max(s.page/s.row, 1), mostEntries)
	if most == 0 {
		return guess, guess
	}
	entries = min(most, mostEntries)
	return entries, min(guess, entries)
}

// byRank tells whether a page of a pinned snapshot is read by ranks: if those of its rows that count are all merged, and none
// is very wide.
func byRank(q pageQuery, s sizes) bool {
	if q.of == nil {
		return false
	}
	return q.at.ranks != nil || q.at.score != "" && q.of.View.State != engine.StateMerging && s.rowsOfPage() >= leastRankPage
}

// rangeFor returns the range scan that may answer q, or nil if only a script should.
func rangeFor(q pageQuery, s sizes) *rangeScan {
	scan := &rangeScan{index: q.Index, bounds: q.at.bounds, reverse: q.Reverse, most: mostRange}
	switch {
	case q.of != nil || q.Scope != scripts.Merged:
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

// scanPays tells whether a range scan is better than scripts: where the server has much to do, as when several ranges wait at
// the same moment or all other pipelines wait for it, and for a page of a sweep.
func scanPays(ranges []*pending, away int32) bool {
	for _, p := range ranges {
		if p.scan.excess == isNextPage {
			return true
		}
	}
	return len(ranges) >= fewestRanges || len(ranges) > 0 && away >= pipelines-1
}

// fits tells whether rows of a range may be fetched, whatever they should be like.
func fits(keys, widest int) bool { return keys*widest <= mostBytes }

// onlyMerged tells whether, in this view, readers of a generation see merged rows alone.
func onlyMerged(v engine.View, generation uint32) bool {
	if v.State == engine.StateMerging {
		return v.Generation == generation+1
	}
	return v.Generation == generation
}

// cooldown is a rest after a range scan that was in vain, because somebody wrote meanwhile.
type cooldown struct{ left atomic.Int32 }

func (c *cooldown) begin() { c.left.Store(coolingPages) }

// tick counts one group of requests, and tells whether that one still rests.
func (c *cooldown) tick() bool { return c.left.Load() > 0 && c.left.Add(-1) >= 0 }

// excess says what entries of a range beyond the most are.
type excess int

const (
	isTooMuch  excess = iota // the range is too long to be scanned
	isUnwanted               // most is the reader's limit
	isNextPage               // of a sweep, which also wants scores
)

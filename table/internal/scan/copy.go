package scan

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/feed"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// errCopyAnew: the feed does not tell what the copy lacks; begin again.
var errCopyAnew = errors.New("tablecache: the copy cannot be completed")

// copied is the part of a table that a query asks for, as far as it was read. Pages stay as they were read, at whatever moments;
// changes are what entries of the feed say of keys since the first page. An entry says all of a key, whatever was there before, so
// it does not matter whether a page shows the key as it was before that entry or after it.
type copied struct {
	query    Query
	indexes  int
	proof    string // of the layout under which rows are written
	spans    []layout.Span
	at       layout.Position // the entries up to here are in
	pages    []*Page         // in reading order; nil: all rows of the page are gone
	next     cursor          // where the part that is covered ends
	final    bool            // all is covered
	changes  map[string]change
	staged   map[string]stagedRow // by a session that began behind the copy's beginning
	unknown  bool                 // a session is on of which not all that it has staged is known
	replaces bool                 // what is staged stands for the whole table
	bytes    int64                // of pages, changes and staged
}

// change is what the entries have made of a key: a row, or nothing that lies in the part that is covered. It hides what the first
// pages show of that key. A page that was read after the entry shows what is true.
type change struct {
	place
	row   []byte // nil: nothing
	pages int    // how many pages had been read
}

// place is where a row is in an index.
type place struct {
	score float64
	key   string
}

// stagedRow is what a merge will make of a key.
type stagedRow struct {
	row   []byte // nil: a tombstone
	score float64
}

// newCopied begins a copy at the moment of its first page.
func newCopied(q Query, indexes int, proof string, first *Page) *copied {
	c := &copied{
		query: q, indexes: indexes, proof: proof, spans: spansOf(q.Bounds), at: positionOf(first.Moment),
		changes: make(map[string]change), staged: make(map[string]stagedRow),
		unknown: first.View.State == engine.StateActive,
	}
	c.add(first)
	return c
}

// add adds the next page.
func (c *copied) add(p *Page) {
	c.pages, c.next, c.final = append(c.pages, p), p.next, p.Final
	c.bytes += p.size()
}

// apply applies an entry that stands on what the copy has.
func (c *copied) apply(e *feed.Entry) error {
	c.at = e.At
	switch e.Kind {
	case layout.KindStage, layout.KindDiscard:
		return c.stage(e)
	case layout.KindMerge:
		return c.merge()
	case layout.KindBurn, layout.KindBuilt:
		return nil
	case layout.KindAbort:
		c.endSession()
		return nil
	case layout.KindClaim:
		c.endSession()
		return c.checkSchema(e)
	case layout.KindReset:
		c.empty()
		return c.checkSchema(e)
	case layout.KindClear:
		c.empty()
		return nil
	}
	if !e.IsTold() {
		return errCopyAnew
	}
	switch e.Kind {
	case layout.KindDelete:
		if e.All {
			c.emptyMerged()
			return nil
		}
		return eachKey(e, c.removeThrough)
	case layout.KindApply:
		if err := c.eachRow(e, c.putThrough); err != nil {
			return err
		}
		return eachKey(e, c.removeThrough)
	}
	return c.eachRow(e, c.putThrough)
}

// putThrough puts what has changed for readers, and what a merge would make of it. So does removeThrough.
func (c *copied) putThrough(key string, row []byte, score float64) {
	c.unstage(key)
	if c.replaces {
		c.setStaged(key, stagedRow{row, score})
	}
	c.put(key, row, score)
}

func (c *copied) removeThrough(key string) {
	c.unstage(key)
	c.remove(key)
}

// stage notes what a merge would show. What the entry does not tell matters only if there is a merge.
func (c *copied) stage(e *feed.Entry) error {
	if e.All {
		c.dropStaged()
		c.unknown, c.replaces = false, true
		return c.eachRow(e, c.stageRow) // what was written through stays
	}
	if !e.IsTold() {
		c.unknown = true
	}
	if c.unknown {
		c.dropStaged()
		return nil
	}
	if e.Kind == layout.KindStage {
		return c.eachRow(e, c.stageRow)
	}
	return eachKey(e, func(key string) { c.setStaged(key, stagedRow{}) })
}

func (c *copied) eachRow(e *feed.Entry, each func(key string, row []byte, score float64)) error {
	rows, err := e.Rows(c.indexes)
	if err != nil {
		return err
	}
	for _, r := range rows { // the entry shares the memory of a reply with many others
		each(string(r.Key), bytes.Clone(r.Row), r.Score(c.query.Index))
	}
	return nil
}

func eachKey(e *feed.Entry, each func(string)) error {
	keys, err := e.Keys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		each(string(key))
	}
	return nil
}

// put gives a key its row if that lies in the part that is covered.
func (c *copied) put(key string, row []byte, score float64) {
	at := place{score, key}
	if !c.covers(at) {
		row = nil
	}
	c.set(key, change{at, row, len(c.pages)})
}

func (c *copied) remove(key string) { c.set(key, change{pages: len(c.pages)}) }

func (c *copied) set(key string, to change) {
	if before, there := c.changes[key]; there {
		c.bytes -= sizeOfChange(key, before.row)
	}
	c.changes[key] = to
	c.bytes += sizeOfChange(key, to.row)
}

func (c *copied) stageRow(key string, row []byte, score float64) {
	c.setStaged(key, stagedRow{row, score})
}

func (c *copied) setStaged(key string, to stagedRow) {
	c.unstage(key)
	c.staged[key] = to
	c.bytes += sizeOfChange(key, to.row)
}

func (c *copied) unstage(key string) {
	if before, there := c.staged[key]; there {
		c.bytes -= sizeOfChange(key, before.row)
		delete(c.staged, key)
	}
}

func (c *copied) merge() error {
	if c.unknown {
		return errCopyAnew
	}
	if c.replaces {
		c.emptyMerged()
	}
	for key, s := range c.staged {
		if s.row == nil {
			c.remove(key)
		} else {
			c.put(key, s.row, s.score)
		}
	}
	c.endSession()
	return nil
}

func (c *copied) endSession() {
	c.dropStaged()
	c.unknown, c.replaces = false, false
}

func (c *copied) dropStaged() {
	for key, s := range c.staged {
		c.bytes -= sizeOfChange(key, s.row)
	}
	clear(c.staged)
}

// empty drops all rows. Those that pages have of later moments come again, with the entries that follow.
func (c *copied) empty() {
	c.emptyMerged()
	c.endSession()
}

// emptyMerged drops all rows but staged ones.
func (c *copied) emptyMerged() {
	clear(c.pages)
	clear(c.changes)
	c.bytes = 0
	for key, s := range c.staged {
		c.bytes += sizeOfChange(key, s.row)
	}
}

// checkSchema refuses to go on with a new owner whose rows are others.
func (c *copied) checkSchema(e *feed.Entry) error {
	if layout.Proof(e.Schema) != c.proof {
		return errCopyAnew
	}
	return nil
}

// covers tells whether a place lies in the part that was read.
func (c *copied) covers(at place) bool {
	span := spanOf(c.spans, at.score)
	if span < 0 || c.final {
		return span >= 0
	}
	current := len(c.spans) - len(c.next.bounds)
	if span != current || c.next.score == "" {
		return span < current
	}
	end, err := layout.ParseScore(c.next.score)
	return err == nil && c.compareWithin(at, place{end, c.next.member}) <= 0
}

// compare orders places as they are read: by span, then by score, then by key.
func (c *copied) compare(a, b place) int {
	return cmp.Or(cmp.Compare(spanOf(c.spans, a.score), spanOf(c.spans, b.score)), c.compareWithin(a, b))
}

// compareWithin orders places in one span.
func (c *copied) compareWithin(a, b place) int {
	order := cmp.Or(cmp.Compare(a.score, b.score), cmp.Compare(a.key, b.key))
	if c.query.Reverse {
		return -order
	}
	return order
}

func spansOf(bounds []layout.Bound) []layout.Span {
	spans := make([]layout.Span, len(bounds))
	for i, b := range bounds {
		spans[i] = b.Span()
	}
	return spans
}

// spanOf returns which span a score lies in; -1: none.
func spanOf(spans []layout.Span, score float64) int {
	return slices.IndexFunc(spans, func(s layout.Span) bool { return s.Contains(score) })
}

// sizeOfChange is about how much memory a change of a key takes.
func sizeOfChange(key string, row []byte) int64 { return int64(len(key)+len(row)) + 2*rowOverhead }

// size is about how much memory the page takes.
func (p *Page) size() int64 {
	size := int64(p.bytes + rowOverhead*len(p.Rows))
	for _, score := range p.Scores {
		size += int64(len(score)) + rowOverhead/2
	}
	return size
}

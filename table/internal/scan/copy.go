package scan

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/feed"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// A reader that is not the owner cannot have a snapshot pinned. It copies what it is asked for: it reads pages at whatever
// moments they come, reads the feed from the first page's moment on, and applies every entry up to the last page's moment.
// Entries are absolute, so that the copy then is the table at that moment.

// errCopyAnew: the feed does not tell what the copy lacks; begin again.
var errCopyAnew = errors.New("tablecache: the copy cannot be completed")

// copied is the part of a table that a query asks for.
type copied struct {
	query   Query
	indexes int
	spans   []layout.Span
	at      layout.Position // the entries up to here are in
	rows    map[string]copiedRow
	staged  map[string]stagedRow // of the session that is on, if it began behind the copy's beginning
	unknown bool                 // a session was on when the copy began: what it has staged is not known whole
	bytes   int64
}

// copiedRow is a row and its score in the query's index.
type copiedRow struct {
	row   []byte
	score float64
}

// stagedRow is what a merge will make of a key: a row, or nothing.
type stagedRow struct {
	copiedRow
	gone bool
}

// newCopied begins a copy at the moment of its first page.
func newCopied(q Query, indexes int, first wire.Moment) *copied {
	return &copied{
		query: q, indexes: indexes, spans: spansOf(q.Bounds),
		at:   layout.Position{Epoch: first.Epoch, Seq: first.View.Seq},
		rows: make(map[string]copiedRow), staged: make(map[string]stagedRow),
		unknown: first.View.State == engine.StateActive,
	}
}

// addPage adds a page's rows.
func (c *copied) addPage(p *Page) error {
	for i, key := range p.Keys {
		score, err := layout.ParseScore(string(p.Scores[i]))
		if err != nil {
			return engine.ErrLost
		}
		c.set(string(key), copiedRow{p.Rows[i], score})
	}
	return nil
}

// apply applies an entry that stands on what the copy has.
func (c *copied) apply(e *feed.Entry) error {
	if !e.IsTold() {
		return errCopyAnew
	}
	c.at = e.At
	switch e.Kind {
	case layout.KindPut:
		return c.applyRows(e, c.set)
	case layout.KindStage:
		return c.applyRows(e, func(key string, r copiedRow) { c.staged[key] = stagedRow{copiedRow: r} })
	case layout.KindDelete:
		return applyKeys(e, c.remove)
	case layout.KindDiscard:
		return applyKeys(e, func(key string) { c.staged[key] = stagedRow{gone: true} })
	case layout.KindMerge:
		return c.merge()
	case layout.KindAbort, layout.KindClaim:
		c.endSession()
	case layout.KindClear, layout.KindReset:
		c.endSession()
		clear(c.rows)
	}
	return nil
}

func (c *copied) applyRows(e *feed.Entry, each func(string, copiedRow)) error {
	rows, err := e.Rows(c.indexes)
	if err != nil {
		return err
	}
	for _, r := range rows {
		each(string(r.Key), copiedRow{r.Row, r.Score(c.query.Index)})
	}
	return nil
}

func applyKeys(e *feed.Entry, each func(string)) error {
	keys, err := e.Keys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		each(string(key))
	}
	return nil
}

// set gives a key its row, if the query asks for it there.
func (c *copied) set(key string, r copiedRow) {
	c.remove(key)
	if spanOf(c.spans, r.score) >= 0 {
		c.rows[key] = r
		c.bytes += int64(len(key) + len(r.row) + rowOverhead)
	}
}

func (c *copied) remove(key string) {
	if r, there := c.rows[key]; there {
		c.bytes -= int64(len(key) + len(r.row) + rowOverhead)
		delete(c.rows, key)
	}
}

func (c *copied) merge() error {
	if c.unknown {
		return errCopyAnew
	}
	for key, s := range c.staged {
		if s.gone {
			c.remove(key)
		} else {
			c.set(key, s.copiedRow)
		}
	}
	c.endSession()
	return nil
}

func (c *copied) endSession() {
	clear(c.staged)
	c.unknown = false
}

// pages returns the rows in the query's order, as pages of one moment.
func (c *copied) pages(m wire.Moment) []*Page {
	keys := make([]string, 0, len(c.rows))
	for key := range c.rows {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, c.compare)
	var pages []*Page
	for chunk := range slices.Chunk(keys, mostEntries) {
		p := &Page{Moment: m, Keys: make([][]byte, len(chunk)), Rows: make([][]byte, len(chunk))}
		for i, key := range chunk {
			p.Keys[i], p.Rows[i] = []byte(key), c.rows[key].row
		}
		pages = append(pages, p)
	}
	return pages
}

// compare orders keys: by span, then by score, then by their bytes; the latter two in the direction of travel.
func (c *copied) compare(a, b string) int {
	x, y := c.rows[a], c.rows[b]
	if order := cmp.Compare(spanOf(c.spans, x.score), spanOf(c.spans, y.score)); order != 0 {
		return order
	}
	order := cmp.Or(cmp.Compare(x.score, y.score), bytes.Compare([]byte(a), []byte(b)))
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

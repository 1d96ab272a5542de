package scan

import (
	"context"
	"errors"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Query says which rows a read is of.
type Query struct {
	Scope   scripts.Scope
	Index   int
	Bounds  []layout.Bound // in reading order; none is empty
	Reverse bool
	Limit   int // only the first so many rows; 0: all
}

// cursor is where a read goes on: in the first of bounds, behind (score, member) if score is set.
type cursor struct {
	bounds        []layout.Bound
	score, member string
	ranks         *rankScan // used instead if a pinned snapshot is read by ranks
}

// pageQuery says which page is wanted.
type pageQuery struct {
	Query
	at     cursor
	most   int          // how many entries the page may have; 0 lets its bytes decide
	scored bool         // bring the scores too
	of     *wire.Moment // the snapshot that the page must be of; nil: the present

	unpinned bool // nothing keeps the snapshot of a rank scan: an answer must prove that not even a fold has touched it
}

// Page is one atomic answer. Keys, Rows and Scores have the same order; Scores is empty if no scores were wanted. The caller may
// keep the bytes.
type Page struct {
	wire.Moment
	Keys, Rows, Scores [][]byte
	Final              bool // nothing comes after it
	bytes              int
	next               cursor
}

// measure adds up the bytes of keys and rows. It returns false if a row is missing.
func (p *Page) measure() bool {
	p.bytes = 0
	for i := range p.Rows {
		if p.Rows[i] == nil {
			return false
		}
		p.bytes += len(p.Keys[i]) + len(p.Rows[i])
	}
	return true
}

// fill gives p the rows of its keys. It returns false if one is missing.
func (p *Page) fill(rows [][]byte) bool {
	p.Rows = rows
	return len(p.Rows) == len(p.Keys) && p.measure()
}

func rowsOf(pages []*Page) (n int) {
	for _, p := range pages {
		n += len(p.Rows)
	}
	return n
}

func (r *Reader) sizes() sizes {
	return sizes{page: int(r.pageBytes.Load()), row: r.rows.Guess(), widest: int(r.widest.Load())}
}

// page returns the page that q says, read in the way that way.go chooses. If the server cannot send the page, later pages are
// smaller, and this one has one row.
func (r *Reader) page(ctx context.Context, q pageQuery) (*Page, error) {
	s := r.sizes()
	if byRank(q, s) {
		return r.pageByRank(ctx, q)
	}
	asked := request{client: r.client, call: r.pageCall(q, s), scan: rangeFor(q, s), pageSizes: &r.answers}
	for {
		p, err := r.onePage(ctx, asked, q.at.bounds)
		switch {
		case errors.Is(err, wire.ErrTooLarge) && q.most != 1:
			r.narrow()
			q.most = 1
			asked = request{call: r.pageCall(q, s), pageSizes: &r.answers}
		case p != nil || err != nil:
			return p, err
		default:
			asked.scan = nil
		}
	}
}

// narrow makes later pages smaller, because the server has closed the connection instead of sending one.
func (r *Reader) narrow() {
	n := r.pageBytes.Load()
	r.pageBytes.CompareAndSwap(n, max(1, n/4))
}

// onePage returns the page, or nil if the range scan has not worked and a script must be asked.
func (r *Reader) onePage(ctx context.Context, q request, bounds []layout.Bound) (p *Page, err error) {
	a, err := r.answer(ctx, q)
	if err != nil {
		return nil, err
	}
	if a.found != nil {
		p = a.found.page(a.Moment, bounds)
	} else if p, err = readPage(&a.Answer, bounds); err != nil {
		return nil, err
	} else {
		r.own(p.Rows)
	}
	if p != nil {
		r.rows.Learn(p.bytes, len(p.Rows))
	}
	return p, nil
}

func (r *Reader) pageCall(q pageQuery, s sizes) []any {
	entries, first := s.rowsOfScript(q.most)
	var of *engine.View
	if q.of != nil {
		of = &q.of.View
	}
	return scripts.Page(r.client, scripts.PageQuery{
		Of: of, Scope: q.Scope, Index: q.Index, Bounds: q.at.bounds, Reverse: q.Reverse,
		Score: q.at.score, Member: q.at.member, Scored: q.scored,
		Most: entries, Bytes: s.page, First: first,
	})
}

func readPage(a *wire.Answer, bounds []layout.Bound) (*Page, error) {
	reply, err := scripts.ReadPage(a, bounds)
	if err != nil {
		return nil, err
	}
	p := &Page{Moment: a.Moment, Keys: reply.Keys, Rows: reply.Rows, Scores: reply.Scores, Final: len(reply.Rest) == 0}
	if !p.Final {
		p.next = cursor{bounds: reply.Rest, score: reply.Score, member: reply.Member}
	}
	p.measure()
	return p, nil
}

package scan

import (
	"context"

	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// Listing reads the rows of a query from some place on, with their scores, as they are now: each answer is of its own moment. Nothing
// is pinned, so a listing may be left at any time, and taken up again by somebody else. Only one goroutine may use it.
type Listing struct {
	reader *Reader
	query  Query
	at     cursor
}

// Place is where a listing goes on: behind an entry, which need not be there any more.
type Place struct {
	Interval int // which of the query's bounds the entry lies in
	Score    float64
	Key      []byte
}

// Listing returns a listing of the rows of q, which has bounds, at its beginning. It pays no heed to q.Limit.
func (r *Reader) Listing(q Query) *Listing {
	return &Listing{reader: r, query: q, at: cursor{bounds: q.Bounds}}
}

// GoOn moves the listing behind an entry, which must lie in one of the query's intervals.
func (l *Listing) GoOn(behind Place) {
	l.at = cursor{bounds: l.query.Bounds[behind.Interval:], score: layout.ScoreText(behind.Score), member: string(behind.Key)}
}

// Next returns the next rows in one answer: at most so many, and no more than fit a page. It may have none although others come after
// them. It costs the same wherever the listing is.
func (l *Listing) Next(ctx context.Context, most int) (*Page, error) {
	page, err := l.reader.page(ctx, pageQuery{Query: l.query, at: l.at, most: min(most, MostListed), scored: true})
	if err == nil {
		l.at = page.next
	}
	return page, err
}

// Place returns the place behind row i of a page. ok is false if its score lies in none of the query's intervals.
func (l *Listing) Place(page *Page, i int) (p Place, ok bool) {
	score, err := layout.ParseScore(string(page.Scores[i]))
	p = Place{Interval: spanOf(spansOf(l.query.Bounds), score), Score: score, Key: page.Keys[i]}
	return p, err == nil && p.Interval >= 0
}

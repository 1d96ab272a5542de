package mirror

import (
	"context"
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/table"
)

// Page returns the next n records of s behind a token, and the token of the page after that: "" after the last page. It is Page of a
// Table, and a token of one is valid on the other: a page goes on behind the score and the key that the one before ended with. Each page
// of a Mirror is of the moment that it shows then, those of a Snapshot are all of one. A page costs the same wherever it is, and is full
// unless it is the last, also with a predicate.
func (r *reading[R, K]) Page(ctx context.Context, s table.Spec[R], after table.Token, n int) ([]R, table.Token, error) {
	p, err := r.pager(ctx, s, after, n)
	if err != nil {
		return nil, "", r.errorf("page", err)
	}
	next, err := p.list(ctx)
	if err != nil && !errors.As(err, new(*table.CodingError)) {
		return nil, "", r.errorf("page", err)
	}
	return p.records, next, err
}

// pager makes one page.
type pager[R any, K comparable] struct {
	version *version[R, K]
	query   table.Query
	recheck func(*R) bool
	behind  *table.Place
	n       int
	records []R
	last    *cell[R, K] // that was judged
	in      int         // the interval in which it lies
	bad     error       // of it
}

func (r *reading[R, K]) pager(ctx context.Context, s table.Spec[R], after table.Token, n int) (*pager[R, K], error) {
	v, q, err := r.begin(ctx, s)
	switch {
	case err != nil:
		return nil, err
	case n <= 0:
		return nil, fmt.Errorf("%w: a page of %d records", table.ErrInvalidSpec, n)
	case s.Limit > 0:
		return nil, fmt.Errorf("%w: limit %d: the pages of a spec have their own", table.ErrInvalidSpec, s.Limit)
	}
	p := &pager[R, K]{version: v, query: q, recheck: s.Recheck, n: n}
	if after == "" {
		return p, nil
	}
	behind, err := q.Place(after)
	p.behind = &behind
	return p, err
}

// list collects the page's records. It stops at the first that belongs to the next page; if there is none, this page is the last.
func (p *pager[R, K]) list(ctx context.Context) (next table.Token, err error) {
	p.version.walk(&p.query, p.behind, func(in int, e *cell[R, K]) bool {
		switch {
		case ctx.Err() != nil:
			err = ended(ctx)
		case p.bad != nil || len(p.records) == p.n:
			next = p.token()
		default:
			p.take(in, e)
			return true
		}
		return false
	})
	if err == nil {
		err = p.bad
	}
	return next, err
}

func (p *pager[R, K]) take(in int, e *cell[R, K]) {
	holds, bad := p.version.judge(&p.query, p.recheck, e)
	p.last, p.in, p.bad = e, in, bad
	if holds && bad == nil {
		p.records = append(p.records, e.record)
	}
}

// token returns the token that goes on behind what was judged last.
func (p *pager[R, K]) token() table.Token {
	form := p.version.rows.form
	return p.query.Token(table.Place{
		Interval: p.in,
		Score:    form.score(p.last.text, p.query.Index),
		Key:      []byte(form.key(p.last.text)),
	})
}

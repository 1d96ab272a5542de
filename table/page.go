package table

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/scan"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// Page returns the next n records of s behind a token, and the token of the page after that: "" after the last page. An after of ""
// begins with the first record. Nothing is kept for a page between two calls, in Redis or here, and a page of n records costs the
// same wherever it is.
//
// Each page shows the present, not the moment of the page before. It goes on behind the score and the key of the record that the
// page before ended with, whether that record is still there or not: so a record that stays, with the score that it has, comes
// exactly once, whatever else is written, merged or cleared between the pages; a record whose score changes may come again, or not
// at all. A page of up to 1,000 records that have no more bytes than WithPageBytes says is of one moment, and takes one round trip.
// A larger one is read in parts, each of its own moment.
//
// Without a predicate a page is full unless it is the last. With one, Page judges a bounded number of records (about 10,000, fewer
// if they are wide): then the page may be short, or empty, although it has a token. n is the limit, and s must have none: n <= 0, a
// limit, and a token that is damaged or of another table, index, intervals or direction are ErrInvalidSpec. A predicate may change
// from page to page.
//
// A record that cannot be decoded, or whose predicate panics, ends the page with a *CodingError. Page then also returns the records
// before it, and the token that goes on behind it: "" if nothing comes behind it. With any other error it returns nothing else; the
// same token may be tried again. Nothing waits for a page, and a page waits for Redis alone. When ctx ends Page returns, within
// milliseconds, an error that Is ctx.Err().
func (h *handle[R, K]) Page(ctx context.Context, s Spec[R], after Token, n int) ([]R, Token, error) {
	l, err := h.lister(s, after, n)
	if err != nil {
		return nil, "", h.errorf("page", err)
	}
	if len(l.plan.Intervals) == 0 {
		return nil, "", h.errorf("page", h.checkNote(ctx, l.plan.Note))
	}
	next, err := l.list(ctx)
	if err != nil && !errors.As(err, new(*CodingError)) {
		return nil, "", h.errorf("page", err)
	}
	return l.records, next, err
}

// mostAnswers bounds the answers of Redis that a page with a predicate judges.
const mostAnswers = 20

// lister makes one page.
type lister[R any, K comparable] struct {
	filter[R, K]
	rows    *scan.Listing
	n       int
	records []R
	asked   int // how many rows were asked for last
	answers int // that were judged; those without rows do not count
	last    lastRow
	bad     error // of the last row: it ends the page
}

// lastRow is the row of a listing that was judged last.
type lastRow struct {
	rows   *scan.Listing
	query  *Query
	answer *scan.Page
	i      int
}

// token returns the token that goes on behind the row.
func (r lastRow) token() (Token, error) {
	at, ok := r.rows.Place(r.answer, r.i)
	if !ok {
		return "", fmt.Errorf("%w: a score outside of its interval", ErrLost)
	}
	return r.query.Token(Place(at)), nil
}

func (h *handle[R, K]) lister(s Spec[R], after Token, n int) (*lister[R, K], error) {
	p, err := h.planOf(s, scripts.Merged)
	switch {
	case err != nil:
		return nil, err
	case n <= 0:
		return nil, fmt.Errorf("%w: a page of %d records", ErrInvalidSpec, n)
	case s.Limit > 0:
		return nil, fmt.Errorf("%w: limit %d: the pages of a spec have their own", ErrInvalidSpec, s.Limit)
	}
	l := &lister[R, K]{filter: filter[R, K]{decoder: h.decoder(), plan: p}, rows: h.reader.Listing(p.query), n: n}
	l.last = lastRow{rows: l.rows, query: &l.plan.Query}
	if after == "" {
		return l, nil
	}
	behind, err := l.plan.Place(after)
	if err == nil {
		l.rows.GoOn(scan.Place(behind))
	}
	return l, err
}

// list collects the page's records. It stops at the first row that belongs to the next page; if there is none, this page is the last.
func (l *lister[R, K]) list(ctx context.Context) (Token, error) {
	for {
		answer, err := l.rows.Next(ctx, l.wanted())
		if err == nil {
			err = l.plan.Note.check(&answer.Moment)
		}
		if err != nil {
			return "", err
		}
		if next, err := l.take(ctx, answer); next != "" || err != nil || answer.Final {
			return next, cmp.Or(err, l.bad)
		}
		if len(answer.Rows) > 0 { // else rows that a merge hides were passed over
			l.answers++
		}
	}
}

// isFull tells whether the page takes no more rows.
func (l *lister[R, K]) isFull() bool {
	return l.bad != nil || len(l.records) == l.n || l.plan.recheck != nil && l.answers == mostAnswers
}

// wanted returns how many rows to ask for: those that the page lacks, and one more, which shows whether the page is the last. If a
// predicate has let too few pass it is more.
func (l *lister[R, K]) wanted() int {
	if l.isFull() {
		return 1
	}
	l.asked = min(max(l.n-len(l.records), 4*l.asked), scan.MostListed-1)
	return l.asked + 1
}

// take judges the rows of an answer. At the first row that belongs to the next page it returns that page's token.
func (l *lister[R, K]) take(ctx context.Context, answer *scan.Page) (next Token, err error) {
	for i := range answer.Rows {
		if ctx.Err() != nil { // checked for each row, because a slow predicate may let none pass
			return "", engine.Ended(ctx)
		}
		if l.isFull() {
			return l.last.token()
		}
		l.last.answer, l.last.i = answer, i
		holds := false
		if l.bad, holds = l.judge(answer, i); holds && l.bad == nil {
			l.records = append(l.records, l.record)
		}
	}
	return "", nil
}

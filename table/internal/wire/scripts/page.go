package scripts

import (
	"strconv"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

var page = define(wire.MayRead, readingPage, "page")

// Scope says which rows a read is of.
type Scope string

// The scopes.
const (
	Merged Scope = "merged" // what readers see
	Staged Scope = "staged" // what they would see after a merge now
)

// arg returns the scope as an argument. (A constant in an interface takes no memory.)
func (s Scope) arg() any {
	if s == Merged {
		return "merged"
	}
	return "staged"
}

// PageQuery says which page is wanted.
type PageQuery struct {
	Of            *engine.View // the snapshot that the page must be of; nil: the present
	Scope         Scope
	Index         int
	Bounds        []layout.Bound // in reading order
	Reverse       bool
	Score, Member string // go on behind this entry, in the first bound; empty: at the beginning of that
	Scored        bool   // bring the scores too
	Most          int    // the most entries that the page may have
	Bytes         int    // about how many bytes of rows it may have
	First         int    // how many rows to fetch at first; after that their bytes decide
}

// read begins the call of a read with the layout that its rows must have.
func read(c *wire.Client, s *wire.Script, n int) []any { return append(c.Call(s, 1+n), &c.Layout) }

// Page returns the call that answers q.
func Page(c *wire.Client, q PageQuery) []any {
	args := read(c, page, 11+2*len(q.Bounds))
	generation, version := "", ""
	if q.Of != nil {
		generation = strconv.FormatUint(uint64(q.Of.Generation), 10)
		version = strconv.FormatUint(q.Of.Version, 10)
	}
	direction, scores := "up", ""
	if q.Reverse {
		direction = "down"
	}
	if q.Scored {
		scores = "scores"
	}
	args = append(args, generation, version, q.Scope.arg(), q.Index+1, q.Most, q.Bytes, q.First,
		direction, q.Score, q.Member, scores)
	for i := range q.Bounds {
		args = append(args, &q.Bounds[i].Min, &q.Bounds[i].Max)
	}
	return args
}

// PageReply is one page.
type PageReply struct {
	Keys, Rows, Scores [][]byte
	Rest               []layout.Bound // where the read goes on, behind Score and Member; empty: this is the last page
	Score, Member      string
}

// ReadPage reads the page. bounds are those of the query.
func ReadPage(a *wire.Answer, bounds []layout.Bound) (p PageReply, err error) {
	r := &a.Rest
	stop := r.Integer()
	p.Score, p.Member = string(r.Text()), string(r.Text())
	p.Keys, p.Rows, p.Scores = r.Texts(), r.Texts(), r.Texts()
	if stop < 0 || stop > len(bounds) || len(p.Keys) < len(p.Rows) || (len(p.Scores) > 0 && len(p.Scores) < len(p.Rows)) {
		r.Fail()
	}
	if r.Err() != nil {
		return PageReply{}, r.Err()
	}
	if stop > 0 {
		p.Rest = bounds[stop-1:]
	}
	p.Keys = p.Keys[:len(p.Rows)] // keys whose rows did not fit the page come with the next one
	p.Scores = p.Scores[:min(len(p.Scores), len(p.Rows))]
	return p, nil
}

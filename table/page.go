package table

import (
	"context"
	"fmt"
	"strconv"

	"github.com/tablecache-go/tablecache/engine"
)

// cursor is where a read goes on: in the first of bounds, after (score, member) if score is set.
type cursor struct {
	bounds        []bound
	score, member string
	walk          *walk // instead, where a pinned snapshot is read by ranks
}

// view names which rows a read is of.
type view string

const (
	mergedView view = "merged" // what readers see
	stagedView view = "staged" // what they would see after a merge now
)

// pageAsk is a question for one page.
type pageAsk struct {
	at      cursor
	index   int
	reverse bool
	most    int // entries; 0 lets the page's bytes decide
	view    view
	scored  bool      // bring the scores too
	of      *snapshot // the snapshot to go on with; nil begins one
}

// snapshot is the moment that a read is of.
type snapshot struct {
	epoch string
	view  engine.View
}

// page is one atomic answer.
type page struct {
	snapshot
	keys, rows, scores [][]byte
	bytes              int
	next               cursor
	last               bool // nothing comes after it
}

// measure adds up the bytes; false: a row is missing.
func (p *page) measure() bool {
	p.bytes = 0
	for i := range p.rows {
		if p.rows[i] == nil {
			return false
		}
		p.bytes += len(p.keys[i]) + len(p.rows[i])
	}
	return true
}

// fill gives p the rows of its keys; false: one is missing.
func (p *page) fill(rows [][]byte) bool {
	p.rows = rows
	return len(p.rows) == len(p.keys) && p.measure()
}

// mostEntries bounds a page so that its script stays short.
const mostEntries = 1000

func (t *Table[R, K]) page(ctx context.Context, q pageAsk) (*page, error) {
	asked := question{call: t.pageCall(q), short: t.short(q), page: &t.answerBytes}
	for {
		p, err := t.onePage(ctx, asked, q.at.bounds)
		if p != nil || err != nil {
			return p, err
		}
		asked.short = nil
	}
}

// onePage returns the page, or nil if only a script can tell.
func (t *Table[R, K]) onePage(ctx context.Context, q question, bounds []bound) (p *page, err error) {
	acked := t.actor.Acked()
	a, err := t.reader.put(ctx, q)
	if err != nil {
		return nil, err
	}
	if err := t.check(a.answer, acked); err != nil {
		return nil, err
	}
	if a.found != nil {
		p = a.found.page(snapshot{epoch: a.epoch, view: a.view}, bounds)
	} else if p, err = parsePage(&a.answer, bounds); err != nil {
		return nil, err
	} else {
		t.own(p.rows)
	}
	if p != nil {
		t.rowBytes.learn(p.bytes, len(p.rows))
	}
	return p, nil
}

// short returns the question as one for a short range or a page of a sweep, or nil if it is neither.
func (t *Table[R, K]) short(q pageAsk) *short {
	s := &short{index: q.index, bounds: q.at.bounds, reverse: q.reverse, most: mostShort}
	switch {
	case q.of != nil || q.view != mergedView:
		return nil
	case q.scored && len(q.at.bounds) == 1:
		s.most, s.more, s.after = max(1, t.stride()), sweeping, q.at
	case q.scored || q.at.score != "" || len(q.at.bounds) > mostBounds || q.most > mostShort:
		return nil
	case q.most > 0:
		s.most, s.more = q.most, unwanted
	}
	return s
}

// check tells whether the answer is one that this owner may believe.
func (t *Table[R, K]) check(a answer, acked uint64) error {
	if err := a.err(t.epoch); err != nil {
		return err
	}
	if a.epoch == t.epoch && a.view.Seq < acked {
		return fmt.Errorf("%w: it went back before an acknowledged write", ErrLost)
	}
	if epochCount(a.epoch) < epochCount(t.epoch) {
		return ownership(t.epoch, a.epoch)
	}
	return nil
}

func (t *Table[R, K]) pageCall(q pageAsk) []any {
	args := t.wire.command(&t.wire.scripts.page, 12+2*len(q.at.bounds))
	epoch, gen, version := "", "", ""
	if q.of != nil {
		epoch, gen = q.of.epoch, strconv.FormatUint(uint64(q.of.view.Generation), 10)
		version = strconv.FormatUint(q.of.view.Version, 10)
	}
	direction, scores := "up", ""
	if q.reverse {
		direction = "down"
	}
	if q.scored {
		scores = "scores"
	}
	guess := min(max(t.opts.pageBytes/t.rowBytes.guess(), 1), mostEntries)
	most := guess
	if q.most > 0 {
		most = min(q.most, mostEntries)
	}
	args = append(args, epoch, gen, version, string(q.view), q.index+1, most, t.opts.pageBytes, min(guess, most),
		direction, q.at.score, q.at.member, scores)
	for i := range q.at.bounds {
		args = append(args, &q.at.bounds[i].min, &q.at.bounds[i].max)
	}
	return args
}

func parsePage(a *answer, bounds []bound) (*page, error) {
	r := &a.rest
	stop, score, member := r.integer(), string(r.text()), string(r.text())
	p := &page{snapshot: snapshot{epoch: a.epoch, view: a.view}, last: stop == 0}
	p.keys, p.rows, p.scores = r.texts(), r.texts(), r.texts()
	if stop < 0 || stop > len(bounds) || len(p.keys) < len(p.rows) || (len(p.scores) > 0 && len(p.scores) < len(p.rows)) {
		r.fail()
	}
	if r.err != nil {
		return nil, r.err
	}
	if !p.last {
		p.next = cursor{bounds: bounds[stop-1:], score: score, member: member}
	}
	p.keys = p.keys[:len(p.rows)] // keys whose rows were too many for the page come again
	p.scores = p.scores[:min(len(p.scores), len(p.rows))]
	p.measure()
	return p, nil
}

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
	keys, rows, scores []string
	bytes              int
	next               cursor
	last               bool // nothing comes after it
}

// mostEntries bounds a page so that its script stays short.
const mostEntries = 1000

func (t *Table[R, K]) page(ctx context.Context, q pageAsk) (*page, error) {
	acked := t.actor.Acked()
	a, err := t.reader.ask(ctx, t.pageArgs(q))
	if err != nil {
		return nil, err
	}
	if err := t.check(a, acked); err != nil {
		return nil, err
	}
	p, err := parsePage(a, q.at.bounds)
	if err == nil {
		t.rowBytes.learn(p.bytes, len(p.rows))
	}
	return p, err
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

func (t *Table[R, K]) pageArgs(q pageAsk) []any {
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

func parsePage(a answer, bounds []bound) (*page, error) {
	bad := fmt.Errorf("%w: not a page", ErrLost)
	if len(a.rest) != 6 {
		return nil, bad
	}
	stop, ok := a.rest[0].(int64)
	if !ok || stop < 0 || int(stop) > len(bounds) {
		return nil, bad
	}
	p := &page{snapshot: snapshot{epoch: a.epoch, view: a.view}, last: stop == 0}
	if !p.last {
		p.next.bounds = bounds[stop-1:]
		p.next.score, _ = a.rest[1].(string)
		p.next.member, _ = a.rest[2].(string)
	}
	p.rows, p.keys, p.scores = flatten(a.rest[4]), flatten(a.rest[3]), flatten(a.rest[5])
	if len(p.keys) < len(p.rows) || (len(p.scores) > 0 && len(p.scores) != len(p.rows)) {
		return nil, bad
	}
	p.keys = p.keys[:len(p.rows)] // keys whose rows were too many for the page come again
	for _, row := range p.rows {
		p.bytes += len(row)
	}
	return p, nil
}

// flatten joins lists of strings.
func flatten(v any) []string {
	lists, _ := v.([]any)
	n := 0
	for _, l := range lists {
		list, _ := l.([]any)
		n += len(list)
	}
	out := make([]string, 0, n)
	for _, l := range lists {
		list, _ := l.([]any)
		for _, s := range list {
			text, _ := s.(string)
			out = append(out, text)
		}
	}
	return out
}

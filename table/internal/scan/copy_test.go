package scan

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/feed"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

const (
	ours   layout.Epoch = "1:0000000000000000"
	theirs layout.Epoch = "2:0000000000000000"
	schema              = "schema"
)

// scored is a row of a test: its bytes are its name.
type scored struct {
	key, row string
	score    float64
}

// line makes entries that follow each other.
type line struct{ at layout.Position }

func (l *line) entry(kind layout.Kind) *feed.Entry {
	e := &feed.Entry{Previous: l.at, Kind: kind}
	l.at.Seq++
	e.At = l.at
	return e
}

func (l *line) rows(kind layout.Kind, rows ...scored) *feed.Entry {
	e := l.entry(kind)
	e.Body = []byte{}
	for _, r := range rows {
		e.Body = layout.AppendScore64(layout.AppendRow(e.Body, []byte(r.key), []byte(r.row)), r.score)
	}
	return e
}

func (l *line) keys(kind layout.Kind, verdicts string, keys ...string) *feed.Entry {
	e := l.entry(kind)
	e.Body, e.Verdicts = []byte{}, verdicts
	for _, key := range keys {
		e.Body = layout.AppendKey(e.Body, []byte(key))
	}
	return e
}

func (l *line) owner(kind layout.Kind, schema string) *feed.Entry {
	e := &feed.Entry{Previous: l.at, Kind: kind, Schema: schema}
	l.at = layout.Position{Epoch: theirs}
	e.At = l.at
	return e
}

// pageBehind returns a page that ends behind its last row, unless final.
func pageBehind(bounds []layout.Bound, final bool, rows ...scored) *Page {
	p := &Page{Moment: wire.Moment{Epoch: ours}, Final: final, next: cursor{bounds: bounds}}
	for _, r := range rows {
		text := layout.ScoreText(r.score)
		p.Keys, p.Rows, p.Scores = append(p.Keys, []byte(r.key)), append(p.Rows, []byte(r.row)), append(p.Scores, []byte(text))
		p.next.score, p.next.member = text, r.key
	}
	p.measure()
	return p
}

var upTo100 = []layout.Bound{layout.BoundOf(0, 100)}

// copyOf returns a copy of the rows a to e at 10 to 50, of which d and e were not read yet.
func copyOf(t *testing.T) *copied {
	t.Helper()
	return newCopied(Query{Bounds: upTo100}, 1, layout.Proof(schema),
		pageBehind(upTo100, false, scored{"a", "a1", 10}, scored{"b", "b1", 20}, scored{"c", "c1", 30}))
}

// want compares the copy's rows.
func want(t *testing.T, c *copied, rows string) {
	t.Helper()
	var got []string
	count, bytes := c.count(), c.bytes
	err := c.arrange(func(p *Page) error {
		for _, row := range p.Rows {
			got = append(got, string(row))
		}
		return nil
	}, func(n int64) { bytes -= n })
	if err != nil || strings.Join(got, " ") != rows {
		t.Errorf("got %q, %v, want %q", strings.Join(got, " "), err, rows)
	}
	if count != len(got) {
		t.Errorf("count %d of %d rows", count, len(got))
	}
	if bytes < 0 || len(c.changes)+len(c.staged) == 0 && bytes != 0 {
		t.Errorf("%d bytes are left", bytes)
	}
}

func apply(t *testing.T, c *copied, entries ...*feed.Entry) {
	t.Helper()
	for _, e := range entries {
		if err := c.apply(e); err != nil {
			t.Fatal(err)
		}
		if c.at != e.At {
			t.Fatalf("at %v, want %v", c.at, e.At)
		}
	}
}

func TestF4_EachKindOfEntryIsApplied(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		entries func(l *line) []*feed.Entry
		want    string
	}{
		"put": {func(l *line) []*feed.Entry {
			return []*feed.Entry{l.rows(layout.KindPut, scored{"b", "b2", 15}, scored{"x", "x1", 5}, scored{"y", "y1", 30}, scored{"bb", "bb1", 30})}
		}, "x1 a1 b2 bb1 c1"},
		"put moves a row out of what was read": {func(l *line) []*feed.Entry {
			return []*feed.Entry{l.rows(layout.KindPut, scored{"a", "a2", 60}, scored{"b", "b2", 100})}
		}, "c1"},
		"put twice": {func(l *line) []*feed.Entry {
			return []*feed.Entry{l.rows(layout.KindPut, scored{"a", "a2", 60}), l.rows(layout.KindPut, scored{"a", "a3", 25})}
		}, "b1 a3 c1"},
		"delete": {func(l *line) []*feed.Entry {
			return []*feed.Entry{l.keys(layout.KindDelete, "102", "a", "b", "c")}
		}, "c1"},
		"apply": {func(l *line) []*feed.Entry {
			e := l.rows(layout.KindApply, scored{"b", "b2", 15}, scored{"x", "x1", 5})
			e.Gone = layout.AppendKey(layout.AppendKey(nil, []byte("a")), []byte("z"))
			return []*feed.Entry{e}
		}, "x1 b2 c1"},
		"apply of nothing": {func(l *line) []*feed.Entry {
			e := l.entry(layout.KindApply)
			e.Body = []byte{}
			return []*feed.Entry{e}
		}, "a1 b1 c1"},
		"stage": {func(l *line) []*feed.Entry {
			return []*feed.Entry{l.rows(layout.KindStage, scored{"a", "a2", 10})}
		}, "a1 b1 c1"},
		"merge": {func(l *line) []*feed.Entry {
			return []*feed.Entry{l.rows(layout.KindStage, scored{"a", "a2", 25}, scored{"x", "x1", 1}), l.keys(layout.KindDiscard, "11", "x", "c"),
				l.rows(layout.KindStage, scored{"y", "y1", 2}), l.entry(layout.KindMerge)}
		}, "y1 b1 a2"},
		"abort": {func(l *line) []*feed.Entry {
			return []*feed.Entry{l.rows(layout.KindStage, scored{"a", "a2", 25}), l.entry(layout.KindAbort), l.entry(layout.KindMerge)}
		}, "a1 b1 c1"},
		"burn": {func(l *line) []*feed.Entry { return []*feed.Entry{l.entry(layout.KindBurn)} }, "a1 b1 c1"},
		"clear": {func(l *line) []*feed.Entry {
			return []*feed.Entry{l.rows(layout.KindPut, scored{"x", "x1", 1}), l.entry(layout.KindClear), l.rows(layout.KindPut, scored{"b", "b2", 2})}
		}, "b2"},
		"claim": {func(l *line) []*feed.Entry {
			return []*feed.Entry{l.rows(layout.KindStage, scored{"a", "a2", 25}), l.owner(layout.KindClaim, schema),
				l.rows(layout.KindStage, scored{"b", "b2", 1}), l.entry(layout.KindMerge)}
		}, "b2 a1 c1"},
		"reset": {func(l *line) []*feed.Entry {
			return []*feed.Entry{l.owner(layout.KindReset, schema), l.rows(layout.KindPut, scored{"x", "x1", 1})}
		}, "x1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			copied, l := copyOf(t), &line{layout.Position{Epoch: ours}}
			apply(t, copied, c.entries(l)...)
			want(t, copied, c.want)
		})
	}
}

func TestF4_WhatIsNotToldIsCopiedAnew(t *testing.T) {
	t.Parallel()
	for name, entries := range map[string]func(l *line) []*feed.Entry{
		"put":    func(l *line) []*feed.Entry { return []*feed.Entry{l.entry(layout.KindPut)} },
		"delete": func(l *line) []*feed.Entry { return []*feed.Entry{l.entry(layout.KindDelete)} },
		"apply":  func(l *line) []*feed.Entry { return []*feed.Entry{l.entry(layout.KindApply)} },
		"repair": func(l *line) []*feed.Entry { return []*feed.Entry{l.entry(layout.KindRepair)} },
		"merge of what is not told": func(l *line) []*feed.Entry {
			return []*feed.Entry{l.entry(layout.KindStage), l.rows(layout.KindStage, scored{"a", "a2", 1}), l.entry(layout.KindMerge)}
		},
		"claim of another schema": func(l *line) []*feed.Entry { return []*feed.Entry{l.owner(layout.KindClaim, "other")} },
		"reset of another schema": func(l *line) []*feed.Entry { return []*feed.Entry{l.owner(layout.KindReset, "other")} },
		"a later version's":       func(l *line) []*feed.Entry { return []*feed.Entry{l.rows("later")} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, told := copyOf(t), entries(&line{layout.Position{Epoch: ours}})
			apply(t, c, told[:len(told)-1]...)
			if err := c.apply(told[len(told)-1]); !errors.Is(err, errCopyAnew) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestF4_ADamagedBodyIsNoEntry(t *testing.T) {
	t.Parallel()
	for _, kind := range []layout.Kind{layout.KindPut, layout.KindDelete, layout.KindStage, layout.KindDiscard, layout.KindApply} {
		l := &line{layout.Position{Epoch: ours}}
		e := l.rows(kind, scored{"a", "a2", 1})
		e.Body = e.Body[:len(e.Body)-1]
		if err := copyOf(t).apply(e); !mayBeginAgain(err) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// What a session has staged before the copy began is not known. It matters only if that session merges.
func TestF7_ASessionThatWasOnAtTheStartIsNotKnownWhole(t *testing.T) {
	t.Parallel()
	first := func() *Page {
		p := pageBehind(upTo100, true, scored{"a", "a1", 10})
		p.View.State = engine.StateActive
		return p
	}
	begin := func() (*copied, *line) {
		return newCopied(Query{Bounds: upTo100}, 1, layout.Proof(schema), first()), &line{layout.Position{Epoch: ours}}
	}
	c, l := begin()
	apply(t, c, l.rows(layout.KindStage, scored{"a", "a2", 10}))
	if err := c.apply(l.entry(layout.KindMerge)); !errors.Is(err, errCopyAnew) {
		t.Errorf("got %v", err)
	}
	c, l = begin()
	apply(t, c, l.entry(layout.KindAbort), l.rows(layout.KindStage, scored{"b", "b2", 1}), l.entry(layout.KindMerge))
	want(t, c, "b2 a1")
}

// A row that was put where nothing was read yet comes with a later page; one that moves back and forth is there once.
func TestF7_RowsMoveBetweenWhatWasReadAndWhatWasNot(t *testing.T) {
	t.Parallel()
	c, l := copyOf(t), &line{layout.Position{Epoch: ours}}
	apply(t, c, l.rows(layout.KindPut, scored{"a", "a2", 45}, scored{"d", "d2", 5}))
	c.add(pageBehind(upTo100, false, scored{"a", "a2", 45}, scored{"b", "b3", 46}))
	apply(t, c, l.rows(layout.KindPut, scored{"b", "b3", 46}, scored{"e", "e2", 99}))
	c.add(pageBehind(upTo100, true, scored{"e", "e2", 99}))
	apply(t, c, l.rows(layout.KindPut, scored{"c", "c4", 98}))
	want(t, c, "d2 a2 b3 c4 e2")
}

func TestF7_OrderIsThatOfTheQuery(t *testing.T) {
	t.Parallel()
	bounds := []layout.Bound{layout.BoundOf(50, 100), layout.BoundOf(0, 20)}
	for reverse, rows := range map[bool]string{false: "m k0 k1 z a n", true: "z k1 k0 m n a"} {
		q, read := Query{Bounds: bounds, Reverse: reverse}, []scored{{"k0", "k0", 70}, {"a", "a", 1}}
		c := newCopied(q, 1, layout.Proof(schema), pageBehind(nil, true, read...))
		l := &line{layout.Position{Epoch: ours}}
		apply(t, c, l.rows(layout.KindPut, scored{"n", "n", 2}, scored{"z", "z", 80}, scored{"k1", "k1", 70}, scored{"m", "m", 50}, scored{"o", "o", 30}))
		want(t, c, rows)
	}
}

// What is covered ends in the middle of a span.
func TestF7_WhatLiesBehindThePagesIsIgnored(t *testing.T) {
	t.Parallel()
	bounds := []layout.Bound{layout.BoundOf(0, 100), layout.BoundOf(200, 300), layout.BoundOf(400, 500)}
	for reverse, inside := range map[bool]string{false: "[true true true true false false false false false]",
		true: "[true true false false true true true false false]"} {
		c := newCopied(Query{Bounds: bounds, Reverse: reverse}, 1, "", pageBehind(bounds[1:], false, scored{"k", "", 250}))
		var got []bool
		for _, at := range []place{{50, "z"}, {250, "k"}, {249, "z"}, {250, "j"}, {250, "l"}, {251, "a"}, {299, ""}, {400, ""}, {150, ""}} {
			got = append(got, c.covers(at))
		}
		if fmt.Sprint(got) != inside {
			t.Errorf("reverse %v: %v, want %v", reverse, got, inside)
		}
	}
	fresh := newCopied(Query{Bounds: bounds}, 1, "", pageBehind(bounds[1:], false))
	if !fresh.covers(place{50, ""}) || fresh.covers(place{200, ""}) {
		t.Error("a span that was not begun is covered, or one that was read is not")
	}
}

func TestF7_EntriesOfTheFeedAreAskedForByTheirSize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ n, bytes, page, want int }{
		{16, 16 << 10, 256 << 10, 64}, {16, 16 << 20, 256 << 10, 1}, {1, 1, 256 << 10, 4}, {4000, 4000, 256 << 10, mostFeedEntries}, {3, 0, 0, 1},
	} {
		if got := nextEntries(c.n, c.bytes, c.page); got != c.want {
			t.Errorf("after %d with %d bytes: %d, want %d", c.n, c.bytes, got, c.want)
		}
	}
}

func TestR3_WhatIsTakenOfTheMemoryComesAfterWhoWaits(t *testing.T) {
	t.Parallel()
	b := newBudget(10)
	if !b.take(6) || b.take(5) || !b.take(4) {
		t.Fatal("more than there is, or less")
	}
	waits := b.request(8)
	b.put(6)
	if b.take(1) {
		t.Error("taken before who waits")
	}
	b.put(4)
	if !waits.given() || b.take(3) || !b.take(2) {
		t.Error("not given, or too much is free")
	}
}

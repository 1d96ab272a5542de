package feed

import (
	"strconv"
	"testing"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

const epoch = layout.Epoch("7:0123456789abcdef")

func effectOf(k engine.Kind, seq uint64, size int) *engine.Effect {
	e := &engine.Effect{Kind: k, Prev: seq - 1, Seq: seq}
	switch k {
	case engine.Put, engine.Stage:
		e.Rows = []engine.Row{{Key: engine.Bytes("k"), Value: make(engine.Bytes, size), Scores: []engine.Bytes{engine.Bytes("1.5"), engine.Bytes("-inf")}}}
	case engine.Delete, engine.Discard:
		e.Marks = []engine.Mark{{Key: make(engine.Bytes, size)}}
	}
	return e
}

// A body is built in memory that is large enough from the start (F6).
func TestF6_ABodyIsOneAllocation(t *testing.T) {
	rows := effectOf(engine.Put, 1, 100).Rows
	marks := effectOf(engine.Delete, 1, 10).Marks
	for i := range 999 {
		rows = append(rows, rows[0])
		marks = append(marks, engine.Mark{Key: engine.Bytes(strconv.Itoa(i))})
	}
	for what, build := range map[string]func() []byte{
		"rows": func() []byte { return bodyOfRows(rows, MostBody) },
		"keys": func() []byte { return bodyOfKeys(marks, MostBody) },
	} {
		if n := testing.AllocsPerRun(20, func() { build() }); n != 1 {
			t.Errorf("%s: %v allocations, want 1", what, n)
		}
	}
}

// An apply is told whole or not at all, with its note.
func TestF3_AnApplyIsToldWhole(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		rows, keys, note int
		told             bool
	}{
		"a note":        {0, 0, 64 << 10, true},
		"all":           {1000, 1000, 1000, true},
		"large rows":    {MostBody, 10, 10, false},
		"large keys":    {10, MostBody, 0, false},
		"large, noted":  {MostBody - 100_000, 50_000, 64 << 10, false},
		"large, silent": {MostBody - 100_000, 50_000, 0, true},
	} {
		e := &engine.Effect{Kind: engine.Apply, Seq: 1, Note: make([]byte, c.note)}
		if c.rows > 0 {
			e.Rows = effectOf(engine.Put, 1, c.rows).Rows
		}
		if c.keys > 0 {
			e.Marks = effectOf(engine.Delete, 1, c.keys).Marks
		}
		a := NewLog(epoch, 16<<20).Add(e)
		if told := a.Body != nil; told != c.told || !told && (a.Keys != nil || a.size() != entryOverhead) {
			t.Errorf("%s: told %v, %d bytes", what, told, a.size())
		}
		if told := a.Body != nil; told && a.size() < int64(c.rows+c.keys+c.note) {
			t.Errorf("%s: %d bytes", what, a.size())
		}
	}
}

// What is told stays below the limit, and the id from which on entries stay is that of one that is there.
func TestF5_TheLogStaysBelowItsLimit(t *testing.T) {
	t.Parallel()
	l := NewLog(epoch, 10_000)
	first := uint64(1)
	for seq := uint64(1); seq < 500; seq++ {
		e := effectOf(engine.Put, seq, int(seq*31%4000))
		a := l.Add(e)
		if again := l.Add(e); again.Trim != a.Trim || again.drops != a.drops {
			t.Fatal("Add has changed something")
		}
		l.Added(e, a)
		if first += uint64(a.drops); a.drops > 0 && a.Trim != layout.EntryID(epoch, first) {
			t.Errorf("trimmed to %s, want %d", a.Trim, first)
		}
		if l.bytes > 10_000 || len(l.told) != int(seq-first)+1 {
			t.Errorf("%d bytes in %d entries", l.bytes, len(l.told))
		}
	}
}

// A feed that is full does not drop something with every small effect: each time the server would look for an entry to cut at.
func TestF6_AFullFeedIsSeldomTrimmed(t *testing.T) {
	t.Parallel()
	l, trimmed := NewLog(epoch, 1<<20), 0
	for seq := uint64(1); seq <= 20_000; seq++ {
		e := effectOf(engine.Put, seq, 100)
		a := l.Add(e)
		if l.Added(e, a); a.Trim != "" {
			trimmed++
		}
	}
	if trimmed == 0 || trimmed > 1000 || l.bytes < 1<<19 {
		t.Errorf("trimmed %d times, and %d bytes are left", trimmed, l.bytes)
	}
}

// A ping settles an effect that was noted long ago: it appends nothing.
func TestF5_WhatIsSettledAgainIsNotCountedAgain(t *testing.T) {
	t.Parallel()
	l := NewLog(epoch, 10_000)
	e := effectOf(engine.Stage, 1, 100)
	l.Added(e, l.Add(e))
	bytes, session := l.bytes, l.session
	for range 100 {
		ping := &engine.Effect{Kind: engine.Stage, Prev: 1, Seq: 1}
		l.Added(ping, l.Add(ping))
	}
	if l.bytes != bytes || l.session != session || len(l.told) != 1 {
		t.Errorf("%d bytes, %d of the session, after pings; want %d and %d", l.bytes, l.session, bytes, session)
	}
}

// Bodies are left out that are too large, or too large for this feed, and those of a session once it has staged half the feed (F3).
func TestF3_WhatIsTooLargeIsNotTold(t *testing.T) {
	t.Parallel()
	if NewLog(epoch, 64<<20).Add(effectOf(engine.Put, 1, MostBody)).Body != nil {
		t.Error("a body of more than 1 MiB")
	}
	if NewLog(epoch, 10_000).Add(effectOf(engine.Delete, 1, 10_000)).Body != nil {
		t.Error("a body of more than the feed")
	}
	l, told := NewLog(epoch, 10_000), 0
	seq := uint64(1)
	for ; seq <= 10; seq++ {
		e := effectOf(engine.Stage, seq, 800)
		a := l.Add(e)
		l.Added(e, a)
		if a.Body != nil {
			told++
		}
	}
	if told < 5 || told > 7 {
		t.Errorf("%d of 10 bodies were told, want about half the feed", told)
	}
	if l.Add(effectOf(engine.Put, seq, 10)).Body == nil {
		t.Error("a put is not told")
	}
	for _, k := range []engine.Kind{engine.Merge, engine.Abort, engine.Clear} {
		ended := *l
		e := effectOf(k, seq, 0)
		ended.Added(e, ended.Add(e))
		if ended.Add(effectOf(engine.Discard, seq+1, 10)).Body == nil {
			t.Errorf("after %s the next session is not told", k)
		}
	}
}

// With a limit of 0 nothing is told and nothing is kept.
func TestF6_NoFeedCostsNothing(t *testing.T) {
	l, e := NewLog(epoch, 0), effectOf(engine.Put, 1, 100)
	if n := testing.AllocsPerRun(20, func() { l.Added(e, l.Add(e)) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if a := l.Add(e); a.Trim != layout.NoFeed || a.Body != nil || len(l.told) > 0 {
		t.Errorf("told %+v", a)
	}
}

// A step of a discard by place looks at as many records of what is staged as of what is merged, and is told though it finds all of them,
// each under a UUID as text.
func TestF3_AStepOfADiscardHasRoomForAllItFinds(t *testing.T) {
	const most, uuid = 1000, 36
	for kind, keys := range map[engine.Kind]int{engine.Delete: most, engine.Discard: 2 * most} {
		e := &engine.Effect{Kind: kind, Prev: 1, Seq: 2, Sweep: &engine.Sweep{Most: most}}
		want := keys * layout.KeySize(make([]byte, uuid))
		if got := NewLog(epoch, 64<<20).Add(e).Room; got < want {
			t.Errorf("%v: room for %d bytes, want %d", kind, got, want)
		}
	}
}

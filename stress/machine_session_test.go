package stress

import (
	"context"
	"errors"
	"math"

	"pgregory.net/rapid"

	"github.com/tablecache-go/tablecache/internal/model"
	"github.com/tablecache-go/tablecache/table"
)

// sessionPlan is what is drawn for a session before anything is done.
type sessionPlan struct {
	writes []func(*rapid.T, *table.Scratch[Item, string])
	others bool // try others' scratch calls, which must wait
	staged []Item
	how    string
	note   []byte
	late   bool // call it again after its end, while a plain session is on
}

func (m *machine) drawSession(t *rapid.T) (p sessionPlan) {
	for range rapid.IntRange(0, 3).Draw(t, "writes") {
		p.writes = append(p.writes, m.drawWrite(t))
	}
	p.others, p.late = rapid.Bool().Draw(t, "others"), rapid.Bool().Draw(t, "late")
	p.staged = m.drawItems(t)
	p.how = rapid.SampledFrom([]string{"merge", "merge", "merge", "abort", "abort of an operator", "clear", "leave"}).Draw(t, "end")
	if rapid.Bool().Draw(t, "note") {
		p.note = []byte(rapid.SampledFrom([]string{"", "a", "\x00b"}).Draw(t, "text"))
	}
	return p
}

// drawWrite draws a write in a session.
func (m *machine) drawWrite(t *rapid.T) func(*rapid.T, *table.Scratch[Item, string]) {
	spec, keys, items := drawSpec(t), drawKeys(t), m.drawItems(t)
	write := rapid.IntRange(0, 3).Draw(t, "write")
	return func(t *rapid.T, s *table.Scratch[Item, string]) {
		switch write {
		case 0:
			n, err := s.Discard(m.ctx, spec)
			ok(t, err)
			if want := len(m.model.Discard(specOf(spec))); n != want {
				t.Fatalf("discarded %d, want %d", n, want)
			}
		case 1:
			n, err := s.DiscardKeys(m.ctx, keys...)
			ok(t, err)
			if want := m.model.DiscardKeys(keys...); n != want {
				t.Fatalf("discarded %d keys, want %d", n, want)
			}
		default:
			ok(t, s.Put(m.ctx, items...))
			m.model.Stage(items...)
		}
	}
}

// Session begins a session, stages something in it, and ends it in one of all ways. Its late calls then do nothing.
func (m *machine) Session(t *rapid.T) {
	p := m.drawSession(t)
	if m.state() != table.StateClear {
		m.waits(t, "scratch", func(ctx context.Context) error { _, err := m.tbl.Scratch(ctx); return err })
		return
	}
	life, leave := context.WithCancel(m.ctx)
	defer leave()
	s, err := m.tbl.Scratch(life)
	ok(t, err)
	for _, write := range p.writes {
		write(t, s)
		n, err := s.Count(m.ctx)
		ok(t, err)
		if want := m.model.StagedCount(); n != want {
			t.Fatalf("a merge would show %d, want %d", n, want)
		}
	}
	if p.others {
		m.waits(t, "scratch put", func(ctx context.Context) error { return m.tbl.ScratchPut(ctx, p.staged...) })
		m.waits(t, "merge", m.tbl.ScratchMerge)
	}
	ended := m.endSession(t, s, p, leave)
	if p.late && m.model.State == model.StateClear {
		ok(t, m.tbl.ScratchPut(m.ctx, p.staged...))
		m.model.Stage(p.staged...)
		m.late(t, s, ended)
	}
}

// endSession returns how the session has ended.
func (m *machine) endSession(t *rapid.T, s *table.Scratch[Item, string], p sessionPlan, leave func()) error {
	switch p.how {
	case "merge":
		ok(t, s.Merge(m.ctx, p.note))
		m.model.MergeNoted(p.note)
		if m.gate == nil && m.model.State == model.StateMerging {
			m.waitClear(t)
		}
		return table.ErrScratchMerged
	case "abort":
		ok(t, s.Abort(m.ctx))
		m.model.Abort()
	case "abort of an operator":
		m.Abort(t)
	case "clear":
		ok(t, m.tbl.Clear(m.ctx))
		m.model.Clear()
	default:
		leave()
		m.late(t, s, table.ErrScratchAborted)
		ok(t, m.tbl.WaitClear(m.ctx))
		m.model.Abort()
	}
	return table.ErrScratchAborted
}

// late calls what a session has that is over.
func (m *machine) late(t *rapid.T, s *table.Scratch[Item, string], want error) {
	for _, err := range []error{s.Put(m.ctx, Item{Key: "late", Version: math.MaxInt64}), s.Merge(m.ctx, []byte("late")), s.Abort(m.ctx)} {
		if !errors.Is(err, want) {
			t.Fatalf("a late call of a session: %v, want %v", err, want)
		}
	}
}

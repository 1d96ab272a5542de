package stress

import (
	"errors"
	"iter"
	"math"

	"pgregory.net/rapid"

	"github.com/tablecache-go/tablecache/table"
)

func (m *machine) Read(t *rapid.T) {
	s := drawSpec(t)
	m.same(t, m.collect(t, s), m.model.Read(specOf(s)))
}

func (m *machine) Count(t *rapid.T) {
	s := drawSpec(t)
	n, err := m.tbl.Count(m.ctx, s)
	ok(t, err)
	if want := len(m.model.Read(specOf(s))); n != want {
		t.Fatalf("counted %d, want %d", n, want)
	}
}

func (m *machine) First(t *rapid.T) {
	s := drawSpec(t)
	found, err := m.tbl.First(m.ctx, s)
	m.one(t, found, err, m.model.Read(specOf(s.Max(1))))
}

// Page turns the pages of a listing that nothing disturbs.
func (m *machine) Page(t *rapid.T) {
	s, n := drawSpec(t).Max(0), rapid.IntRange(1, 5).Draw(t, "length")
	var found []Item
	for after := table.Token(""); ; {
		page, next, err := m.tbl.Page(m.ctx, s, after, n)
		ok(t, err)
		if found = append(found, page...); next == "" {
			break
		}
		if len(page) != n || next == after {
			t.Fatalf("a page of %d records, want %d", len(page), n)
		}
		after = next
	}
	m.same(t, found, m.model.Read(specOf(s)))
}

func (m *machine) Get(t *rapid.T) {
	key := someKeys().Draw(t, "key")
	found, err := m.tbl.Get(m.ctx, key)
	m.one(t, found, err, m.model.Lookup(key))
}

func (m *machine) one(t *rapid.T, found Item, err error, want []Item) {
	if len(want) == 0 {
		if !errors.Is(err, table.ErrNotFound) {
			t.Fatalf("found %v, %v, want ErrNotFound", found, err)
		}
		return
	}
	ok(t, err)
	m.same(t, []Item{found}, want)
}

func (m *machine) Lookup(t *rapid.T) {
	keys := drawKeys(t)
	m.same(t, m.take(t, m.tbl.Lookup(m.ctx, keys...), math.MaxInt), m.model.Lookup(keys...))
}

func (m *machine) Stream(t *rapid.T) {
	s := drawSpec(t)
	stream, found := m.tbl.Stream(m.ctx, s), []Item(nil)
	for i := range stream.C() {
		found = append(found, i)
	}
	ok(t, stream.Err())
	m.same(t, found, m.model.Read(specOf(s)))
}

// Leave breaks out of a read: nothing must stay behind, as the pins counted at the end show.
func (m *machine) Leave(t *rapid.T) {
	s := drawSpec(t)
	found := m.take(t, m.tbl.Records(m.ctx, s), 1)
	m.same(t, found, m.model.Read(specOf(s))[:len(found)])
}

// Refuse sends what must be refused before Redis is asked; Check then sees that nothing has changed.
func (m *machine) Refuse(t *rapid.T) {
	var coding *table.CodingError
	if err := m.tbl.Put(m.ctx, Item{Key: "a"}, Item{Key: "b", A: math.NaN()}); !errors.As(err, &coding) {
		t.Fatalf("a score that is no number: %v", err)
	}
	if err := m.tbl.ScratchPut(m.ctx, Item{Key: "\xff"}); !errors.As(err, &coding) {
		t.Fatalf("a key that is no text: %v", err)
	}
	overlap := Spec{Index: "a", Intervals: []table.Interval{{GE: 0, LT: 2}, {GE: 1, LT: 3}}}
	if _, err := m.tbl.Delete(m.ctx, overlap); !errors.Is(err, table.ErrInvalidSpec) {
		t.Fatalf("overlapping intervals: %v", err)
	}
	if _, err := m.tbl.Count(m.ctx, m.tbl.All("c")); !errors.Is(err, table.ErrUnknownIndex) {
		t.Fatalf("no such index: %v", err)
	}
}

// BeginRead starts a read that other actions will happen in the middle of.
func (m *machine) BeginRead(t *rapid.T) {
	if len(m.held) == 3 {
		return
	}
	s := drawSpec(t)
	if rapid.Bool().Draw(t, "all") { // a read of many pages meets more
		s = m.tbl.All(s.Index)
	}
	h := &heldRead{want: m.model.Read(specOf(s)), hasty: m.hasty}
	h.next, h.stop = iter.Pull2(m.tbl.Records(m.ctx, s))
	m.held = append(m.held, h)
	m.goOn(t, h, 1)
}

// GoOnRead goes on with it: what comes is of the moment when it began, whatever happened since.
func (m *machine) GoOnRead(t *rapid.T) {
	if len(m.held) > 0 {
		m.goOn(t, rapid.SampledFrom(m.held).Draw(t, "read"), rapid.IntRange(1, 20).Draw(t, "records"))
	}
}

func (m *machine) goOn(t *rapid.T, h *heldRead, n int) {
	t.Helper()
	for range n {
		switch item, err, more := h.next(); {
		case errors.Is(err, table.ErrSnapshotExpired) && h.hasty:
			h.want = nil
		case err != nil:
			t.Fatalf("a read ended early: %v", err)
		case !more && len(h.want) > 0:
			t.Fatalf("a read lacks %v", h.want)
		case !more:
			return
		case len(h.want) == 0 || item != h.want[0]:
			t.Fatalf("a read brings %v of another moment, want %v", item, h.want)
		default:
			h.want = h.want[1:]
		}
	}
}

// drop ends the reads of an owner of the past: each with an error, or with the rest of its answer.
func (m *machine) drop(t *rapid.T) {
	for _, h := range m.held {
		for range len(h.want) + 1 {
			item, err, more := h.next()
			if !more || errors.Is(err, table.ErrClosed) || errors.Is(err, table.ErrFenced) || errors.Is(err, table.ErrSnapshotExpired) {
				break
			}
			ok(t, err)
			m.same(t, []Item{item}, h.want[:1])
			h.want = h.want[1:]
		}
		h.stop()
	}
	m.held = nil
}

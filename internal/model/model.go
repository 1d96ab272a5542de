// Package model is the reference model of a table: what the library promises, without Redis, batches, pages, pins and
// goroutines. It is the specification in code: the tests of all packages compare the library with it.
//
// Each method is one call, done whole and at one moment. Nothing waits here: a write that the library would make wait in
// the state of the table panics, and so a test looks at State first.
package model

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// State is the state of a table's lock.
type State uint8

// The states, in the order in which a table goes through them.
const (
	StateClear   State = iota // nothing is staged: regular writes run
	StateActive               // something is staged and not seen yet: only scratch writes run
	StateMerging              // what was staged is seen and not folded yet: no writes run
)

func (s State) String() string { return [...]string{"clear", "active", "merging"}[s] }

// Schema is what a model has to know of records.
type Schema[R any] struct {
	Key   func(r *R) string                // the bytes of its primary key
	Score func(r *R, index string) float64 // its score in an index
	Equal func(a, b *R) bool               // whether two records are the same
}

// Table is a model of one table. It keeps the records that it is given: nobody may change what they point to. Reads may run
// at the same time, but not beside a write; a clone is a table of its own.
type Table[R any] struct {
	State      State
	Generation uint32 // how many merges there were
	// Version is how many writes have changed in place what readers see: puts and deletes, each of no more than a batch of
	// the library's, that have found something to do, every Apply of records or keys, every Update, and every Clear.
	Version uint64
	// Note is the note; nil if there is none. Notes is how often it was written or dropped.
	Note  []byte
	Notes uint64
	// Through is that regular writes, but Delete, run while something is staged, and win over that.
	Through bool

	schema *Schema[R]
	merged rows[R]
	staged rows[R]
	// written has a tombstone for each key that was written since something is staged.
	written rows[R]
}

// New returns a table without records.
func New[R any](s Schema[R]) *Table[R] { return &Table[R]{schema: &s} }

// Put stores records in place of those with the same keys; of two with one key the last wins.
func (t *Table[R]) Put(records ...R) {
	if len(records) == 0 {
		return
	}
	t.mustBeRegular("put")
	t.merged = t.merged.with(t.rowsOf(records))
	t.Version++
	t.writeThrough(rows[R](t.rowsOf(records)).keys())
}

// Delete deletes what the spec finds, and returns it.
func (t *Table[R]) Delete(s Spec[R]) []R {
	gone := s.find(t.visible(), t.schema)
	if len(gone) > 0 {
		t.mustBe("delete", StateClear)
	}
	t.DeleteKeys(gone.keys()...)
	return gone.records()
}

// DeleteKeys deletes the records with these keys and returns how many there were.
func (t *Table[R]) DeleteKeys(keys ...string) int {
	gone := t.visible().tombstones(keys)
	if len(gone) > 0 {
		t.mustBeRegular("delete")
		t.merged = t.merged.with(gone).live()
		t.Version++
	}
	t.writeThrough(keys)
	return len(gone)
}

// Apply puts records, deletes keys, which must be others, and writes the note unless that is nil.
func (t *Table[R]) Apply(records []R, keys []string, note []byte) {
	if len(records)+len(keys) > 0 {
		t.mustBeRegular("apply")
		t.merged = t.merged.with(t.rowsOf(records)).with(t.visible().tombstones(keys)).live()
		t.Version++
		t.writeThrough(append(rows[R](t.rowsOf(records)).keys(), keys...))
	}
	if note != nil {
		t.mustBeRegular("note")
		t.note(note)
	}
}

func (t *Table[R]) note(note []byte) {
	t.Note = note
	t.Notes++
}

// Update puts what change makes of the record with this key. It returns false, and does nothing, if there is none.
func (t *Table[R]) Update(key string, change func(R) R) bool {
	found := t.Lookup(key)
	if len(found) == 0 {
		return false
	}
	t.Put(change(found[0]))
	return true
}

// writeThrough takes keys out of what is staged, if something is, and keeps them out.
func (t *Table[R]) writeThrough(keys []string) {
	if t.State == StateActive && t.Through {
		t.staged = t.staged.without(keys)
		t.written = t.written.with(tombstonesFor[R](keys))
	}
}

// Stage stages records: a merge will put them. That revives what was discarded. What was written through is passed over.
func (t *Table[R]) Stage(records ...R) { t.stage(t.rowsOf(records)) }

// Discard stages tombstones for what the spec finds in the staged view, and returns that: a merge will delete it. What was written
// through is passed over.
func (t *Table[R]) Discard(s Spec[R]) []R {
	gone := s.find(t.discardable(), t.schema)
	t.DiscardKeys(gone.keys()...)
	return gone.records()
}

// DiscardKeys stages tombstones for those of the keys that the staged view has, and returns how many that are.
func (t *Table[R]) DiscardKeys(keys ...string) int {
	gone := t.discardable().tombstones(keys)
	t.stage(gone)
	return len(gone)
}

// stage stages rows. The first makes the table active.
func (t *Table[R]) stage(marked []*row[R]) {
	if len(marked) == 0 {
		return
	}
	t.mustBe("stage", StateClear, StateActive)
	t.State, t.staged = StateActive, t.staged.with(rows[R](marked).without(t.written.keys()))
}

// discardable is the staged view without what was written through.
func (t *Table[R]) discardable() rows[R] { return t.stagedView().without(t.written.keys()) }

// Merge shows all that is staged, at once. In any state but active it does nothing.
func (t *Table[R]) Merge() {
	if t.State == StateActive {
		t.State, t.Generation, t.written = StateMerging, t.Generation+1, nil
	}
}

// MergeNoted is Merge of a session that has a holder: it also writes the note, unless that is nil.
func (t *Table[R]) MergeNoted(note []byte) {
	t.mustBe("merge of a session", StateClear, StateActive)
	t.Merge()
	if note != nil {
		t.note(note)
	}
}

// StagedCount returns how many records there would be to see after a merge.
func (t *Table[R]) StagedCount() int { return len(t.stagedView()) }

// Fold ends a merge: what was staged is merged now. It changes no answer. In any state but merging it does nothing.
func (t *Table[R]) Fold() {
	if t.State == StateMerging {
		t.State, t.merged, t.staged = StateClear, t.stagedView(), nil
	}
}

// Abort drops what is staged. In any state but active it does nothing.
func (t *Table[R]) Abort() {
	if t.State == StateActive {
		t.State, t.staged, t.written = StateClear, nil, nil
	}
}

// Clear drops everything, in any state.
func (t *Table[R]) Clear() {
	t.State, t.merged, t.staged, t.written = StateClear, nil, nil, nil
	t.Version++
	t.note(nil)
}

// Reopen is what the next owner finds: nothing staged, unless it was merged already.
func (t *Table[R]) Reopen() { t.Abort() }

// Read returns what the spec finds, in its order.
func (t *Table[R]) Read(s Spec[R]) []R { return s.find(t.visible(), t.schema).records() }

// Count returns how many records the spec finds.
func (t *Table[R]) Count(s Spec[R]) int { return len(s.find(t.visible(), t.schema)) }

// Lookup returns the records with these keys in the order given: a key that comes twice once, and none for a key that is
// not there.
func (t *Table[R]) Lookup(keys ...string) (found []R) {
	visible := t.visible()
	for i, key := range keys {
		if at, there := visible.find(key); there && !slices.Contains(keys[:i], key) {
			found = append(found, visible[at].record)
		}
	}
	return found
}

// Records returns how many records there are to see.
func (t *Table[R]) Records() int { return len(t.visible()) }

// Staged returns how many rows and tombstones are staged.
func (t *Table[R]) Staged() int { return len(t.staged) }

// Rows goes through all rows: those that are merged, then those that are staged, in the order of their keys. A tombstone has
// no record.
func (t *Table[R]) Rows(visit func(key string, record *R, staged bool)) {
	for _, r := range t.merged {
		visit(r.key, &r.record, false)
	}
	for _, r := range t.staged {
		if r.tombstone {
			visit(r.key, nil, true)
		} else {
			visit(r.key, &r.record, true)
		}
	}
}

// visible is what readers see.
func (t *Table[R]) visible() rows[R] {
	if t.State == StateMerging {
		return t.stagedView()
	}
	return t.merged
}

// stagedView is what readers would see after a merge now: staged rows over merged rows, where a tombstone hides.
func (t *Table[R]) stagedView() rows[R] { return t.merged.with(t.staged).live() }

// Clone returns a copy of the table, cheaply: what changes one of them does not change the other.
func (t *Table[R]) Clone() *Table[R] {
	c := *t
	return &c
}

// Equal tells whether two tables are the same in everything that is stored.
func (t *Table[R]) Equal(o *Table[R]) bool {
	return t.State == o.State && t.Generation == o.Generation && t.Version == o.Version && t.Notes == o.Notes &&
		bytes.Equal(t.Note, o.Note) && (t.Note == nil) == (o.Note == nil) && t.SameRows(o)
}

// WrittenThrough returns the keys that were written since something is staged, in order.
func (t *Table[R]) WrittenThrough() []string { return t.written.keys() }

// SameRows tells whether two tables hold the same rows, merged and staged, whatever their history.
func (t *Table[R]) SameRows(o *Table[R]) bool {
	same := func(a, b *row[R]) bool {
		return a == b || a.key == b.key && a.tombstone == b.tombstone && (a.tombstone || t.schema.Equal(&a.record, &b.record))
	}
	return slices.EqualFunc(t.merged, o.merged, same) && slices.EqualFunc(t.staged, o.staged, same)
}

// String writes the table down, for failing tests.
func (t *Table[R]) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%v, generation %d, version %d\n", t.State, t.Generation, t.Version)
	if t.Notes > 0 {
		fmt.Fprintf(&s, "  note %d: %q\n", t.Notes, t.Note)
	}
	t.Rows(func(key string, record *R, staged bool) {
		switch {
		case record == nil:
			fmt.Fprintf(&s, "  staged %q: tombstone\n", key)
		case staged:
			fmt.Fprintf(&s, "  staged %q: %+v\n", key, *record)
		default:
			fmt.Fprintf(&s, "  merged %q: %+v\n", key, *record)
		}
	})
	return s.String()
}

// rowsOf returns records under their keys, as they come.
func (t *Table[R]) rowsOf(records []R) []*row[R] {
	all := make([]*row[R], 0, len(records))
	for _, r := range records {
		all = append(all, &row[R]{key: t.schema.Key(&r), record: r})
	}
	return all
}

// mustBeRegular panics where a regular write would wait.
func (t *Table[R]) mustBeRegular(write string) {
	if t.Through {
		t.mustBe(write, StateClear, StateActive)
		return
	}
	t.mustBe(write, StateClear)
}

// mustBe panics where the library would make a write wait.
func (t *Table[R]) mustBe(write string, states ...State) {
	if !slices.Contains(states, t.State) {
		panic(fmt.Sprintf("model: a %s waits while the table is %v", write, t.State))
	}
}

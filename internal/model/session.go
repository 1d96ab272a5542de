package model

// writeThrough takes keys out of what is staged, if a session is on, and keeps them out; where that stands for the whole table, it puts what
// is merged in there.
func (t *Table[R]) writeThrough(keys []string) {
	if (t.State == StateActive || t.held) && t.Through {
		t.staged = t.staged.without(keys)
		if t.whole {
			t.staged = t.staged.with(t.merged.only(keys))
		}
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

// DiscardAll discards everything but what was written through, and returns how many records that is. While nothing is staged beside all
// that is merged, what is staged stands for the whole table from then on, and what was written through is among it; else it stages
// tombstones.
func (t *Table[R]) DiscardAll() int {
	all := t.discardable()
	switch {
	case t.State == StateActive && !t.whole:
		t.DiscardKeys(all.keys()...)
	case len(all) > 0:
		t.mustBe("discard", StateClear, StateActive)
		t.State, t.whole, t.staged = StateActive, true, t.merged.only(t.written.keys())
	}
	return len(all)
}

// DiscardKeys stages tombstones for those of the keys that the staged view has, and returns how many that are.
func (t *Table[R]) DiscardKeys(keys ...string) int {
	gone := t.discardable().tombstones(keys)
	t.stage(gone)
	return len(gone)
}

// stage stages rows but those that were written through. The first makes the table active.
func (t *Table[R]) stage(marked []*row[R]) {
	if marked = rows[R](marked).without(t.written.keys()); len(marked) == 0 {
		return
	}
	t.mustBe("stage", StateClear, StateActive)
	if t.State, t.staged = StateActive, t.staged.with(marked); t.whole {
		t.staged = t.staged.live()
	}
}

// discardable is the staged view without what was written through.
func (t *Table[R]) discardable() rows[R] { return t.stagedView().without(t.written.keys()) }

// Hold begins a session that has a holder: it is on before anything is staged, and ends with a merge, an abort or a clear.
func (t *Table[R]) Hold() {
	t.mustBe("session", StateClear)
	t.held = true
}

// Merge shows all that is staged, at once. In any state but active it only ends the session.
func (t *Table[R]) Merge() {
	if t.State == StateActive {
		t.State, t.Generation = StateMerging, t.Generation+1
	}
	t.written, t.held = nil, false
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
		t.State, t.merged, t.staged, t.whole = StateClear, t.stagedView(), nil, false
	}
}

// Abort drops what is staged. In any state but active it only ends the session.
func (t *Table[R]) Abort() {
	if t.State == StateActive {
		t.State, t.staged, t.whole = StateClear, nil, false
	}
	t.written, t.held = nil, false
}

package mirror

import (
	"fmt"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

// applier applies what Follow tells. What readers will see next and what is staged are two sets of rows beside each other, which share all
// that is the same in them, so that a merge is to take the one for the other. What changes while a session is on changes both:
// whoever writes through takes the keys out of what is staged.
type applier[R any, K comparable] struct {
	mirror *Mirror[R, K]
	form   *form
	live   *rows[R, K] // what is shown next
	staged *rows[R, K] // live with all that is staged; nil: no session is on
	copy   *copying[R, K]
	note   []byte
	shown  *rows[R, K] // what was shown last; it is changed no more

	missing map[string]error // indexes in which live has no scores

	changed changed // what live has and shown has not
	session changed // what staged has and live has not
	passed  []table.Position

	scratch   []byte     // for making texts
	pivot     cell[R, K] // for finding
	wasInStep bool
}

// copying is a copy that is not complete. Its rows come later than what happens to them, so what is staged is kept apart until the end.
type copying[R any, K comparable] struct {
	apart map[string]*cell[R, K] // by key; nil: discarded
	whole bool                   // what is apart stands for the whole table
}

type (
	row[R any, K comparable]    = table.Row[R, K]
	effect[R any, K comparable] = table.Effect[R, K]
)

var _ table.Follower[int, int] = (*applier[int, int])(nil)

func newApplier[R any, K comparable](m *Mirror[R, K]) *applier[R, K] {
	a := &applier[R, K]{mirror: m}
	if v := m.shown.Load(); v != nil {
		a.form, a.shown = v.rows.form, v.rows
	} else {
		a.form = newForm[R, K](len(m.def.Indexes))
	}
	return a
}

// BeginCopy begins with nothing. What is shown stays, and lends its cells to the copy.
func (a *applier[R, K]) BeginCopy() error {
	a.mirror.counts.copies.Add(1)
	a.copy = &copying[R, K]{apart: make(map[string]*cell[R, K])}
	a.live, a.staged, a.passed, a.missing = newRows[R, K](a.form), nil, nil, nil
	a.changed, a.session = changed{all: true, copied: true}, changed{}
	return nil
}

// CopyRows stores rows of a copy.
func (a *applier[R, K]) CopyRows(rows []row[R, K]) error {
	for i := range rows {
		a.put(a.live, &rows[i])
	}
	return nil
}

// Apply applies an effect.
func (a *applier[R, K]) Apply(e effect[R, K]) error {
	if e.Kind == table.EffectIndexes {
		a.missing = e.Missing
		return nil
	}
	a.mirror.counts.applied.Add(1)
	a.passed = append(a.passed, e.At)
	if e.Noted {
		a.note = e.Note
		a.mirror.noted.Number++
	}
	switch e.Kind {
	case table.EffectPut, table.EffectApply:
		a.putThrough(e.Rows)
		a.removeThrough(e.Gone)
	case table.EffectDelete:
		if e.All {
			a.empty()
		}
		a.removeThrough(e.Rows)
	case table.EffectStage, table.EffectDiscard:
		a.stage(e)
	case table.EffectMerge:
		a.merge()
	case table.EffectAbort:
		a.endSession()
	case table.EffectClear:
		a.empty()
		a.endSession()
	case table.EffectNote: // which is noted already
	default:
		return fmt.Errorf("mirror: an effect of kind %v, which this version does not know", e.Kind)
	}
	return nil
}

// putThrough puts rows where readers see them, and has them win over what is staged.
func (a *applier[R, K]) putThrough(stored []row[R, K]) {
	for i := range stored {
		a.winOverStaged(a.put(a.live, &stored[i]))
	}
}

// removeThrough removes what readers see, and what is staged.
func (a *applier[R, K]) removeThrough(gone []row[R, K]) {
	for i := range gone {
		key := gone[i].KeyBytes
		a.changed.note(a.remove(a.live, key), key)
		if a.staged != nil {
			a.remove(a.staged, key)
		}
		if a.copy != nil {
			delete(a.copy.apart, string(key))
		}
	}
}

func (a *applier[R, K]) empty() {
	a.live = newRows[R, K](a.form)
	a.changed.all = true
}

// winOverStaged has what was put take the place of what is staged.
func (a *applier[R, K]) winOverStaged(e *cell[R, K]) {
	if a.staged != nil {
		a.staged.replace(a.staged.findLike(e), e)
	}
	switch {
	case a.copy == nil:
	case a.copy.whole:
		a.copy.apart[a.form.key(e.text)] = e
	default:
		delete(a.copy.apart, a.form.key(e.text))
	}
}

// put stores a row in place of the one with its key, and returns its cell.
func (a *applier[R, K]) put(to *rows[R, K], r *row[R, K]) *cell[R, K] {
	before, e := a.cellOf(to, r)
	a.changesOf(to).note(to.replace(before, e), r.KeyBytes)
	return e
}

// changesOf returns where changes of rows are noted.
func (a *applier[R, K]) changesOf(of *rows[R, K]) *changed {
	if of == a.staged {
		return &a.session
	}
	return &a.changed
}

// cellOf returns the cell of a row, and the one that it takes the place of. Where an equal one is known it is taken: so an identical
// reload or copy changes nothing, and needs no memory for records.
func (a *applier[R, K]) cellOf(to *rows[R, K], r *row[R, K]) (before, e *cell[R, K]) {
	a.scratch = a.form.append(a.scratch[:0], r.Contents, r.Scores, r.KeyBytes)
	a.pivot.text = string(a.scratch)
	before = to.findLike(&a.pivot)
	for _, e := range []*cell[R, K]{before, a.known(to)} {
		if e != nil && e.text == a.pivot.text {
			return before, e
		}
	}
	return before, fresh(a.pivot.text, r)
}

// known returns the cell with the pivot's key that is shown, or will be, beside rows of a copy or of a session; nil: there is none.
func (a *applier[R, K]) known(to *rows[R, K]) *cell[R, K] {
	switch {
	case a.copy != nil && a.shown != nil:
		return a.shown.findLike(&a.pivot)
	case to == a.staged:
		return a.live.findLike(&a.pivot)
	}
	return nil
}

func (a *applier[R, K]) remove(from *rows[R, K], key []byte) bool {
	a.pivot.text = a.form.pivot(key)
	return from.remove(from.findLike(&a.pivot))
}

// stage keeps rows apart, and keys of rows that go.
func (a *applier[R, K]) stage(e effect[R, K]) {
	if a.copy != nil {
		a.stageApart(e)
		return
	}
	switch {
	case e.All:
		a.staged, a.session.all = newRows[R, K](a.form), true
	case a.staged == nil:
		a.staged = a.live.copy()
	}
	for i := range e.Rows {
		if e.Kind == table.EffectStage || e.All { // of a discard of everything these stay
			a.put(a.staged, &e.Rows[i])
		} else {
			key := e.Rows[i].KeyBytes
			a.session.note(a.remove(a.staged, key), key)
		}
	}
}

func (a *applier[R, K]) stageApart(e effect[R, K]) {
	if e.All {
		clear(a.copy.apart)
		a.copy.whole = true
	}
	for i := range e.Rows {
		r := &e.Rows[i]
		a.copy.apart[string(r.KeyBytes)] = nil
		if e.Kind == table.EffectStage || e.All {
			_, a.copy.apart[string(r.KeyBytes)] = a.cellOf(a.live, r)
		}
	}
}

// merge shows what was staged.
func (a *applier[R, K]) merge() {
	switch {
	case a.copy != nil:
		if a.copy.whole {
			a.empty()
		}
		a.putApart(a.live)
	case a.staged != nil:
		a.live = a.staged
		a.changed.join(a.session)
	}
	a.endSession()
}

// putApart puts what was kept apart into rows.
func (a *applier[R, K]) putApart(to *rows[R, K]) {
	for key, e := range a.copy.apart {
		before := to.find([]byte(key))
		if e == nil {
			to.remove(before)
		} else {
			to.replace(before, e)
		}
	}
}

func (a *applier[R, K]) endSession() {
	a.staged, a.session = nil, changed{}
	if a.copy != nil {
		clear(a.copy.apart)
		a.copy.whole = false
	}
}

// endCopy makes of what was kept apart what a merge will show.
func (a *applier[R, K]) endCopy() {
	a.live = a.live.compact()
	switch {
	case a.copy.whole:
		a.staged = newRows[R, K](a.form)
	case len(a.copy.apart) > 0:
		a.staged = a.live.copy()
	}
	if a.staged != nil {
		a.putApart(a.staged)
		a.session.all = true
	}
	a.copy = nil
}

// InStep shows what was told.
func (a *applier[R, K]) InStep(p table.Position) error {
	if a.copy != nil {
		a.endCopy()
	}
	if a.changed.any() {
		a.shown = a.live.copy()
	}
	next := &version[R, K]{rows: a.shown, note: a.note, noted: a.mirror.noted, missing: a.missing, at: p}
	a.mirror.show(next, append(a.passed, p), a.changed)
	a.passed, a.changed, a.wasInStep = a.passed[:0], changed{}, true
	return nil
}

// Proven notes how old what is shown is at most.
func (a *applier[R, K]) Proven(at time.Time) error {
	a.mirror.proves(at)
	return nil
}

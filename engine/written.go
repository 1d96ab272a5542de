package engine

import "slices"

// writtenThrough are the keys that regular effects have written while a scratch session is on. They win over what the session stages
// for these keys: what was staged before is taken out by the effect itself, and what comes after is passed over here. The actor's
// alone; the zero value is ready.
type writtenThrough struct {
	keys   map[string]struct{}
	latest []string // of the effect that was sent last, which may not have been applied
}

// note notes the keys of an effect that is about to be sent. The store may clear the effect's rows before it is known whether it was
// applied, so they are copied.
func (w *writtenThrough) note(e *Effect) {
	w.latest = w.latest[:0]
	for i := range e.Rows {
		w.noteKey(e.Rows[i].Key)
	}
	for i := range e.Marks {
		w.noteKey(e.Marks[i].Key)
	}
}

func (w *writtenThrough) noteKey(key Bytes) {
	if !w.has(key) {
		w.latest = append(w.latest, string(key))
	}
}

func (w *writtenThrough) has(key Bytes) bool {
	_, there := w.keys[string(key)]
	return there
}

// remember adds the keys of the effect that was sent last, which was applied.
func (w *writtenThrough) remember() {
	if w.keys == nil {
		w.keys = make(map[string]struct{})
	}
	for _, key := range w.latest {
		w.keys[key] = struct{}{}
	}
	clear(w.latest)
	w.latest = w.latest[:0]
}

func (w *writtenThrough) forget() { *w = writtenThrough{} }

// passOver takes rows and marks out of an effect whose keys are remembered. It returns which marks these were. A mark whose deletion
// has bounds becomes a witness, because it still lies in the intervals.
func (w *writtenThrough) passOver(e *Effect) []passedOver {
	if len(w.keys) == 0 {
		return nil
	}
	e.Rows = without(e.Rows, func(r Row) bool { return w.has(r.Key) })
	if !slices.ContainsFunc(e.Marks, func(m Mark) bool { return w.has(m.Key) }) {
		return nil
	}
	return w.passOverMarks(e)
}

func (w *writtenThrough) passOverMarks(e *Effect) (over []passedOver) {
	kept, witnesses := make([]Mark, 0, len(e.Marks)), slices.Clone(e.Witnesses)
	for i, m := range e.Marks {
		if !w.has(m.Key) {
			kept = append(kept, m)
			continue
		}
		over = append(over, passedOver{i, Missing})
		witnesses = append(witnesses, m)
	}
	e.Marks = kept
	if len(e.Bounds) > 0 {
		e.Witnesses = witnesses
	}
	if len(kept) == 0 && len(e.Bounds) > 0 && e.Compare { // nobody looks whether the witnesses still are all that lies there
		for i := range over {
			over[i].verdict = Changed
		}
	}
	return over
}

// passedOver is a mark that was taken out of an effect: its place among the marks, and what became of it.
type passedOver struct {
	at      int
	verdict Verdict
}

// withPassedOver returns the verdicts of an effect with those of the marks that were taken out of it.
func withPassedOver(verdicts []Verdict, over []passedOver) []Verdict {
	if len(over) == 0 {
		return verdicts
	}
	all := make([]Verdict, 0, len(verdicts)+len(over))
	for _, o := range over {
		for len(all) < o.at && len(verdicts) > 0 {
			all, verdicts = append(all, verdicts[0]), verdicts[1:]
		}
		all = append(all, o.verdict)
	}
	return append(all, verdicts...)
}

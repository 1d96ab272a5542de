package engine

import (
	"bytes"
	"slices"
)

// writtenThrough are the keys that regular effects have written while a scratch session is on. They win over what the session stages
// for these keys: what was staged before is taken out by the effect itself, and what comes after is passed over here. The rows are
// remembered as well, as long as they are few: DiscardAll takes them along. The actor's alone; the zero value is ready.
type writtenThrough struct {
	keys   map[string]struct{}
	rows   map[string]Row // what readers see under these keys, without the key
	bytes  int            // of rows
	blind  bool           // no rows are remembered: there were too many, or something has changed them unseen
	latest []writtenRow   // of the effect that was sent last, which may not have been applied
}

type writtenRow struct {
	key string
	row Row
}

// Rows are remembered up to these bounds, and keys are sent with a discard by place. Beyond them records are discarded page by page.
const (
	mostKept      = 1000
	mostKeptBytes = 1 << 20
)

// note notes what an effect is about to write. The store may clear the effect's rows before it is known whether it was applied, so they
// are copied.
func (w *writtenThrough) note(e *Effect) {
	w.latest = w.latest[:0]
	if !w.blind && (e.changesUnseen() && len(w.keys) > 0 || !w.hasRoom(e.Rows)) {
		w.forgetRows()
	}
	for i := range e.Marks {
		w.noteRow(e.Marks[i].Key, Row{})
	}
	for _, r := range e.Rows { // behind the mark of an update
		w.noteRow(r.Key, r)
	}
}

// changesUnseen tells whether only the store knows which rows the effect changes.
func (e *Effect) changesUnseen() bool {
	return e.Kind == Repair || e.Sweep != nil || e.Compare && e.Kind == Delete
}

func (w *writtenThrough) noteRow(key Bytes, r Row) {
	switch {
	case w.blind && w.has(key):
	case w.blind || r.Value == nil:
		w.latest = append(w.latest, writtenRow{key: string(key)})
	default:
		w.latest = append(w.latest, writtenRow{string(key), r.cloned()})
	}
}

// cloned returns a row with memory of its own, without its key.
func (r Row) cloned() Row {
	c := Row{Value: bytes.Clone(r.Value), Scores: make([]Bytes, len(r.Scores))}
	for i, score := range r.Scores {
		c.Scores[i] = bytes.Clone(score)
	}
	return c
}

// hasRoom tells whether rows may be remembered beside those that are.
func (w *writtenThrough) hasRoom(rows []Row) bool {
	keys, bytes := len(w.keys), w.bytes
	for i := range rows {
		bytes += len(rows[i].Value) - len(w.rows[string(rows[i].Key)].Value)
		if !w.has(rows[i].Key) {
			keys++
		}
	}
	return keys <= mostKept && bytes <= mostKeptBytes
}

// forgetRows forgets the rows, but not their keys.
func (w *writtenThrough) forgetRows() { w.rows, w.blind, w.bytes = nil, true, 0 }

// kept returns the rows under the keys that are remembered. ok is false if they are not known.
func (w *writtenThrough) kept() (rows []Row, ok bool) {
	for key, r := range w.rows {
		rows = append(rows, Row{Key: Bytes(key), Value: r.Value, Scores: r.Scores})
	}
	return rows, !w.blind || len(w.keys) == 0
}

// keptKeys returns the keys that are remembered, or ErrChanged if they are too many to be sent with an effect.
func (w *writtenThrough) keptKeys() (keys []Bytes, err error) {
	bytes := 0
	for key := range w.keys {
		keys, bytes = append(keys, Bytes(key)), bytes+len(key)
		if len(keys) > mostKept || bytes > mostKeptBytes {
			return nil, ErrChanged
		}
	}
	return keys, nil
}

func (w *writtenThrough) has(key Bytes) bool {
	_, there := w.keys[string(key)]
	return there
}

// remember adds the keys of the effect that was sent last, which was applied.
func (w *writtenThrough) remember() {
	if w.keys == nil {
		w.keys, w.rows = make(map[string]struct{}), make(map[string]Row)
	}
	for _, l := range w.latest {
		w.keys[l.key] = struct{}{}
		if !w.blind {
			w.rememberRow(l)
		}
	}
	clear(w.latest)
	w.latest = w.latest[:0]
}

func (w *writtenThrough) rememberRow(l writtenRow) {
	w.bytes += len(l.row.Value) - len(w.rows[l.key].Value)
	if l.row.Value == nil { // it is deleted
		delete(w.rows, l.key)
		return
	}
	w.rows[l.key] = l.row
}

// forget forgets everything, at the end of the session.
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

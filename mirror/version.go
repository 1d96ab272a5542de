package mirror

import "github.com/tablecache-go/tablecache/table"

// version is the table at one moment. Nobody changes it once it is shown.
type version[R any, K comparable] struct {
	rows    *rows[R, K]
	note    []byte
	noted   table.NoteVersion // of the note
	missing map[string]error  // why some of the indexes do not find all rows, by name
	at      table.Position
	number  uint64 // versions are numbered as they are shown
}

// checkNote returns ErrNoteChanged if a version is not that of the note; the zero one is any.
func (v *version[R, K]) checkNote(wanted table.NoteVersion) error {
	if wanted == (table.NoteVersion{}) || wanted == v.noted {
		return nil
	}
	return table.ErrNoteChanged
}

// walk visits the cells of a query in its order, from behind a place on if there is one, until visit returns false.
func (v *version[R, K]) walk(q *table.Query, behind *table.Place, visit visitor[R, K]) {
	if behind != nil {
		if !v.walkBehind(q, behind, visit) {
			return
		}
		for in := behind.Interval + 1; in < len(q.Intervals) && v.walkInterval(q, in, visit); in++ {
		}
		return
	}
	for in := 0; in < len(q.Intervals) && v.walkInterval(q, in, visit); in++ {
	}
}

// walkInterval visits the cells of one interval. It returns false if visit has.
func (v *version[R, K]) walkInterval(q *table.Query, in int, visit visitor[R, K]) bool {
	s, t := spanOf(q.Intervals[in]), v.rows.by[q.Index]
	if q.Reverse {
		return descend(t, slot[R, K]{order: s.high}, s, in, visit)
	}
	return ascend(t, slot[R, K]{order: s.low}, s, in, visit)
}

// walkBehind visits the cells of an interval that lie behind a place.
func (v *version[R, K]) walkBehind(q *table.Query, behind *table.Place, visit visitor[R, K]) bool {
	s, t := spanOf(q.Intervals[behind.Interval]), v.rows.by[q.Index]
	from := slot[R, K]{orderOf(behind.Score), &cell[R, K]{text: v.rows.pivot(behind.Key)}}
	each := func(in int, e *cell[R, K]) bool {
		isThere := v.rows.slotBy(q.Index, e).order == from.order && v.rows.key(e.text) == string(behind.Key)
		return isThere || visit(in, e)
	}
	if q.Reverse {
		return descend(t, from, s, behind.Interval, each)
	}
	return ascend(t, from, s, behind.Interval, each)
}

// count returns how many cells a query has, whatever its predicate.
func (v *version[R, K]) count(q *table.Query) (n int) {
	for _, in := range q.Intervals {
		n += count(v.rows.by[q.Index], spanOf(in))
	}
	if q.Limit > 0 {
		n = min(n, q.Limit)
	}
	return n
}

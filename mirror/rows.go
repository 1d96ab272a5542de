package mirror

// rows are the rows of a table at one moment, in a tree for each index and one by key.
type rows[R any, K comparable] struct {
	*form
	byKey *tree[R, K]
	by    []*tree[R, K]
	bytes int64 // an estimate
}

func newRows[R any, K comparable](f *form) *rows[R, K] {
	r := &rows[R, K]{form: f, byKey: newTree[R, K](f)}
	for range f.indexes {
		r.by = append(r.by, newTree[R, K](f))
	}
	return r
}

// copy returns the same rows once more, quickly. What changes one of them does not change the other.
func (r *rows[R, K]) copy() *rows[R, K] {
	c := &rows[R, K]{form: r.form, byKey: r.byKey.Copy(), by: make([]*tree[R, K], len(r.by)), bytes: r.bytes}
	for i, t := range r.by {
		c.by[i] = t.Copy()
	}
	return c
}

// compact returns the same rows in less memory. Rows that came in the order of a tree have left its nodes half empty; a node that is copied
// is made as large as it must be.
func (r *rows[R, K]) compact() *rows[R, K] {
	c := r.copy()
	for _, t := range append(c.by, c.byKey) {
		t.ScanMut(func(slot[R, K]) bool { return true })
	}
	return c
}

// find returns the cell with a key; nil: there is none.
func (r *rows[R, K]) find(key []byte) *cell[R, K] {
	return r.findLike(&cell[R, K]{text: r.pivot(key)})
}

// findLike returns the cell with the same key as another.
func (r *rows[R, K]) findLike(e *cell[R, K]) *cell[R, K] {
	found, _ := r.byKey.Get(slot[R, K]{orderOfKey(r.key(e.text)), e})
	return found.cell
}

// replace puts a cell in the place of the one with the same key, which is before, if there is one. It tells whether that changes
// anything.
func (r *rows[R, K]) replace(before, e *cell[R, K]) bool {
	if before == e {
		return false
	}
	for i, t := range r.by {
		if before != nil {
			if was := r.slotBy(i, before); was.order != r.slotBy(i, e).order {
				t.Delete(was)
			}
		}
		t.Set(r.slotBy(i, e))
	}
	if before != nil {
		r.bytes -= r.form.bytes(before.text)
	}
	r.bytes += r.form.bytes(e.text)
	r.byKey.Set(slot[R, K]{orderOfKey(r.key(e.text)), e})
	return true
}

// remove removes a cell that is there. Where there is none, nil, it does nothing and returns false.
func (r *rows[R, K]) remove(e *cell[R, K]) bool {
	if e == nil {
		return false
	}
	for i, t := range r.by {
		t.Delete(r.slotBy(i, e))
	}
	r.byKey.Delete(slot[R, K]{orderOfKey(r.key(e.text)), e})
	r.bytes -= r.form.bytes(e.text)
	return true
}

func (r *rows[R, K]) slotBy(index int, e *cell[R, K]) slot[R, K] {
	return slot[R, K]{orderOf(r.score(e.text, index)), e}
}

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

// find returns the entry with a key; nil: there is none.
func (r *rows[R, K]) find(key string) *entry[R, K] {
	return r.findLike(&entry[R, K]{text: r.pivot(key)})
}

// findLike returns the entry with the same key as another.
func (r *rows[R, K]) findLike(e *entry[R, K]) *entry[R, K] {
	found, _ := r.byKey.Get(place[R, K]{rankOfKey(r.key(e.text)), e})
	return found.entry
}

// replace puts an entry in the place of the one with the same key, which is before, if there is one. It tells whether that changes
// anything.
func (r *rows[R, K]) replace(before, e *entry[R, K]) bool {
	if before == e {
		return false
	}
	for i, t := range r.by {
		if before != nil {
			if was := r.placeBy(i, before); was.rank != r.placeBy(i, e).rank {
				t.Delete(was)
			}
		}
		t.Set(r.placeBy(i, e))
	}
	if before != nil {
		r.bytes -= r.form.bytes(before.text)
	}
	r.bytes += r.form.bytes(e.text)
	r.byKey.Set(place[R, K]{rankOfKey(r.key(e.text)), e})
	return true
}

// remove removes an entry that is there. Where there is none, nil, it does nothing and returns false.
func (r *rows[R, K]) remove(e *entry[R, K]) bool {
	if e == nil {
		return false
	}
	for i, t := range r.by {
		t.Delete(r.placeBy(i, e))
	}
	r.byKey.Delete(place[R, K]{rankOfKey(r.key(e.text)), e})
	r.bytes -= r.form.bytes(e.text)
	return true
}

func (r *rows[R, K]) placeBy(index int, e *entry[R, K]) place[R, K] {
	return place[R, K]{rankOf(r.score(e.text, index)), e}
}

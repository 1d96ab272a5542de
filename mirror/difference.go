package mirror

// difference is what a loop over changes is to be told of two versions.
type difference[R any, K comparable] struct {
	*watcher[R, K]
	from, to *version[R, K]
	tell     func(Change[R, K], error) bool
}

// all tells the difference. It returns false if the loop was left. What has changed lately is known; else both versions are gone
// through beside each other.
func (d *difference[R, K]) all() bool {
	if d.query.Limit > 0 {
		return d.answers()
	}
	keys, known := d.mirror.changes.between(d.from.number, d.to.number)
	if !known {
		return d.walk()
	}
	done := make(map[string]bool, len(keys))
	for _, key := range keys {
		if !done[key] && !d.compare(d.from.rows.find([]byte(key)), d.to.rows.find([]byte(key))) {
			return false
		}
		done[key] = true
	}
	return true
}

// compare tells what has become of a key; nil: there is no record. It returns false if the loop was left.
func (d *difference[R, K]) compare(before, after *cell[R, K]) bool {
	if before == after {
		return true
	}
	was, _ := d.isPart(d.from, before)
	is, bad := d.isPart(d.to, after)
	if bad != nil && !d.tell(Change[R, K]{}, bad) {
		return false
	}
	switch {
	case was && is && !sameContents(before.text, after.text):
		return d.change(d.tell, Update, before, after)
	case was && !is:
		return d.change(d.tell, Leave, before, nil)
	case !was && is:
		return d.change(d.tell, Enter, nil, after)
	}
	return true
}

// isPart tells whether a cell is part of the spec. One that is bad is none.
func (d *difference[R, K]) isPart(v *version[R, K], e *cell[R, K]) (bool, error) {
	if e == nil || !d.isInside(v, e) {
		return false, nil
	}
	holds, bad := v.judge(&d.query, d.recheck, e)
	return holds && bad == nil, bad
}

// isInside tells whether the score of a cell lies in an interval of the spec.
func (d *difference[R, K]) isInside(v *version[R, K], e *cell[R, K]) bool {
	score := v.rows.score(e.text, d.query.Index)
	for _, in := range d.query.Intervals {
		if in.Contains(score) {
			return true
		}
	}
	return false
}

// walk goes through the intervals in both versions. Where these share a cell they are passed over quickly.
func (d *difference[R, K]) walk() bool {
	for _, in := range d.query.Intervals {
		if !d.walkInterval(spanOf(in)) {
			return false
		}
	}
	return true
}

func (d *difference[R, K]) walkInterval(s span) bool {
	before, after := d.cursor(d.from, s), d.cursor(d.to, s)
	for before.is || after.is {
		a, b := before.at, after.at
		isFirst := !after.is || before.is && !isBefore(d.from.rows.form, b, a) // a lies in front of b, or at the same place
		switch {
		case before.is && after.is && a.cell == b.cell:
			before.next()
			after.next()
		case isFirst:
			if !d.compare(a.cell, d.to.rows.findLike(a.cell)) {
				return false
			}
			before.next()
		default:
			if !d.compareNew(b.cell) {
				return false
			}
			after.next()
		}
	}
	return true
}

// compareNew tells of a cell of the newer version, unless the older one had its key inside of the spec: then that was told.
func (d *difference[R, K]) compareNew(e *cell[R, K]) bool {
	before := d.from.rows.findLike(e)
	if before != nil && d.isInside(d.from, before) {
		return true
	}
	return d.compare(before, e)
}

// answers tells how two answers differ that have a limit.
func (d *difference[R, K]) answers() bool {
	is := make(map[string]*cell[R, K])
	now := d.answer(d.to)
	for _, e := range now {
		is[d.to.rows.key(e.text)] = e
	}
	for _, e := range d.answer(d.from) {
		key := d.from.rows.key(e.text)
		if !d.compareAnswers(e, is[key]) {
			return false
		}
		delete(is, key)
	}
	for _, e := range now {
		if is[d.to.rows.key(e.text)] != nil && !d.change(d.tell, Enter, nil, e) {
			return false
		}
	}
	return true
}

// compareAnswers tells what has become of a part of the older answer.
func (d *difference[R, K]) compareAnswers(before, after *cell[R, K]) bool {
	switch {
	case after == nil:
		return d.change(d.tell, Leave, before, nil)
	case !sameContents(before.text, after.text):
		return d.change(d.tell, Update, before, after)
	}
	return true
}

// answer returns the answer to the spec in a version, without what is bad: that counts, as in Records.
func (d *difference[R, K]) answer(v *version[R, K]) (all []*cell[R, K]) {
	left := d.query.Limit
	v.walk(&d.query, nil, func(_ int, e *cell[R, K]) bool {
		holds, bad := v.judge(&d.query, d.recheck, e)
		if !holds {
			return true
		}
		if bad == nil {
			all = append(all, e)
		}
		left--
		return left != 0
	})
	return all
}

// cursor goes through the cells of a span.
type cursor[R any, K comparable] struct {
	at   slot[R, K]
	is   bool // there is one at the cursor
	next func()
}

func (d *difference[R, K]) cursor(v *version[R, K], s span) *cursor[R, K] {
	c, trees := &cursor[R, K]{}, v.rows.by[d.query.Index].Iter()
	set := func(found bool) {
		if c.is = found; found {
			c.at = trees.Item()
			c.is = c.at.order < s.high
		}
	}
	c.next = func() { set(trees.Next()) }
	set(trees.Seek(slot[R, K]{order: s.low}))
	return c
}

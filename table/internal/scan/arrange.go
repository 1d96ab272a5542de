package scan

import (
	"fmt"
	"slices"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
)

// hasRows tells whether the copy has at least n rows.
func (c *copied) hasRows(n int) bool {
	most := 0
	for _, p := range c.pages {
		if p != nil {
			most += len(p.Keys)
		}
	}
	if len(c.changes) == 0 || most+len(c.changes) < n {
		return most >= n
	}
	return c.count() >= n
}

func (c *copied) count() (n int) {
	for i, p := range c.pages {
		if p == nil {
			continue
		}
		for _, key := range p.Keys {
			if !c.hides(key, i) {
				n++
			}
		}
	}
	for _, to := range c.changes {
		if to.row != nil {
			n++
		}
	}
	return n
}

// hides tells whether what the i-th page shows of a key is out of date.
func (c *copied) hides(key []byte, i int) bool {
	to, there := c.changes[string(key)]
	return there && i < to.pages
}

// arrange calls each with all rows in the query's order, page by page, at least once. free is told what is no longer held.
func (c *copied) arrange(each func(*Page) error, free func(int64)) error {
	moved, called := c.moved(), false
	for i, p := range c.pages {
		if p == nil {
			continue
		}
		out, size := p, p.size()
		if len(c.changes) > 0 {
			var err error
			if out, moved, err = c.join(i, moved); err != nil {
				return err
			}
		}
		c.pages[i] = nil
		if len(out.Keys) > 0 {
			called = true
			if err := each(out); err != nil {
				return err
			}
		}
		free(size)
	}
	for rest := range slices.Chunk(moved, mostEntries) {
		called = true
		if err := each(pageOf(rest)); err != nil {
			return err
		}
	}
	if !called {
		return each(&Page{})
	}
	return nil
}

// whole returns all rows in the query's order, in pages of which none is empty. It changes nothing.
func (c *copied) whole() (whole []*Page, err error) {
	moved := c.moved()
	for i, p := range c.pages {
		if p != nil && len(c.changes) > 0 {
			if p, moved, err = c.join(i, moved); err != nil {
				return nil, err
			}
		}
		if p != nil && len(p.Keys) > 0 {
			whole = append(whole, p)
		}
	}
	for rest := range slices.Chunk(moved, mostEntries) {
		whole = append(whole, pageOf(rest))
	}
	return whole, nil
}

func eachOf(pages []*Page, each func(*Page) error) error {
	for _, p := range pages {
		if err := each(p); err != nil {
			return err
		}
	}
	return nil
}

// moved returns the rows that entries have put into the part that is covered, in the query's order.
func (c *copied) moved() []change {
	var moved []change
	for _, to := range c.changes {
		if to.row != nil {
			moved = append(moved, to)
		}
	}
	slices.SortFunc(moved, func(a, b change) int { return c.compare(a.place, b.place) })
	return moved
}

// join returns what is left of the i-th page, with the rows that belong before its last one, and the rows that belong behind it.
func (c *copied) join(i int, moved []change) (*Page, []change, error) {
	p, out := c.pages[i], &Page{}
	for k, key := range p.Keys {
		if c.hides(key, i) {
			continue
		}
		at, err := p.place(k)
		if err != nil {
			return nil, nil, err
		}
		n := 0
		for n < len(moved) && c.compare(moved[n].place, at) < 0 {
			n++
		}
		out.append(moved[:n])
		moved = moved[n:]
		out.Keys, out.Rows = append(out.Keys, key), append(out.Rows, p.Rows[k])
	}
	return out, moved, nil
}

// place returns where the page's k-th row was.
func (p *Page) place(k int) (place, error) {
	score, err := layout.ParseScore(string(p.Scores[k]))
	if err != nil {
		return place{}, fmt.Errorf("%w: a score cannot be read", engine.ErrLost)
	}
	return place{score, string(p.Keys[k])}, nil
}

func pageOf(rows []change) *Page {
	p := &Page{}
	p.append(rows)
	return p
}

func (p *Page) append(rows []change) {
	for i := range rows {
		p.Keys, p.Rows = append(p.Keys, []byte(rows[i].key)), append(p.Rows, rows[i].row)
	}
}

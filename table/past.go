package table

// past is what a sweep has done with, key by key, so that none is deleted twice. Keys come again only where somebody else
// writes meanwhile: until then they are kept as they came, and not looked for.
type past struct {
	keys  [][]byte
	set   map[string]struct{} // keys that were moved here
	from  uint64              // the table's number at the last page that was read
	own   uint64              // effects of the sweep since
	begun bool                // there was a page
	loud  bool                // somebody else has had an effect
}

// quiet tells whether nobody but the sweep has had an effect since its last page, where the table's number is now.
func (p *past) quiet(now uint64) bool { return now == p.from+p.own }

// read is told the table's number at a page.
func (p *past) read(seq uint64) {
	p.loud = p.loud || p.begun && !p.quiet(seq)
	p.from, p.own, p.begun = seq, 0, true
}

func (p *past) add(key []byte) { p.keys = append(p.keys, key) }

func (p *past) has(key []byte) bool {
	if !p.loud {
		return false
	}
	if p.set == nil {
		p.set = make(map[string]struct{}, len(p.keys))
	}
	for _, k := range p.keys {
		p.set[string(k)] = struct{}{}
	}
	p.keys = p.keys[:0]
	_, is := p.set[string(key)]
	return is
}

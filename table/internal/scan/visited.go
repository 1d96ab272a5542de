package scan

// visited is the keys that a sweep is done with, so that none is deleted twice. Keys come again only where somebody else
// writes meanwhile: until then they are kept as they came, and not looked for.
type visited struct {
	keys [][]byte
	set  map[string]struct{} // instead, once keys may come again
}

func (v *visited) add(key []byte) {
	if v.set == nil {
		v.keys = append(v.keys, key)
		return
	}
	v.set[string(key)] = struct{}{}
}

// expectAgain is told that keys may come again from now on.
func (v *visited) expectAgain() {
	if v.set != nil {
		return
	}
	v.set = make(map[string]struct{}, len(v.keys))
	for _, k := range v.keys {
		v.set[string(k)] = struct{}{}
	}
	v.keys = nil
}

// has tells whether a key was added. Before expectAgain it is false.
func (v *visited) has(key []byte) bool {
	_, is := v.set[string(key)]
	return is
}

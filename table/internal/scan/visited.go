package scan

// visited is the keys that a sweep has dealt with, so that none is deleted twice. A key can come again only if somebody else has
// written meanwhile. Until then keys are only collected, in a list; after that in a set.
type visited struct {
	keys [][]byte
	set  map[string]struct{} // used instead of keys once keys may come again
}

func (v *visited) add(key []byte) {
	if v.set == nil {
		v.keys = append(v.keys, key)
		return
	}
	v.set[string(key)] = struct{}{}
}

// expectAgain notes that keys may come again from now on.
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

// has tells whether a key was added. Before expectAgain it returns false.
func (v *visited) has(key []byte) bool {
	_, is := v.set[string(key)]
	return is
}

package mirror

import "sync"

// mostChanged bounds how many changed keys are remembered. Whoever has missed more compares all that it has seen with what there is.
const mostChanged = 4096

// changed is which keys may differ between two versions.
type changed struct {
	keys   []string // encoded
	all    bool     // too many to tell
	copied bool     // the table was copied anew
}

func (c *changed) any() bool { return c.all || len(c.keys) > 0 }

// note notes that a key has changed, if it has.
func (c *changed) note(has bool, key []byte) {
	switch {
	case !has || c.all:
	case len(c.keys) == mostChanged:
		*c = changed{all: true, copied: c.copied}
	default:
		c.keys = append(c.keys, string(key))
	}
}

// join adds what others have changed.
func (c *changed) join(o changed) {
	c.keys, c.all, c.copied = append(c.keys, o.keys...), c.all || o.all, c.copied || o.copied
}

// journal remembers what has changed in the latest versions.
type journal struct {
	mu    sync.Mutex // guards what follows
	tells []changedIn
	from  uint64 // all that has changed after this version is told
	keys  int    // in tells
}

type changedIn struct {
	number uint64 // of the version
	keys   []string
}

// add adds a version.
func (j *journal) add(number uint64, c changed) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if c.all {
		j.tells, j.keys, j.from = nil, 0, number
		return
	}
	if len(c.keys) == 0 {
		return
	}
	j.tells, j.keys = append(j.tells, changedIn{number, c.keys}), j.keys+len(c.keys)
	for j.keys > mostChanged {
		j.keys, j.from = j.keys-len(j.tells[0].keys), j.tells[0].number
		j.tells[0].keys = nil
		j.tells = j.tells[1:]
	}
}

// between returns the keys that have changed after one version and up to another; ok is false if that is not known any more.
func (j *journal) between(from, to uint64) (keys []string, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if from < j.from {
		return nil, false
	}
	for _, e := range j.tells {
		if e.number > from && e.number <= to {
			keys = append(keys, e.keys...)
		}
	}
	return keys, true
}

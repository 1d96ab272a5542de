package stress

import "github.com/tablecache-go/tablecache/internal/model"

// stateSpace holds the states that the checker of one history has reached, and the steps between them. The checker reaches
// the same few states in very many ways. Each is here once, so that states are equal if their addresses are, and the model
// takes each step once.
type stateSpace struct {
	states map[versions]*linearState
	steps  map[linearStep]*linearState // nil: the answer was another one
}

// versions name a state: the version of each key, or tombstone, or 0 for none; and which keys were written through.
type versions struct {
	merged, staged [keys]int64
	written        [keys]bool
	active, over   bool
}

const tombstone = -1

type linearStep struct {
	from    *linearState
	request int
}

// canonical returns the one state of the space that holds the same as s.
func (l *stateSpace) canonical(s linearState) *linearState {
	name := versions{over: s.over, active: s.State == model.StateActive}
	for _, key := range s.WrittenThrough() {
		name.written[key[0]-'0'] = true
	}
	s.Rows(func(key string, i *Item, staged bool) {
		k, version := key[0]-'0', int64(tombstone)
		if i != nil {
			version = i.Version
		}
		if staged {
			name.staged[k] = version
		} else {
			name.merged[k] = version
		}
	})
	if l.states[name] == nil {
		l.states[name] = &s
	}
	return l.states[name]
}

// next returns the state after a request, or nil if the answer was another one.
func (s *linearState) next(in request, out response) *linearState {
	step := linearStep{s, in.number}
	next, known := s.space.steps[step]
	if !known {
		if legal, after := s.step(in, out); legal {
			next = s.space.canonical(after)
		}
		s.space.steps[step] = next
	}
	return next
}

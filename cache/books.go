package cache

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

// books say what is held and what of it is invalid. The note has the first for certain, and the second as it was told last.
type books[K comparable] struct {
	at atomic.Pointer[state]

	mu      sync.Mutex // guards what follows, and the replacing of at
	keys    map[K]numbers
	changes map[uint64]*change // under way, or in doubt, by the serials of their notes
}

// state is the books at one moment, but for which keys are invalid. Nobody changes it once it is stored.
type state struct {
	held
	version table.NoteVersion // of that note
	marks   marks
	keyed   int      // how many keys are invalid
	number  uint64   // of the latest invalidation
	now     Coverage // what is held, and what of it is invalid by the marks
}

// change is a change of what is held. It counts from the effect on that writes its note.
type change struct {
	held                     // what is held then
	of      Coverage         // what was held before
	kept    []Span           // of that
	fetched []table.Interval // which the change replaces
	number  uint64           // of the latest invalidation before fetching began
	anew    bool             // nothing is kept
	inDoubt bool             // nobody knows whether it was merged
}

// The invalidations that every cache begins with, by number.
const (
	unknownAge  = 1 + iota // what was loaded by another owner may have changed since
	neverLoaded            // of what was never loaded no source can replay what has changed
)

// begin begins with what the note says.
func (b *books[K]) begin(h held, v table.NoteVersion) {
	b.keys, b.changes = make(map[K]numbers), make(map[uint64]*change)
	s := state{held: h, version: v, number: neverLoaded}
	s.marks = s.marks.add(h.intervals(), unknownAge)
	s.marks = s.marks.add(h.unloaded(), neverLoaded)
	b.store(s)
}

// store replaces the state. The caller holds mu, or is alone.
func (b *books[K]) store(s state) {
	s.keyed = len(b.keys)
	s.now = Coverage{s.Index, marked(s.Spans, s.marks.intervals())}
	b.at.Store(&s)
}

// update changes the state.
func (b *books[K]) update(change func(*state)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := *b.at.Load()
	change(&s)
	b.store(s)
}

// number returns that of the latest invalidation.
func (b *books[K]) number() uint64 { return b.at.Load().number }

// since names a call that does something, and the latest invalidation that it counts: no two calls have the same name that differ in either.
func since(number uint64, what string) string { return strconv.FormatUint(number, 10) + " " + what }

// invalidate marks a set of scores. If the index is not the one that is covered, or is about to be, it may be anything.
func (b *books[K]) invalidate(index string, set []table.Interval) {
	b.update(func(s *state) {
		if len(s.Spans) > 0 && s.Index != index || b.changesTo(index) {
			set = []table.Interval{table.Everything()}
		}
		s.number++
		s.marks = s.marks.add(within(set, b.relevant(s)), s.number)
	})
}

// relevant returns the scores of which it matters whether they are invalid: what is held, and what is about to be. The caller holds mu.
func (b *books[K]) relevant(s *state) []table.Interval {
	set := s.intervals()
	for _, ch := range b.changes {
		set = union(set, ch.intervals())
	}
	return set
}

// changesTo tells whether another index than this one may soon be the one that is covered. The caller holds mu.
func (b *books[K]) changesTo(index string) bool {
	for _, ch := range b.changes {
		if ch.Index != index {
			return true
		}
	}
	return false
}

func (b *books[K]) invalidateKeys(keys []K) {
	b.update(func(s *state) {
		s.number++
		for _, key := range keys {
			b.keys[key] = b.keys[key].and(s.number)
		}
	})
}

// replayed drops the invalidation of what is of unknown age.
func (b *books[K]) replayed() {
	b.update(func(s *state) { s.marks = s.marks.fetched([]table.Interval{table.Everything()}, unknownAge) })
}

// invalidKeys returns the keys that the invalidations up to a number have left invalid.
func (b *books[K]) invalidKeys(upTo uint64) (keys []K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, n := range b.keys {
		if n.first <= upTo {
			keys = append(keys, key)
		}
	}
	return keys
}

// isInvalid tells whether the invalidations up to a number have left a key invalid.
func (b *books[K]) isInvalid(key K, upTo uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, named := b.keys[key]
	return named && n.first <= upTo
}

// fetchedKeys takes in that keys were fetched after the invalidation with this number.
func (b *books[K]) fetchedKeys(keys []K, number uint64) {
	b.update(func(*state) {
		for _, key := range keys {
			b.fetchedKey(key, number)
		}
	})
}

func (b *books[K]) fetchedKey(key K, number uint64) {
	if left := b.keys[key].after(number); left == (numbers{}) {
		delete(b.keys, key)
	} else {
		b.keys[key] = left
	}
}

// prepare begins a change of what is held. Fetching begins after that.
func (b *books[K]) prepare(ch *change, s *state, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ch.of = s.Coverage
	ch.number, ch.serial = b.number(), rand.Uint64()
	ch.Spans = tidy(append(loaded(ch.fetched, now), ch.kept...))
	b.changes[ch.serial] = ch
}

// note makes the note of a change, which tells what is invalid by now. What is joined so that it fits is invalid from now on.
func (b *books[K]) note(ch *change) (note []byte) {
	b.update(func(s *state) {
		invalid := ch.left(s.marks).intervals()
		ch.Spans, ch.keys = marked(ch.Spans, invalid), b.hasKeysAfter(ch)
		ch.fit()
		if more := without(ch.invalid(), invalid); len(more) > 0 {
			s.number++
			s.marks = s.marks.add(more, s.number)
		}
		note = ch.encode()
	})
	return note
}

// hasKeysAfter tells whether keys are invalid after a change.
func (b *books[K]) hasKeysAfter(ch *change) bool {
	for _, n := range b.keys {
		if !ch.anew || n.last > ch.number {
			return true
		}
	}
	return false
}

// left returns the marks that a change leaves.
func (ch *change) left(m marks) marks {
	if ch.anew {
		return m.fetched([]table.Interval{table.Everything()}, ch.number)
	}
	return m.fetched(ch.fetched, ch.number)
}

// isOf tells whether what is held is what a change began with, whatever of it is invalid.
func (s *state) isOf(ch *change) bool {
	return s.Index == ch.of.Index && slices.Equal(marked(s.Spans, nil), marked(ch.of.Spans, nil))
}

// drop forgets a change that was not merged, and never will be.
func (b *books[K]) drop(ch *change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.changes, ch.serial)
}

// doubt keeps a change of which nobody knows whether it was merged, or will be.
func (b *books[K]) doubt(ch *change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ch.inDoubt = true
}

// inDoubt returns the changes of which nobody knows whether they were merged.
func (b *books[K]) inDoubt() (doubtful []*change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ch := range b.changes {
		if ch.inDoubt {
			doubtful = append(doubtful, ch)
		}
	}
	return doubtful
}

// learn takes in what the note says. Of a note that is not of one of our changes nobody knows how old the records are.
func (b *books[K]) learn(h held, v table.NoteVersion) {
	b.update(func(s *state) {
		if v == s.version {
			return
		}
		ch, was := b.changes[h.serial], s.serial
		s.held, s.version = h, v
		switch {
		case ch != nil:
			s.marks = ch.left(s.marks)
			b.merged(ch)
		case was != h.serial:
			s.number++
			s.marks = s.marks.add(h.intervals(), s.number)
		}
		s.marks = s.marks.inside(b.relevant(s))
	})
}

// merged forgets a change that was merged, and the keys that were fetched with everything.
func (b *books[K]) merged(ch *change) {
	delete(b.changes, ch.serial)
	if !ch.anew {
		return
	}
	for key := range b.keys {
		b.fetchedKey(key, ch.number)
	}
}

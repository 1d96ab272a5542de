package cache

import (
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

// books say what is held and what of it is invalid. The note has the first for certain, and the second as it was told last.
type books[K comparable] struct {
	at atomic.Pointer[state]

	mu     sync.Mutex // guards what follows, and the replacing of at
	keys   map[K]uint64
	change *change // under way, or in doubt
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
	kept    []Span           // of what was held before
	fetched []table.Interval // which the change replaces
	number  uint64           // of the latest invalidation then
	anew    bool             // nothing is kept
	inDoubt bool             // nobody knows whether it was merged
}

// unknownAge is the number of the invalidation that every cache begins with: what was loaded by another owner may have changed since.
const unknownAge = 1

// begin begins with what the note says.
func (b *books[K]) begin(h held, v table.NoteVersion) {
	s := state{held: h, version: v, number: unknownAge}
	s.marks = s.marks.add(h.intervals(), unknownAge)
	b.keys = make(map[K]uint64)
	b.store(s)
}

// store replaces the state. The caller holds mu, or is alone.
func (b *books[K]) store(s state) {
	s.keyed = len(b.keys)
	s.now = Coverage{s.Index, marked(s.Spans, s.marks.upTo(s.number))}
	b.at.Store(&s)
}

// invalidate marks a set of scores. If the index is not the one that is covered, or is about to be, it may be anything.
func (b *books[K]) invalidate(index string, set []table.Interval) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := *b.at.Load()
	if len(s.Spans) > 0 && s.Index != index || b.change != nil && b.change.Index != index {
		set = []table.Interval{table.Everything()}
	}
	s.number++
	s.marks = s.marks.add(set, s.number)
	b.store(s)
}

func (b *books[K]) invalidateKeys(keys []K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := *b.at.Load()
	s.number++
	for _, key := range keys {
		b.keys[key] = s.number
	}
	b.store(s)
}

// replayed drops the invalidation that every cache begins with.
func (b *books[K]) replayed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := *b.at.Load()
	s.marks = s.marks.clear([]table.Interval{table.Everything()}, unknownAge)
	b.store(s)
}

// invalidKeys returns the keys that the invalidations up to a number have named, and none since.
func (b *books[K]) invalidKeys(upTo uint64) (keys []K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, number := range b.keys {
		if number <= upTo {
			keys = append(keys, key)
		}
	}
	return keys
}

// isInvalid tells whether a key was named by an invalidation up to a number, and by none since.
func (b *books[K]) isInvalid(key K, upTo uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	number, named := b.keys[key]
	return named && number <= upTo
}

// fetchedKeys drops the keys that were fetched after the invalidation with this number, and that nobody has named since.
func (b *books[K]) fetchedKeys(keys []K, number uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range keys {
		if b.keys[key] <= number {
			delete(b.keys, key)
		}
	}
	b.store(*b.at.Load())
}

// prepare begins a change of what is held. Fetching begins after that.
func (b *books[K]) prepare(ch *change, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ch.number, ch.serial = b.at.Load().number, rand.Uint64()
	ch.Spans = tidy(append(loaded(ch.fetched, now), ch.kept...))
	b.change = ch
}

// note makes the note of a change, which tells what is invalid by now. What is joined so that it fits is invalid from now on.
func (b *books[K]) note(ch *change) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := *b.at.Load()
	invalid := ch.left(s.marks).upTo(s.number)
	ch.Spans, ch.keys = marked(ch.Spans, invalid), b.hasKeysBut(ch)
	ch.fit()
	if more := without(ch.invalid(), invalid); len(more) > 0 {
		s.number++
		s.marks = s.marks.add(more, s.number)
		b.store(s)
	}
	return ch.encode()
}

// hasKeysBut tells whether keys are left that a change does not replace.
func (b *books[K]) hasKeysBut(ch *change) bool {
	for _, number := range b.keys {
		if !ch.anew || number > ch.number {
			return true
		}
	}
	return false
}

// left returns the marks that a change leaves.
func (ch *change) left(m marks) marks {
	if ch.anew {
		return m.clear([]table.Interval{table.Everything()}, ch.number)
	}
	return m.clear(union(ch.fetched, without([]table.Interval{table.Everything()}, ch.intervals())), ch.number)
}

// drop forgets a change that was not merged, and never will be.
func (b *books[K]) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.change = nil
}

// number names the latest invalidation.
func (b *books[K]) number() string { return strconv.FormatUint(b.at.Load().number, 10) }

// doubt keeps a change of which nobody knows whether it was merged, or will be.
func (b *books[K]) doubt() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.change != nil { // else a reader has learned of it
		b.change.inDoubt = true
	}
}

// isInDoubt tells whether there is such a change.
func (b *books[K]) isInDoubt() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.change != nil && b.change.inDoubt
}

// learn takes in what the note says. Of a note that is not of our latest change nobody knows how old the records are.
func (b *books[K]) learn(h held, v table.NoteVersion) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := *b.at.Load()
	if v == s.version {
		return
	}
	ch, serial := b.change, s.serial
	s.held, s.version = h, v
	switch {
	case ch != nil && ch.serial == h.serial:
		s.marks, b.change = ch.left(s.marks), nil
		b.forgetKeys(ch)
	case serial != h.serial:
		s.number++
		s.marks = s.marks.add(h.intervals(), s.number)
	}
	b.store(s)
}

func (b *books[K]) forgetKeys(ch *change) {
	for key, number := range b.keys {
		if ch.anew && number <= ch.number {
			delete(b.keys, key)
		}
	}
}

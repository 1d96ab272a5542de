package cache

import (
	"context"

	"github.com/tablecache-go/tablecache/table"
)

// question is what a read wants to know, and how fresh that must be.
type question[K comparable] struct {
	index   string
	in      []table.Interval
	fresh   Freshness
	number  uint64 // of the latest invalidation before the call: those after it do not count
	key     *K     // nil: of whatever key
	encoded string // the key
	waited  bool   // for the source
}

func (c *Cache[R, K]) newQuestion(f Freshness) question[K] {
	return question[K]{fresh: f, number: c.books.at.Load().number}
}

// freshen tells whether what is asked for is as fresh as it must be. If it is not, it has that fetched. ErrNotCovered: it is not
// covered.
func (c *Cache[R, K]) freshen(ctx context.Context, now *state, q *question[K]) (bool, error) {
	spans, err := now.asOf(q.number).touched(q.index, q.in)
	if err != nil {
		return false, err
	}
	time := c.now()
	stale := q.fresh.stale(spans, time)
	if q.index == now.Index && len(stale) > 0 {
		stale = within(stale, setOf(q.in...))
	}
	keys := noKeys[K]()
	if now.keyed > 0 && !q.fresh.allowsAll(spans, time) {
		keys = q.keys(&c.books)
	}
	if len(stale) == 0 && len(keys.of(q.number)) == 0 {
		return true, nil
	}
	q.waited = true
	return false, c.refresh(ctx, q.number, stale, keys)
}

// asOf returns what is held, and what of it is invalid by the invalidations up to a number.
func (s *state) asOf(number uint64) Coverage {
	if number >= s.number {
		return s.now
	}
	return Coverage{s.Index, marked(s.Spans, s.marks.upTo(number))}
}

// invalidKeys are the keys that a refresh fetches.
type invalidKeys[K comparable] struct {
	name string
	of   func(upTo uint64) []K // those that the invalidations up to a number have named, and none since
}

func noKeys[K comparable]() invalidKeys[K] {
	return invalidKeys[K]{"no key", func(uint64) []K { return nil }}
}

func everyKey[K comparable](b *books[K]) invalidKeys[K] {
	return invalidKeys[K]{"every key", b.invalidKeys}
}

// keys returns the keys that an answer depends on: a record of any of them may have moved into a range.
func (q *question[K]) keys(b *books[K]) invalidKeys[K] {
	if q.key == nil {
		return everyKey(b)
	}
	return invalidKeys[K]{"key " + q.encoded, func(upTo uint64) []K {
		if !b.isInvalid(*q.key, upTo) {
			return nil
		}
		return []K{*q.key}
	}}
}

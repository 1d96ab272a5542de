package cache

import (
	"context"

	"github.com/tablecache-go/tablecache/table"
)

// question is what a read wants to know, and how fresh that must be.
type question[K comparable] struct {
	index  string
	in     []table.Interval
	fresh  Freshness
	number uint64 // of the latest invalidation before the call: those after it do not count
	byKey  bool   // of the record with this key alone
	key    K
	waited bool // for the source
}

func (c *Cache[R, K]) newQuestion(f Freshness) question[K] {
	return question[K]{fresh: f, number: c.books.number()}
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
	var keys invalidKeys[K]
	if now.keyed > 0 && !q.fresh.allowsAll(spans, time) {
		if keys, err = c.keysOf(*q); err != nil {
			return false, err
		}
	}
	if len(stale) == 0 && len(keys.upTo(q.number)) == 0 {
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

// invalidKeys are the keys that a refresh fetches; the zero value: none.
type invalidKeys[K comparable] struct {
	name string
	of   func(upTo uint64) []K
}

// upTo returns those that the invalidations up to a number have named, and none since.
func (k invalidKeys[K]) upTo(number uint64) []K {
	if k.of == nil {
		return nil
	}
	return k.of(number)
}

func everyKey[K comparable](b *books[K]) invalidKeys[K] {
	return invalidKeys[K]{"every key", b.invalidKeys}
}

// keysOf returns the keys that an answer depends on: a record of any of them may have moved into a range.
func (c *Cache[R, K]) keysOf(q question[K]) (invalidKeys[K], error) {
	if !q.byKey {
		return everyKey(&c.books), nil
	}
	name, err := c.keyName(q.key)
	return invalidKeys[K]{name, func(upTo uint64) []K {
		if !c.books.isInvalid(q.key, upTo) {
			return nil
		}
		return []K{q.key}
	}}, err
}

// keyName names what a call for one key is about, see flightName.
func (c *Cache[R, K]) keyName(key K) (string, error) {
	encoded, err := c.def.LookupKeys(key)
	if err != nil {
		return "", err
	}
	return "key " + string(encoded[0]), nil
}

package stress

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"

	"github.com/tablecache-go/tablecache/table"
)

// inquiry makes reads of random kinds and says which worlds their answers are of. It is for one goroutine.
type inquiry struct {
	reader *table.Reader[member, string]
	rand   *rand.Rand
}

// fits tells whether an answer is what a world holds.
type fits = func(*world) bool

// wholeTable is the name of the read of everything.
const wholeTable = "whole table"

// ask makes one read. An answer of no world at all is a wrong.
func (q *inquiry) ask(ctx context.Context) (what string, f fits, err error) {
	low := q.rand.IntN(worldGroups)
	high := low + 1 + q.rand.IntN(min(3, worldGroups-low))
	switch kind := q.rand.IntN(20); {
	case kind == 0:
		f, err = q.everything(ctx)
		return wholeTable, f, err
	case kind < 6:
		f, err = q.groups(low, high, q.reader.Records(ctx, groupsSpec(low, high)))
		return "range", f, err
	case kind < 8:
		f, err = q.lookup(ctx, low)
		return "lookup", f, err
	case kind < 11:
		f, err = q.get(ctx, low)
		return "get", f, err
	case kind < 14:
		f, err = q.first(ctx)
		return "first", f, err
	case kind < 16:
		f, err = q.count(ctx, low, high)
		return "count", f, err
	}
	f, err = q.page(ctx)
	return "page", f, err
}

// everything reads the whole table, over many pages.
func (q *inquiry) everything(ctx context.Context) (fits, error) {
	s := q.reader.All([]string{"at", "rank"}[q.rand.IntN(2)])
	s.Reverse = q.rand.IntN(2) == 0
	return q.groups(0, worldGroups, q.inOrder(s, q.reader.Records(ctx, s)))
}

// inOrder passes the records of an answer on, and ends it where they are not in order.
func (q *inquiry) inOrder(s table.Spec[member], seq iter.Seq2[member, error]) iter.Seq2[member, error] {
	return func(yield func(member, error) bool) {
		var before *member
		for m, err := range seq {
			if err == nil && before != nil && isBefore(s, m, *before) {
				err = wrong{fmt.Errorf("by %s: %+v comes behind %+v", s.Index, m, *before)}
			}
			if !yield(m, err) || err != nil {
				return
			}
			before = &m
		}
	}
}

// isBefore tells whether a comes before b in the order of a spec.
func isBefore(s table.Spec[member], a, b member) bool {
	score := func(m member) int64 { return m.Slot*worldGroups + m.Group }
	if s.Index == "rank" {
		score = func(m member) int64 { return (m.Version*7919 + m.Group*31 + m.Slot) % 1000 }
	}
	if s.Reverse {
		a, b = b, a
	}
	return score(a) < score(b) || score(a) == score(b) && a.Key < b.Key
}

func (q *inquiry) groups(low, high int, seq iter.Seq2[member, error]) (fits, error) {
	r := newGroupsRead(low, high)
	for m, err := range seq {
		if err != nil {
			return nil, err
		}
		if err := r.add(m); err != nil {
			return nil, wrong{err}
		}
	}
	if err := r.whole(); err != nil {
		return nil, wrong{err}
	}
	return r.fits, nil
}

// lookup asks for all keys that a group can have.
func (q *inquiry) lookup(ctx context.Context, group int) (fits, error) {
	var keys []string
	for s := range int64(worldSlots) {
		keys = append(keys, memberKey(group, s, 0), memberKey(group, s, 1))
	}
	return q.groups(group, group+1, q.reader.Lookup(ctx, keys...))
}

func (q *inquiry) get(ctx context.Context, group int) (fits, error) {
	slot, variant := q.rand.Int64N(worldSlots), q.rand.Int64N(2)
	got, err := q.reader.Get(ctx, memberKey(group, slot, variant))
	isThere := !errors.Is(err, table.ErrNotFound)
	if err != nil && isThere {
		return nil, err
	}
	return func(w *world) bool {
		v := w.versions[group]
		if v == none || variantOf(v) != variant {
			return !isThere
		}
		return isThere && got == memberOf(group, slot, v)
	}, nil
}

// first asks for one end of the members with one slot.
func (q *inquiry) first(ctx context.Context) (fits, error) {
	low := q.rand.Int64N(worldSlots) * worldGroups
	s := q.reader.Range("at", float64(low), float64(low+worldGroups))
	s.Reverse = q.rand.IntN(2) == 0
	got, err := q.reader.First(ctx, s)
	isThere := !errors.Is(err, table.ErrNotFound)
	if err != nil && isThere {
		return nil, err
	}
	return func(w *world) bool {
		if isThere && w.versions[got.Group] != got.Version { // else no keys need to be made
			return false
		}
		all := w.members(low, w.count()/worldSlots)
		if len(all) == 0 {
			return !isThere
		}
		if s.Reverse {
			return isThere && got == all[len(all)-1]
		}
		return isThere && got == all[0]
	}, nil
}

func (q *inquiry) count(ctx context.Context, low, high int) (fits, error) {
	spec := groupsSpec(low, high)
	if q.rand.IntN(2) == 0 {
		spec, low, high = q.reader.All("rank"), 0, worldGroups
	}
	n, err := q.reader.Count(ctx, spec)
	return func(w *world) bool {
		part := emptyWorld()
		copy(part.versions[low:high], w.versions[low:high])
		return n == part.count()
	}, err
}

// pageSize is few enough for a page to be of one moment.
const pageSize = 5

// page asks for a page, or for the page behind one, each of which is of its own moment.
func (q *inquiry) page(ctx context.Context) (fits, error) {
	all := q.reader.All("at")
	got, next, err := q.reader.Page(ctx, all, "", pageSize)
	var behind *member
	if err == nil && next != "" && q.rand.IntN(2) == 0 {
		behind = &got[len(got)-1]
		got, next, err = q.reader.Page(ctx, all, next, pageSize)
	}
	return func(w *world) bool {
		for _, m := range got { // else no keys need to be made
			if w.versions[m.Group] != m.Version {
				return false
			}
		}
		want := w.behind(behind, pageSize+1)
		return (len(want) > pageSize) == (next != "") && slices.Equal(got, want[:min(len(want), pageSize)])
	}, err
}

//go:build unix

package faulty_test

import (
	"context"
	"maps"
)

// step is one call of a story and what readers see after it.
type step struct {
	name string
	do   func(context.Context, *entries) error
	then func(contents) // changes what is seen
}

func nothing(contents) {}

// story has every kind of effect once at least, on both ways of storing rows, and folds of several batches. Its calls
// come one after the other.
var story = []step{
	{"put", putting(span(0, 3, 1)), having(span(0, 3, 1))},
	{"put again", putting(span(1, 6, 2)), having(span(1, 6, 2))},
	{"delete keys", func(ctx context.Context, t *entries) error {
		_, err := t.DeleteKeys(ctx, 2, 3, 99)
		return err
	}, lacking(2, 3)},
	{"put after a script", putting(span(2, 3, 3)), having(span(2, 3, 3))},
	{"stage", staging(span(4, 254, 4)), nothing},
	{"discard", func(ctx context.Context, t *entries) error {
		_, err := t.ScratchDiscard(ctx, t.Range("id", 0, 2))
		return err
	}, nothing},
	{"merge", func(ctx context.Context, t *entries) error { return t.ScratchMerge(ctx) }, func(c contents) {
		having(span(4, 254, 4))(c)
		lacking(0, 1)(c)
	}},
	{"fold", func(ctx context.Context, t *entries) error { return t.WaitClear(ctx) }, nothing},
	{"stage to abort", staging(span(0, 9, 6)), nothing},
	{"abort", func(ctx context.Context, t *entries) error { return t.ScratchAbort(ctx) }, nothing},
	{"delete", func(ctx context.Context, t *entries) error {
		_, err := t.Delete(ctx, t.Range("id", 2, 150))
		return err
	}, func(c contents) {
		maps.DeleteFunc(c, func(id, _ int64) bool { return id >= 2 && id < 150 })
	}},
	{"clear", func(ctx context.Context, t *entries) error { return t.Clear(ctx) }, func(c contents) { clear(c) }},
	{"put at last", putting(span(7, 9, 7)), having(span(7, 9, 7))},
}

func putting(all []entry) func(context.Context, *entries) error {
	return func(ctx context.Context, t *entries) error { return t.Put(ctx, all...) }
}

func staging(all []entry) func(context.Context, *entries) error {
	return func(ctx context.Context, t *entries) error { return t.ScratchPut(ctx, all...) }
}

func having(all []entry) func(contents) {
	return func(c contents) {
		for _, e := range all {
			c[e.ID] = e.Version
		}
	}
}

func lacking(ids ...int64) func(contents) {
	return func(c contents) {
		for _, id := range ids {
			delete(c, id)
		}
	}
}

// states returns what readers see before the story and after each of its steps.
func states() []contents {
	seen := contents{}
	all := []contents{{}}
	for _, s := range story {
		s.then(seen)
		all = append(all, maps.Clone(seen))
	}
	return all
}

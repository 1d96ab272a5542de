//go:build unix

package faulty_test

import (
	"context"
	"fmt"

	"github.com/tablecache-go/tablecache/table"
)

// step is one call of a story, and the same call of the model.
type step struct {
	name string
	do   func(context.Context, *entries) error
	then func(*entryModel)
}

// story has every kind of effect once at least, on both ways of storing rows, also beside a session, and folds of several batches. Its calls
// come one after the other.
var story = []step{
	{"put", putting(span(0, 3, 1)), hasPut(span(0, 3, 1))},
	{"put again", putting(span(1, 6, 2)), hasPut(span(1, 6, 2))},
	{"delete keys", func(ctx context.Context, t *entries) error {
		_, err := t.DeleteKeys(ctx, 2, 3, 99)
		return err
	}, func(m *entryModel) { m.DeleteKeys(rawKeys(2, 3, 99)...) }},
	{"apply", applying(span(3, 5, 8), []int64{4000, 1}, []byte{}), hasApplied(span(3, 5, 8), []int64{4000, 1}, []byte{})},
	{"update", func(ctx context.Context, t *entries) error {
		return t.Update(ctx, 3, func(e *entry) error { e.Version += 10; return nil })
	}, func(m *entryModel) { m.Update(rawKey(3), func(e entry) entry { e.Version += 10; return e }) }},
	{"put after a script", putting(span(2, 3, 3)), hasPut(span(2, 3, 3))},
	{"stage", staging(span(4, 254, 4)), hasStaged(span(4, 254, 4))},
	{"discard", func(ctx context.Context, t *entries) error {
		_, err := t.ScratchDiscard(ctx, t.Range("id", 0, 2))
		return err
	}, func(m *entryModel) { m.Discard(between(0, 2)) }},
	{"put through", putting(span(3, 6, 11)), hasPut(span(3, 6, 11))},
	{"stage over it", staging(span(5, 8, 12)), hasStaged(span(5, 8, 12))},
	{"discard beside what was written through", func(ctx context.Context, t *entries) error {
		n, err := t.ScratchDiscard(ctx, t.Range("id", 2, 8))
		if err == nil && n != 3 { // 2, and 6 and 7, which are staged
			err = fmt.Errorf("discarded %d beside what was written through", n)
		}
		return err
	}, func(m *entryModel) { m.Discard(between(2, 8)) }},
	{"stage nothing that is left", staging(span(3, 6, 13)), hasStaged(span(3, 6, 13))},
	{"delete through", func(ctx context.Context, t *entries) error {
		_, err := t.DeleteKeys(ctx, 4, 0, 7, 99)
		return err
	}, func(m *entryModel) { m.DeleteKeys(rawKeys(4, 0, 7, 99)...) }},
	{"apply through", applying(span(8, 10, 14), []int64{4000, 253}, []byte("t")), hasApplied(span(8, 10, 14), []int64{4000, 253}, []byte("t"))},
	{"update through", func(ctx context.Context, t *entries) error {
		return t.Update(ctx, 3, func(e *entry) error { e.Version += 10; return nil })
	}, func(m *entryModel) { m.Update(rawKey(3), func(e entry) entry { e.Version += 10; return e }) }},
	{"merge", func(ctx context.Context, t *entries) error { return t.ScratchMerge(ctx) }, (*entryModel).Merge},
	{"fold", func(ctx context.Context, t *entries) error { return t.WaitClear(ctx) }, (*entryModel).Fold},
	{"apply by script", applying(span(2, 4, 9), []int64{4}, []byte("a")), hasApplied(span(2, 4, 9), []int64{4}, []byte("a"))},
	{"stage to abort", staging(span(0, 9, 6)), hasStaged(span(0, 9, 6))},
	{"abort", func(ctx context.Context, t *entries) error { return t.ScratchAbort(ctx) }, (*entryModel).Abort},
	{"merge of a session, with a note", inSession(span(5, 12, 12), []byte("s")), func(m *entryModel) {
		m.DiscardKeys(rawKeys(3, 99)...)
		m.Stage(span(5, 12, 12)...)
		m.MergeNoted([]byte("s"))
	}},
	{"fold of a session", func(ctx context.Context, t *entries) error { return t.WaitClear(ctx) }, (*entryModel).Fold},
	{"merge of nothing, with a note", inSession(nil, []byte("t")), func(m *entryModel) { m.MergeNoted([]byte("t")) }},
	{"delete", func(ctx context.Context, t *entries) error {
		_, err := t.Delete(ctx, t.Range("id", 2, 150))
		return err
	}, func(m *entryModel) { m.Delete(between(2, 150)) }},
	{"discard all", func(ctx context.Context, t *entries) error {
		n, err := t.ScratchDiscard(ctx, t.All("version"))
		if err == nil && n != 103 {
			err = fmt.Errorf("discarded %d of everything", n)
		}
		return err
	}, func(m *entryModel) { m.DiscardAll() }},
	{"stage for all", staging(span(200, 260, 10)), hasStaged(span(200, 260, 10))},
	{"put through for all", putting(span(208, 212, 15)), hasPut(span(208, 212, 15))},
	{"delete through for all", func(ctx context.Context, t *entries) error {
		_, err := t.DeleteKeys(ctx, 200, 208, 99)
		return err
	}, func(m *entryModel) { m.DeleteKeys(rawKeys(200, 208, 99)...) }},
	{"discard all but what was written through", func(ctx context.Context, t *entries) error {
		_, err := t.ScratchDiscard(ctx, t.All("id"))
		return err
	}, func(m *entryModel) { m.DiscardAll() }},
	{"stage for all again", staging(span(200, 260, 16)), hasStaged(span(200, 260, 16))},
	{"discard of what is staged for all", func(ctx context.Context, t *entries) error {
		_, err := t.ScratchDiscard(ctx, t.Range("id", 210, 220))
		return err
	}, func(m *entryModel) { m.Discard(between(210, 220)) }},
	{"merge of all", func(ctx context.Context, t *entries) error { return t.ScratchMerge(ctx) }, (*entryModel).Merge},
	{"fold of all", func(ctx context.Context, t *entries) error { return t.WaitClear(ctx) }, (*entryModel).Fold},
	{"put after a fold of all", putting(span(0, 3, 11)), hasPut(span(0, 3, 11))},
	{"discard all again", func(ctx context.Context, t *entries) error {
		_, err := t.ScratchDiscard(ctx, t.All("id"))
		return err
	}, func(m *entryModel) { m.DiscardAll() }},
	{"merge of nothing", func(ctx context.Context, t *entries) error { return t.ScratchMerge(ctx) }, (*entryModel).Merge},
	{"fold of nothing", func(ctx context.Context, t *entries) error { return t.WaitClear(ctx) }, (*entryModel).Fold},
	{"put after nothing", putting(span(0, 9, 12)), hasPut(span(0, 9, 12))},
	{"clear", func(ctx context.Context, t *entries) error { return t.Clear(ctx) }, (*entryModel).Clear},
	{"put at last", putting(span(7, 9, 7)), hasPut(span(7, 9, 7))},
}

// inSession stages entries, and the deletion of some keys, in a session, and merges it.
func inSession(all []entry, note []byte) func(context.Context, *entries) error {
	return func(ctx context.Context, t *entries) error {
		s, err := t.Scratch(ctx)
		if err != nil {
			return err
		}
		if len(all) > 0 {
			_, err = s.DiscardKeys(ctx, 3, 99)
		}
		if err == nil {
			err = s.Put(ctx, all...)
		}
		if err != nil {
			return err
		}
		return s.Merge(ctx, note)
	}
}

func putting(all []entry) func(context.Context, *entries) error {
	return func(ctx context.Context, t *entries) error { return t.Put(ctx, all...) }
}

func staging(all []entry) func(context.Context, *entries) error {
	return func(ctx context.Context, t *entries) error { return t.ScratchPut(ctx, all...) }
}

func applying(puts []entry, gone []int64, note []byte) func(context.Context, *entries) error {
	return func(ctx context.Context, t *entries) error {
		return t.Apply(ctx, table.Batch[entry, int64]{Put: puts, Delete: gone, Note: note})
	}
}

func hasApplied(puts []entry, gone []int64, note []byte) func(*entryModel) {
	return func(m *entryModel) { m.Apply(puts, rawKeys(gone...), note) }
}

func hasPut(all []entry) func(*entryModel) { return func(m *entryModel) { m.Put(all...) } }

func hasStaged(all []entry) func(*entryModel) { return func(m *entryModel) { m.Stage(all...) } }

// states returns what the table is like before the story and after each of its steps.
func states() []*entryModel {
	m := newModel()
	m.Through = true
	all := []*entryModel{m.Clone()}
	for _, s := range story {
		s.then(m)
		all = append(all, m.Clone())
	}
	return all
}

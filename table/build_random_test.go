package table_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// building is a table of which an index is built step by step, while everything that a table does is done to it.
type building struct {
	t     *testing.T
	rdb   *redis.Client
	name  string
	brake *brake
	tbl   *things
	n     int64 // puts

	indexes string // of the definition

	staging bool
}

// TestS2_WhateverIsDoneMeanwhileABuildEndsRight lets builds and folds have a step now and then, between writes of all kinds, repairs and
// take-overs.
func TestS2_WhateverIsDoneMeanwhileABuildEndsRight(t *testing.T) {
	t.Parallel()
	rdb := redistest.Shared(t).Client(t)
	rapid.Check(t, func(r *rapid.T) {
		b := &building{t: t, rdb: rdb, name: redistest.Prefix(t), brake: newBrake(t)}
		first := openThings(t, rdb, b.name, "iab", "i")
		ok(t, first.Put(t.Context(), someThings(rapid.IntRange(0, 700).Draw(r, "rows"))...))
		ok(t, first.Close())
		b.open(r)
		r.Repeat(map[string]func(*rapid.T){
			"open":    b.open,
			"step":    func(*rapid.T) { b.brake.turn(t) },
			"put":     func(r *rapid.T) { ok(t, b.tbl.Put(t.Context(), b.some(r)...)) },
			"update":  b.update,
			"keys":    b.deleteKeys,
			"delete":  b.delete,
			"stage":   b.stage,
			"discard": b.discard,
			"all":     b.discardAll,
			"end":     b.end,
			"clear":   b.clear,
			"repair":  b.repair,
		})
		b.check()
	})
}

// settled makes sure that writes which wait for a fold need not.
func (b *building) settled(r *rapid.T) {
	if st, err := b.tbl.Stats(b.t.Context()); err != nil || st.State == table.StateMerging {
		ok(b.t, err)
		b.brake.release()
		ok(b.t, b.tbl.WaitClear(b.t.Context()))
		b.brake.now = nil
		b.brake.press(b.t)
	}
}

func (b *building) open(r *rapid.T) {
	before := b.tbl
	b.indexes = rapid.SampledFrom([]string{"ia", "iA", "bia", "iab"}).Draw(r, "indexes")
	b.tbl = openThings(b.t, b.rdb, b.name, "iab", b.indexes,
		table.WithCleanup(b.brake.pool), table.WithWriteThrough())
	if before != nil {
		ok(b.t, before.Close())
	}
	b.staging = false
}

func (b *building) some(r *rapid.T) (all []thing) {
	b.settled(r)
	first, n := rapid.Int64Range(1, 800).Draw(r, "first"), rapid.Int64Range(1, 60).Draw(r, "n")
	b.n++
	for id := first; id < first+n; id++ {
		all = append(all, thing{ID: id, A: 1000*b.n + id, B: id - b.n})
	}
	return all
}

func (b *building) update(r *rapid.T) {
	b.settled(r)
	b.n++
	err := b.tbl.Update(b.t.Context(), rapid.Int64Range(1, 800).Draw(r, "key"), func(t *thing) error { t.A, t.B = -b.n, b.n; return nil })
	if err != nil && !errors.Is(err, table.ErrNotFound) {
		b.t.Error(err)
	}
}

func (b *building) deleteKeys(r *rapid.T) {
	b.settled(r)
	var keys []int64
	for id := rapid.Int64Range(1, 800).Draw(r, "first"); len(keys) < 50; id++ {
		keys = append(keys, id)
	}
	_, err := b.tbl.DeleteKeys(b.t.Context(), keys...)
	ok(b.t, err)
}

func (b *building) between(r *rapid.T) table.Spec[thing] {
	from := rapid.Float64Range(1, 800).Draw(r, "from")
	return b.tbl.Range("i", from, from+rapid.Float64Range(1, 300).Draw(r, "width"))
}

func (b *building) delete(r *rapid.T) {
	b.settled(r)
	if b.staging {
		return
	}
	_, err := b.tbl.Delete(b.t.Context(), b.between(r))
	ok(b.t, err)
}

func (b *building) stage(r *rapid.T) {
	ok(b.t, b.tbl.ScratchPut(b.t.Context(), b.some(r)...))
	b.staging = true
}

func (b *building) discard(r *rapid.T) {
	b.settled(r)
	_, err := b.tbl.ScratchDiscard(b.t.Context(), b.between(r))
	ok(b.t, err)
	b.staging = true
}

func (b *building) discardAll(r *rapid.T) {
	b.settled(r)
	_, err := b.tbl.ScratchDiscard(b.t.Context(), b.tbl.All("i"))
	ok(b.t, err)
	b.staging = true
}

func (b *building) end(r *rapid.T) {
	end := b.tbl.ScratchMerge
	if rapid.IntRange(0, 3).Draw(r, "abort") == 0 {
		end = b.tbl.ScratchAbort
	}
	ok(b.t, end(b.t.Context()))
	b.staging = false
}

func (b *building) clear(r *rapid.T) {
	if rapid.IntRange(0, 4).Draw(r, "really") == 0 {
		ok(b.t, b.tbl.Clear(b.t.Context()))
		b.staging = false
	}
}

func (b *building) repair(*rapid.T) {
	report, err := b.tbl.Repair(b.t.Context())
	if ok(b.t, err); len(report.Problems) > 0 {
		b.t.Errorf("repaired %v", report.Problems)
	}
}

// check lets all builds and folds end, and compares what the indexes show.
func (b *building) check() {
	ctx := context.Background()
	ok(b.t, b.tbl.ScratchAbort(ctx))
	b.brake.release()
	ok(b.t, b.tbl.WaitClear(ctx))
	untilBuilt(b.t, b.tbl)
	report, err := b.tbl.Verify(ctx)
	if ok(b.t, err); len(report.Problems) > 0 {
		b.t.Errorf("found %v", report.Problems)
	}
	want := all(b.t, b.tbl.Records(ctx, b.tbl.All("i")))
	got := all(b.t, b.tbl.Records(ctx, b.tbl.All("a")))
	slices.SortFunc(got, func(x, y thing) int { return cmp.Compare(x.ID, y.ID) })
	if text(got) != text(want) {
		b.t.Errorf("by a: got %s, want %s", text(got), text(want))
	}
	walk.Walk(b.t, b.rdb, b.name, indexNames(b.indexes)...)
	ok(b.t, b.tbl.Close())
	ok(b.t, table.Drop(ctx, b.rdb, b.name))
}

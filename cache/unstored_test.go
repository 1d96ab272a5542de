package cache_test

import (
	"context"
	"iter"
	"slices"
	"testing"

	"github.com/tablecache-go/tablecache/cache"
	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// ranked is a record whose rank is not stored.
type ranked struct {
	ID, Value int64
	Rank      float64
}

type ranking func() ranked

func (r ranking) Fetch(_ context.Context, _ string, in []interval) iter.Seq2[ranked, error] {
	return func(yield func(ranked, error) bool) {
		one := r()
		if slices.ContainsFunc(in, func(in interval) bool { return in.Contains(one.Rank) }) {
			yield(one, nil)
		}
	}
}

// C4, C6: where in the coverage a record lies is not told by what is stored if its score needs more than that.
func TestC4_AScoreThatIsNotStoredTellsNothing(t *testing.T) {
	t.Parallel()
	tbl, err := table.Open(t.Context(), redistest.Shared(t).Client(t), table.Definition[ranked, int64]{
		Name:       redistest.Prefix(t),
		PrimaryKey: table.Key(codec.Int64, func(r *ranked) int64 { return r.ID }),
		Attributes: []table.Attribute[ranked]{
			table.Field("id", codec.Int64, func(r *ranked) *int64 { return &r.ID }),
			table.Field("value", codec.Int64, func(r *ranked) *int64 { return &r.Value }),
		},
		Indexes: []table.Index[ranked]{table.By("rank", func(r *ranked) float64 { return r.Rank }).Unstored()},
	})
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	now := ranked{ID: 1, Value: 1, Rank: 5}
	c, err := cache.New(t.Context(), tbl, ranking(func() ranked { return now }))
	ok(t, err)
	t.Cleanup(func() { c.Close() })
	for _, covered := range []interval{from(3, 10), from(0, 10)} {
		ok(t, c.Cover(t.Context(), "rank", covered))
		now.Value++
		ok(t, c.Invalidate("rank", from(4, 6)))
		got, err := c.Get(t.Context(), 1, cache.Fresh())
		ok(t, err)
		if got.Value != now.Value {
			t.Errorf("got %v, want %v", got, now)
		}
	}
}

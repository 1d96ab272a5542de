package cache_test

import (
	"context"
	"iter"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// text is a record whose key is a text, which must be UTF-8.
type text struct{ Name string }

func openText(t testing.TB) *table.Table[text, string] {
	t.Helper()
	tbl, err := table.Open(t.Context(), redistest.Shared(t).Client(t), table.Definition[text, string]{
		Name:       redistest.Prefix(t),
		PrimaryKey: table.Key(codec.String, func(r *text) string { return r.Name }),
		Attributes: []table.Attribute[text]{table.Field("name", codec.String, func(r *text) *string { return &r.Name })},
		Indexes:    []table.Index[text]{table.By("length", func(r *text) float64 { return float64(len(r.Name)) })},
	})
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	return tbl
}

// textSource has no records.
type textSource struct{}

func (textSource) Fetch(context.Context, string, []table.Interval) iter.Seq2[text, error] {
	return func(func(text, error) bool) {}
}

func (textSource) FetchKeys(context.Context, []string) iter.Seq2[text, error] {
	return func(func(text, error) bool) {}
}

// onlyByInterval is a source that cannot fetch by key.
type onlyByInterval struct{ of *source }

func (s onlyByInterval) Fetch(ctx context.Context, index string, in []interval) iter.Seq2[item, error] {
	return s.of.Fetch(ctx, index, in)
}

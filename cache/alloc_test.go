package cache_test

import (
	"iter"
	"testing"

	"github.com/tablecache-go/tablecache/cache"
)

// What a covered read allocates beyond the table's own read.
func TestCoveredReadAllocatesLittleMore(t *testing.T) {
	const most = 6
	c := newCache(t, openTable(t), newSource(numbered(0, 100)...))
	ok(t, c.Cover(t.Context(), "at", from(0, 100)))
	tbl, ctx, spec := cache.TableOf(c), t.Context(), at(from(7, 8))
	for what, reads := range map[string][2]func() error{
		"Records": {
			func() error { return lastError(c.Records(ctx, spec, cache.Fresh())) },
			func() error { return lastError(tbl.Records(ctx, spec)) },
		},
		"Count": {
			func() error { _, err := c.Count(ctx, spec, cache.Fresh()); return err },
			func() error { _, err := tbl.Count(ctx, spec); return err },
		},
		"Get": {
			func() error { _, err := c.Get(ctx, 7, cache.Fresh()); return err },
			func() error { _, err := tbl.Get(ctx, 7); return err },
		},
	} {
		covered, own := allocations(t, reads[0]), allocations(t, reads[1])
		if t.Logf("%s: %.0f, the table's %.0f", what, covered, own); covered > own+most {
			t.Errorf("%s allocates %.0f times, the table's own %.0f", what, covered, own)
		}
	}
}

func allocations(t *testing.T, read func() error) float64 {
	for range 100 {
		ok(t, read())
	}
	return testing.AllocsPerRun(500, func() { ok(t, read()) })
}

func lastError(records iter.Seq2[item, error]) (last error) {
	for _, err := range records {
		last = err
	}
	return last
}

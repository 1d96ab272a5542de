//go:build unix

package faulty_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// plot is a record whose definition gets another attribute and other indexes.
type plot struct{ ID, A, B int64 }

type plots = table.Table[plot, int64]

const manyPlots = 900 // more than one step of a build reads

func plotDefinition(name, which string) table.Definition[plot, int64] {
	d := table.Definition[plot, int64]{
		Name:       name,
		PrimaryKey: table.Key(codec.Int64, func(p *plot) int64 { return p.ID }),
		Attributes: []table.Attribute[plot]{
			table.Field("id", codec.Int64, func(p *plot) *int64 { return &p.ID }),
			table.Field("a", codec.Int64, func(p *plot) *int64 { return &p.A }),
		},
		Indexes: []table.Index[plot]{table.By("id", func(p *plot) float64 { return float64(p.ID) })},
	}
	if which == "after" {
		d.Attributes = append(d.Attributes, table.Field("b", codec.Int64, func(p *plot) *int64 { return &p.B }))
		d.Indexes = []table.Index[plot]{table.By("a", func(p *plot) float64 { return -float64(p.A) }), d.Indexes[0]}
	}
	return d
}

// fillPlots leaves a table of the definition of before behind, in one state or another.
func fillPlots(t *testing.T, rdb redis.UniversalClient, name string, merging bool) {
	t.Helper()
	tbl, err := table.Open(t.Context(), rdb, plotDefinition(name, "before"))
	ok(t, err)
	var all []plot
	for id := range int64(manyPlots) {
		all = append(all, plot{ID: id, A: id})
	}
	ok(t, tbl.Put(t.Context(), all...))
	if merging {
		ok(t, tbl.ScratchPut(t.Context(), all[:300]...))
		ok(t, tbl.ScratchMerge(t.Context()))
	}
	ok(t, tbl.Close())
}

// S2: the connection is cut before and after each command of an Open that changes the schema, and of the build that follows; and an owner
// is left behind there, so that the next one goes on. The index is complete in the end, and right.
func TestS2_ABuildIsCutAtEachCall(t *testing.T) {
	t.Parallel()
	for _, ends := range []string{"goes on", "is left behind"} {
		for _, merging := range []bool{false, true} {
			t.Run(fmt.Sprintf("the owner %s/merging %t", ends, merging), func(t *testing.T) {
				t.Parallel()
				srv := redistest.Shared(t)
				for n, more := 0, true; more; n++ {
					for _, side := range []faulty.Side{faulty.Before, faulty.After} {
						more = cutBuild(t, srv, n, side, merging, ends == "is left behind") && more
					}
				}
			})
		}
	}
}

// cutBuild does so at one command, and tells whether it was reached.
func cutBuild(t *testing.T, srv *redistest.Server, n int, side faulty.Side, merging, leaves bool) bool {
	t.Helper()
	sound := srv.Client(t)
	proxy, name := proxied(t, srv)
	fillPlots(t, sound, name, merging)
	reached := atPoint(proxy, n, side, proxy.CutAll)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	rdb := client(t, proxy.Addr(), 0)
	tbl, err := table.Open(ctx, rdb, plotDefinition(name, "after"))
	if err != nil { // an owner who does not hear whether he is one asks again
		tbl, err = table.Open(ctx, rdb, plotDefinition(name, "after"))
	}
	ok(t, err)
	if leaves {
		for len(reached) == 0 && isBuilding(ctx, t, tbl) {
		}
		ok(t, tbl.Close())
		tbl, err = table.Open(ctx, sound, plotDefinition(name, "after"))
		ok(t, err)
	}
	for isBuilding(ctx, t, tbl) {
	}
	count, err := tbl.Count(ctx, tbl.All("a"))
	ok(t, err)
	first, err := tbl.First(ctx, tbl.All("a"))
	if ok(t, err); count != manyPlots || first.ID != manyPlots-1 {
		t.Errorf("%v %d: %d records, the first is %v", side, n, count, first)
	}
	ok(t, tbl.WaitClear(ctx))
	ok(t, tbl.Close())
	walk.Walk(t, sound, name, "a", "id")
	ok(t, table.Drop(t.Context(), sound, name))
	return len(reached) > 0
}

func isBuilding(ctx context.Context, t *testing.T, tbl *plots) bool {
	t.Helper()
	st, err := tbl.Stats(ctx)
	ok(t, err)
	return len(st.Building) > 0
}

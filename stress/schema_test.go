package stress

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// varied is a record of a table whose definition changes. A and B are equal in every version of it, and C, where it is stored, is too.
type varied struct{ ID, A, B, C, D int64 }

const variedRows = 400

// variedDefinition has some attributes and indexes beside those that every definition has.
func variedDefinition(name string, more []table.Attribute[varied], indexes []table.Index[varied]) table.Definition[varied, int64] {
	d := table.Definition[varied, int64]{
		Name:       name,
		PrimaryKey: table.Key(codec.Int64, func(v *varied) int64 { return v.ID }),
		Attributes: append(more,
			table.Field("id", codec.Int64, func(v *varied) *int64 { return &v.ID }),
			table.Field("a", codec.Int64, func(v *varied) *int64 { return &v.A }),
			table.Field("b", codec.Int64, func(v *varied) *int64 { return &v.B })),
		Indexes: append(indexes, table.By("id", func(v *varied) float64 { return float64(v.ID) })),
	}
	return d
}

// variety draws a definition.
func variety(r *rand.Rand, name string) table.Definition[varied, int64] {
	more := []table.Attribute[varied]{
		table.Field("c", codec.Int64, func(v *varied) *int64 { return &v.C }),
		table.Field("d", codec.Int64, func(v *varied) *int64 { return &v.D }),
	}
	indexes := []table.Index[varied]{
		table.By("a", func(v *varied) float64 { return float64(v.A) }),
		table.By("b", func(v *varied) float64 { return float64(v.B % 100) }),
	}
	if r.IntN(2) == 0 {
		indexes[1] = table.By("b", func(v *varied) float64 { return -float64(v.B) }).Version(1)
	}
	r.Shuffle(2, func(i, j int) { more[i], more[j] = more[j], more[i] })
	r.Shuffle(2, func(i, j int) { indexes[i], indexes[j] = indexes[j], indexes[i] })
	return variedDefinition(name, slices.Clip(more[:r.IntN(3)]), slices.Clip(indexes[:r.IntN(3)]))
}

// rolling is a table whose owners change, with readers of several definitions.
type rolling struct {
	*testing.T
	rdb   *redis.Client
	name  string
	tbl   atomic.Pointer[table.Table[varied, int64]]
	reads atomic.Int64
}

// TestS4_RollingChangesWithoutAFailedRead has owners with other definitions take over under load: no read fails, none is torn, and
// each index that is built is right.
func TestS4_RollingChangesWithoutAFailedRead(t *testing.T) {
	r := &rolling{T: t, rdb: redistest.Start(t, redistest.Options{}).Client(t), name: "varied"}
	random := source(16)
	r.takeOver(variety(random, r.name))
	for id := range int64(variedRows) {
		ok(t, r.tbl.Load().Put(t.Context(), varied{ID: id}))
	}
	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for range 3 {
		r.read(ctx, &load, variety(random, r.name))
	}
	load.Go(func() { r.write(ctx) })
	p := session.begin(t, "rolling changes of a definition without a failed read", 100, schemaShare)
	for n := 1; !p.isOver() && !t.Failed(); n++ {
		def := variety(random, r.name)
		r.takeOver(def, dropping(random)...)
		r.untilBuilt(def)
		p.reach(float64(n))
	}
	stop()
	load.Wait()
	ok(t, r.tbl.Load().WaitClear(t.Context()))
	ok(t, r.tbl.Load().Close())
	readsMade.Add(r.reads.Load())
}

func dropping(r *rand.Rand) []table.Option {
	if r.IntN(4) == 0 {
		return []table.Option{table.WithDropping()}
	}
	return nil
}

func (r *rolling) takeOver(def table.Definition[varied, int64], opts ...table.Option) {
	tbl, err := table.Open(r.Context(), r.rdb, def, opts...)
	ok(r.T, err)
	if old := r.tbl.Swap(tbl); old != nil {
		ok(r.T, old.Close())
	}
}

// untilBuilt waits until the indexes of a definition are complete, and compares them.
func (r *rolling) untilBuilt(def table.Definition[varied, int64]) {
	tbl := r.tbl.Load()
	for {
		st, err := tbl.Stats(r.Context())
		ok(r.T, err)
		if len(st.Building) == 0 {
			break
		}
	}
	ok(r.T, tbl.WaitClear(r.Context()))
	report, err := tbl.Verify(r.Context())
	ok(r.T, err)
	if !report.OK() || len(report.Building) > 0 {
		r.Errorf("after a change: %+v", report)
	}
	walk.Walk(r.T, r.rdb, r.name, indexesOf(def)...)
}

func indexesOf(def table.Definition[varied, int64]) (names []string) {
	for _, name := range []string{"id", "a", "b"} {
		if _, err := def.Query(table.Spec[varied]{Index: name}); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// write writes through whoever is the owner, some by reloads.
func (r *rolling) write(ctx context.Context) {
	for version := int64(1); ctx.Err() == nil; version++ {
		tbl := r.tbl.Load()
		id := version * 17 % variedRows
		record := varied{ID: id, A: version, B: version, C: version, D: version}
		err := tbl.Put(ctx, record)
		if version%50 == 0 && err == nil {
			if err = tbl.ScratchPut(ctx, record); err == nil {
				err = tbl.ScratchMerge(ctx)
			}
		}
		switch {
		case err == nil, errors.Is(err, table.ErrFenced), errors.Is(err, table.ErrClosed), ctx.Err() != nil:
		default:
			r.Errorf("write: %v", err)
			return
		}
	}
}

// read reads by a Reader and a mirror of a definition.
func (r *rolling) read(ctx context.Context, load *sync.WaitGroup, def table.Definition[varied, int64]) {
	reader, err := table.OpenReader(ctx, r.rdb, def, table.WithPageBytes(4<<10))
	ok(r.T, err)
	r.Cleanup(func() { reader.Close() })
	m, err := mirror.Open(ctx, r.rdb, def)
	ok(r.T, err)
	r.Cleanup(func() { m.Close() })
	for _, h := range []table.KeyReading[varied, int64]{reader, m} {
		load.Go(func() {
			for ctx.Err() == nil && !r.Failed() {
				if err := r.readOnce(ctx, h); err != nil && ctx.Err() == nil {
					r.Errorf("%T: %v", h, err)
				}
			}
		})
	}
}

func (r *rolling) readOnce(ctx context.Context, h table.KeyReading[varied, int64]) error {
	records, err := table.Collect(h.Records(ctx, h.All("id")))
	if err == nil && len(records) != variedRows {
		err = fmt.Errorf("%d records of %d", len(records), variedRows)
	}
	for _, v := range records {
		if v.A != v.B || v.C != 0 && v.C != v.A || v.D != 0 && v.D != v.A {
			err = fmt.Errorf("a torn record %+v", v)
		}
	}
	if err == nil {
		_, err = h.Get(ctx, 7)
	}
	for _, index := range []string{"a", "b"} {
		if n, by := h.Count(ctx, h.All(index)); by == nil && n != variedRows {
			err = fmt.Errorf("by %s: %d records", index, n)
		} else if by != nil && !errors.Is(by, table.ErrIndexBuilding) && !errors.Is(by, table.ErrUnknownIndex) && err == nil {
			err = fmt.Errorf("by %s: %w", index, by)
		}
	}
	r.reads.Add(1)
	return err
}

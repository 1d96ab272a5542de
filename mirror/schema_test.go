package mirror_test

import (
	"context"
	"errors"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/cleanup"
	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// grown is an item with one attribute more.
type grown struct {
	item
	Gate string
}

func grownDefinition(name string) table.Definition[grown, int64] {
	return table.Definition[grown, int64]{
		Name:       name,
		PrimaryKey: table.Key(codec.Int64, func(g *grown) int64 { return g.ID }),
		Attributes: []table.Attribute[grown]{
			table.Field("gate", codec.String, func(g *grown) *string { return &g.Gate }),
			table.Field("rank", codec.Float64, func(g *grown) *float64 { return &g.Rank }),
			table.Field("at", codec.Float64, func(g *grown) *float64 { return &g.At }),
			table.Field("name", codec.String, func(g *grown) *string { return &g.Name }),
			table.Field("id", codec.Int64, func(g *grown) *int64 { return &g.ID }),
		},
		Indexes: []table.Index[grown]{
			table.By("id", func(g *grown) float64 { return float64(g.ID) }),
			table.By("rank", func(g *grown) float64 { return g.Rank }),
			table.By("at", func(g *grown) float64 { return g.At }),
		},
	}
}

func openGrown(t *testing.T, rdb redis.UniversalClient, name string) *table.Table[grown, int64] {
	t.Helper()
	tbl, err := table.Open(t.Context(), rdb, grownDefinition(name))
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	return tbl
}

// S4: mirrors of both definitions go on over owners of both, and show what they know; an index that is not there says so, and comes.
func TestS4_MirrorsOfBothDefinitions(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	old := openOn(t, rdb, name)
	put(t, old, numbered(0, 300)...)
	before := mirrorOn(t, rdb, name)
	after, err := mirror.Open(t.Context(), rdb, grownDefinition(name))
	ok(t, err)
	t.Cleanup(func() { after.Close() })
	if _, err := after.Count(t.Context(), after.All("id")); !errors.Is(err, table.ErrIndexBuilding) {
		t.Errorf("got %v, want ErrIndexBuilding", err)
	}
	if n, err := after.Count(t.Context(), after.All("at")); n != 300 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}

	now := openGrown(t, rdb, name)
	ok(t, now.Put(t.Context(), grown{item{ID: 7, Name: "seven", At: -1}, "B7"}))
	ok(t, before.WaitFor(t.Context(), now.Position()))
	first, err := before.First(t.Context(), before.All("at"))
	if ok(t, err); first.ID != 7 || first.Name != "seven" {
		t.Errorf("got %+v", first)
	}
	until(t, "the new index", func() bool { n, err := after.Count(t.Context(), after.All("id")); return err == nil && n == 300 })
	ok(t, after.WaitFor(t.Context(), now.Position()))
	seven, err := after.Get(t.Context(), 7)
	if ok(t, err); seven.Gate != "B7" {
		t.Errorf("got %+v", seven)
	}

	again := openOn(t, rdb, name)
	put(t, again, item{ID: 8, Name: "eight", At: -2})
	ok(t, after.WaitFor(t.Context(), again.Position()))
	until(t, "the index to go", func() bool {
		_, err := after.Count(t.Context(), after.All("id"))
		return errors.Is(err, table.ErrIndexBuilding)
	})
	eight, err := after.First(t.Context(), after.All("at"))
	if ok(t, err); eight.ID != 8 || eight.Gate != "" {
		t.Errorf("got %+v", eight)
	}
	catchUp(t, before, again)
	wantItems(t, "the older mirror", all(t, before.Records(t.Context(), before.All("rank"))), all(t, again.Records(t.Context(), again.All("rank"))))
}

// S4: rows that are equal by the mirror's definition make no change, whatever else a newer owner writes; a loop over changes waits while
// its index is built anew.
func TestS4_ChangesGoOnOverAnotherSchema(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	put(t, openOn(t, rdb, name), numbered(0, 50)...)
	m := mirrorOn(t, rdb, name)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	changes := make(chan mirror.Change[item, int64], 1000)
	go func() {
		for c, err := range m.Changes(ctx, m.All("at")) {
			if err == nil {
				changes <- c
			}
		}
		close(changes)
	}()
	for receive(t, "all that is there", changes).Kind != mirror.Caught {
	}
	now := openGrown(t, rdb, name)
	for _, i := range numbered(0, 50) {
		ok(t, now.Put(t.Context(), grown{i, "A1"}))
	}
	ok(t, now.Put(t.Context(), grown{item{ID: 3, Name: "other", At: numbered(3, 4)[0].At}, ""}))
	c := receive(t, "a change", changes)
	if c.Kind != mirror.Update || c.Key != 3 || c.After.Name != "other" {
		t.Errorf("got %v of %d", c.Kind, c.Key)
	}
	cancel()
	for c := range changes {
		t.Errorf("got %v of %d", c.Kind, c.Key)
	}
}

// standstill is a job that keeps its worker until it is stopped, so that folds behind it stand still.
type standstill chan struct{}

func (standstill) Name() string { return "standstill" }

func (s standstill) Step(ctx context.Context) (done bool, err error) {
	close(s)
	<-ctx.Done()
	return true, nil
}

// S4: what an owner has merged and not folded, and what he has only staged, is the same for mirrors of both definitions when an owner
// with other indexes has come.
func TestS4_MirrorsOverAFoldBeforeTheIndexesChange(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	pool, s := cleanup.NewPool(1), make(standstill)
	t.Cleanup(func() { ok(t, pool.Close(context.Background())) })
	_, err := pool.Submit(s)
	ok(t, err)
	<-s
	old := openOn(t, rdb, name, table.WithCleanup(pool))
	put(t, old, numbered(0, 300)...)
	before := mirrorOn(t, rdb, name)
	after, err := mirror.Open(t.Context(), rdb, grownDefinition(name))
	ok(t, err)
	t.Cleanup(func() { after.Close() })
	ok(t, old.ScratchPut(t.Context(), numbered(250, 350)...))
	ok(t, old.ScratchMerge(t.Context()))
	ok(t, old.Close())
	now := openGrown(t, rdb, name)
	ok(t, now.Put(t.Context(), grown{item{ID: 7, Name: "seven"}, "B7"}))
	ok(t, now.ScratchPut(t.Context(), grown{item{ID: 1000}, "B1"}))
	again := openOn(t, rdb, name)
	catchUp(t, before, again)
	ok(t, after.WaitFor(t.Context(), again.Position()))
	want := all(t, again.Records(t.Context(), again.All("at")))
	wantItems(t, "the older mirror", all(t, before.Records(t.Context(), before.All("at"))), want)
	var shown []item
	for _, g := range all(t, after.Records(t.Context(), after.All("at"))) {
		shown = append(shown, g.item)
		if (g.Gate != "") != (g.ID == 7) {
			t.Errorf("got %+v", g)
		}
	}
	wantItems(t, "the newer mirror", shown, want)
}

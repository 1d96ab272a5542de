package table_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// plainHook counts the plain commands and the scripts by which a table is read.
type plainHook struct {
	counter
	ranges, scripts counter
}

func (h *plainHook) note(cmds ...redis.Cmder) {
	for _, cmd := range cmds {
		switch cmd.Name() {
		case "zrange":
			h.ranges.n.Add(1)
		case "evalsha":
			h.scripts.n.Add(1)
		}
	}
}

func (h *plainHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		h.note(cmd)
		return next(ctx, cmd)
	}
}

func (h *plainHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		h.note(cmds...)
		return next(ctx, cmds)
	}
}

// openPlain opens a table whose reads are counted.
func openPlain(t testing.TB) (*items, *plainHook) {
	t.Helper()
	rdb, h := redistest.Shared(t).Client(t), &plainHook{}
	rdb.AddHook(h)
	return openOn(t, rdb, redistest.Prefix(t)), h
}

// What follows the first page of a long read is read by ranks, and is the same as what scripts would have brought.
func TestG4_ALongReadWalksByRanks(t *testing.T) {
	t.Parallel()
	tbl, h := openPlain(t)
	put(t, tbl, numbered(0, 1000)...)
	put(t, tbl, numbered(1000, 2000)...)
	put(t, tbl, numbered(2000, 3000)...)
	several := tbl.All("at")
	several.Intervals = []table.Interval{{GE: 20_000, LT: 25_000}, {GE: 10, LT: 10}, {GE: 100, LT: 19_000}, {GE: 29_000, LT: 99_000}}
	for name, s := range map[string]table.Spec[item]{"all": tbl.All("at"), "ties": tbl.All("rank"), "several": several} {
		h.scripts.n.Store(0)
		h.ranges.n.Store(0)
		up := ids(t, tbl, s)
		down := ids(t, tbl, s.Reversed())
		slices.Reverse(down)
		if !slices.Equal(up, down) {
			t.Errorf("%s: backwards is not the reverse of forwards", name)
		}
		if scripts, ranges := h.scripts.n.Load(), h.ranges.n.Load(); scripts > 2 || ranges < 4 {
			t.Errorf("%s: %d scripts and %d ranges, want one script for each first page", name, scripts, ranges)
		}
	}
	wantCount(t, tbl, several, 500+1890+100)
	if got := ids(t, tbl, several); len(got) != 500+1890+100 || got[0] != 2000 || got[500] != 10 || got[len(got)-1] != 2999 {
		t.Errorf("%d records, from %d to %d", len(got), got[0], got[len(got)-1])
	}
}

// A row that is as wide as a page makes the pages that plain commands fetch as short as they must be for its sake.
func TestAWideRowEndsWalking(t *testing.T) {
	t.Parallel()
	tbl, h := openPlain(t)
	put(t, tbl, numbered(0, 1000)...)
	put(t, tbl, numbered(1000, 2000)...)
	wide := numbered(2000, 2001)
	wide[0].Name = string(make([]byte, 1<<20))
	put(t, tbl, wide...)
	ids(t, tbl, tbl.All("at")) // in which the width is learned
	h.ranges.n.Store(0)
	if got := len(ids(t, tbl, tbl.All("at"))); got != 2001 {
		t.Errorf("%d records", got)
	}
	if n := h.ranges.n.Load(); n > 0 {
		t.Errorf("%d plain ranges, want scripts, which see where a page must end", n)
	}
}

// Short ranges that wait at the same moment are read together by plain commands.
func TestG3_ShortRangesTravelTogether(t *testing.T) {
	t.Parallel()
	tbl, h := openPlain(t)
	put(t, tbl, numbered(0, 1000)...)
	errs := make(chan error, 64)
	for g := range 64 {
		go func() {
			var err error
			for i := 0; i < 50 && err == nil; i++ {
				err = checkShort(t.Context(), tbl, (g*37+i*11)%900)
			}
			errs <- err
		}()
	}
	for range 64 {
		ok(t, receive(t, "a reader", errs))
	}
	if h.ranges.n.Load() == 0 {
		t.Error("no range was read by plain commands")
	}
}

func checkShort(ctx context.Context, tbl *items, from int) error {
	for name, s := range map[string]table.Spec[item]{
		"up":      tbl.Range("at", float64(10*from), float64(10*from+50)),
		"down":    tbl.Range("at", float64(10*from), float64(10*from+50)).Reversed(),
		"limited": tbl.Range("at", float64(10*from), 1e9).Max(5),
	} {
		want := int64(from)
		step := int64(1)
		if name == "down" {
			want, step = want+4, -1
		}
		n := 0
		for r, err := range tbl.Records(ctx, s) {
			if err != nil {
				return err
			}
			if r.ID != want {
				return fmt.Errorf("%s from %d: got %d, want %d", name, from, r.ID, want)
			}
			want += step
			n++
		}
		if n != 5 {
			return fmt.Errorf("%s from %d: %d records, want 5", name, from, n)
		}
	}
	return nil
}

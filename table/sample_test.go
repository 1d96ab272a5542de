package table_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// ranked is the definition of items, with another score function of the index rank.
func ranked(name string, score func(*item) float64) definition {
	def := itemDefinition(name)
	def.Indexes[1] = table.By("rank", score)
	return def
}

// differences returns what a mismatch of this table tells.
func differences(t testing.TB, name string, err error) []string {
	t.Helper()
	var mismatch *table.SchemaError
	if !errors.Is(err, table.ErrSchemaMismatch) || !errors.As(err, &mismatch) || mismatch.Table != name || len(mismatch.Differences) == 0 {
		t.Fatalf("got %v, want a *SchemaError", err)
	}
	for _, d := range mismatch.Differences {
		if !strings.Contains(err.Error(), d) {
			t.Errorf("%q is not in %v", d, err)
		}
	}
	return mismatch.Differences
}

// wantOtherScores opens a table with another score function, and wants that this, and nothing else, is told of index rank alone.
func wantOtherScores(t *testing.T, rdb redis.UniversalClient, name string, score func(*item) float64) {
	t.Helper()
	_, err := table.Open(t.Context(), rdb, ranked(name, score))
	if d := differences(t, name, err); len(d) != 1 || !strings.Contains(d[0], `index "rank"`) {
		t.Errorf("got %q", d)
	}
}

func wantOpens(t *testing.T, rdb redis.UniversalClient, def definition) *items {
	t.Helper()
	tbl, err := table.Open(t.Context(), rdb, def)
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	return tbl
}

// P13: another score function is found by Open, in each state, and the owner goes on.
func TestP13_AnotherScoreFunctionIsFound(t *testing.T) {
	t.Parallel()
	other := func(i *item) float64 { return i.Rank + 1 }
	for what, fill := range map[string]func(*testing.T, *items, *brake){
		"clear": func(t *testing.T, tbl *items, _ *brake) { put(t, tbl, numbered(0, 500)...) },
		"active": func(t *testing.T, tbl *items, _ *brake) {
			put(t, tbl, numbered(0, 500)...)
			ok(t, tbl.ScratchPut(t.Context(), numbered(0, 10)...))
		},
		"merging, whole": func(t *testing.T, tbl *items, _ *brake) {
			put(t, tbl, numbered(500, 600)...)
			wantDiscarded(t, tbl, tbl.All("at"), 100)
			ok(t, tbl.ScratchPut(t.Context(), numbered(0, 500)...))
			merge(t, tbl)
		},
		"merging, all staged": func(t *testing.T, tbl *items, _ *brake) {
			ok(t, tbl.ScratchPut(t.Context(), numbered(0, 500)...))
			merge(t, tbl)
		},
		"merging, half folded": func(t *testing.T, tbl *items, b *brake) {
			put(t, tbl, numbered(0, 300)...)
			ok(t, tbl.ScratchPut(t.Context(), numbered(200, 500)...))
			merge(t, tbl)
			b.turnUntilHalf(t, tbl)
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			rdb, name, brake := redistest.Shared(t).Client(t), redistest.Prefix(t), newBrake(t)
			owner := openOn(t, rdb, name, table.WithCleanup(brake.pool))
			fill(t, owner, brake)
			before := dump(t, rdb, name)
			wantOtherScores(t, rdb, name, other)
			wantUntouched(t, rdb, name, before)
			_, err := owner.Get(t.Context(), 7) // nobody is fenced
			ok(t, err)
			wantOpens(t, rdb, itemDefinition(name))
		})
	}
}

// P13: what is staged and not merged is nobody's, and what staged rows hide is not seen: neither is compared.
func TestP13_OnlyWhatReadersSeeIsCompared(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	brake := newBrake(t)
	tbl := openOn(t, rdb, name, table.WithCleanup(brake.pool))
	put(t, tbl, numbered(0, 300)...)
	changed := numbered(0, 300)
	for i := range changed {
		changed[i].Rank = 7
	}
	ok(t, tbl.ScratchPut(t.Context(), changed...))
	merge(t, tbl)
	wantOtherScores(t, rdb, name, func(i *item) float64 { return float64(i.ID % 3) }) // right of hidden rows only
	wantOpens(t, rdb, ranked(name, func(*item) float64 { return 7 }))                 // right of what is seen
}

// P13: a hundred rows that are spread over the index are compared: the ends, and whatever is a hundredth of it or more.
func TestP13_TheSampleIsSpread(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ rows, from, to int }{{1, 0, 1}, {2, 0, 1}, {2, 1, 2}, {100, 37, 38}, {100, 99, 100}, {61, 60, 61},
		{3000, 0, 1}, {3000, 2999, 3000}, {3000, 1000, 1031}, {3000, 2345, 2376}, {101, 50, 52}} {
		rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
		tbl := openOn(t, rdb, name)
		records := numbered(0, c.rows)
		for i := range records {
			records[i].Rank = float64(i)
		}
		put(t, tbl, records...)
		wantOtherScores(t, rdb, name, func(i *item) float64 {
			if int(i.ID) >= c.from && int(i.ID) < c.to {
				return i.Rank + 0.5
			}
			return i.Rank
		})
		wantOpens(t, rdb, itemDefinition(name))
	}
}

// P13: a score that cannot be computed from what is stored, or is NaN, is another one; every index that differs is named.
func TestP13_ScoresThatCannotBeComputedDiffer(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	put(t, openOn(t, rdb, name), numbered(0, 20)...)
	for what, score := range map[string]func(*item) float64{
		"NaN":   func(*item) float64 { return math.NaN() },
		"panic": func(i *item) float64 { return float64(len(*i.Note)) },
	} {
		t.Run(what, func(t *testing.T) { wantOtherScores(t, rdb, name, score) })
	}
	def := ranked(name, func(*item) float64 { return 1 })
	def.Indexes[0] = table.By("at", func(*item) float64 { return 2 })
	_, err := table.Open(t.Context(), rdb, def)
	if d := differences(t, name, err); len(d) != 2 || !strings.Contains(d[0], `"at"`) || !strings.Contains(d[1], `"rank"`) {
		t.Errorf("got %q", d)
	}
}

// P13: infinite scores, -0 and those that need 17 digits are the same when they come back.
func TestP13_ScoresAtTheEdgesAreTheSame(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	var records []item
	for i, f := range []float64{math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0.1 + 0.2, math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 60} {
		records = append(records, item{ID: int64(i), At: f, Rank: f})
	}
	put(t, openOn(t, rdb, name), records...)
	wantOpens(t, rdb, itemDefinition(name))
}

// P13: where scripts run in the old dialect, too.
func TestP13_OnMiniredis(t *testing.T) {
	t.Parallel()
	rdb, stop := embedded()
	defer stop()
	tbl := wantOpens(t, rdb, itemDefinition("t"))
	put(t, tbl, numbered(0, 300)...)
	wantOtherScores(t, rdb, "t", func(i *item) float64 { return -i.Rank })
	again := wantOpens(t, rdb, itemDefinition("t"))
	ok(t, again.ScratchPut(t.Context(), numbered(300, 310)...))
	mergeAndFold(t, again)
	other := itemDefinition("t")
	other.Attributes, other.Indexes[1] = other.Attributes[1:], other.Indexes[1].Version(1)
	last := wantOpens(t, rdb, other)
	until(t, "the index", func() bool { return len(stats(t, last).Building) == 0 })
	if n, err := last.Count(t.Context(), last.All("rank")); n != 310 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}

// P13: rows that cannot be read are damaged, and not of another schema; wide ones make a small sample.
func TestP13_DamagedAndWideRows(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl, err := table.Open(t.Context(), rdb, itemDefinition(name))
	ok(t, err)
	defer tbl.Close()
	put(t, tbl, numbered(0, 20)...)
	wide := numbered(20, 60)
	for i := range wide {
		wide[i].Name = strings.Repeat("x", 1<<20)
	}
	put(t, tbl, wide...)
	ok(t, rdb.HSet(t.Context(), name+":r", rawKey(3), "\x00\x00\x00\x00\x09").Err())
	var decoded atomic.Int64
	def := itemDefinition(name)
	def.Indexes[1] = table.By("rank", func(i *item) float64 { decoded.Add(1); return i.Rank })
	wantOpens(t, rdb, def)
	if n := decoded.Load(); n < 3 || n > 20 {
		t.Errorf("%d records were compared", n)
	}
	wantOtherScores(t, rdb, name, func(i *item) float64 { return i.Rank - 1 })
}

// counting is a codec that counts what it decodes.
type counting struct{ n *atomic.Int64 }

func (counting) Append(dst []byte, v int64) ([]byte, error) { return codec.Int64.Append(dst, v) }
func (c counting) Decode(src []byte) (int64, error)         { c.n.Add(1); return codec.Int64.Decode(src) }
func (counting) String() string                             { return "counting" }

// P1, P13: under another schema no row is decoded, nor after WithReset.
func TestP13_NothingIsDecodedUnderAnotherSchema(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	put(t, openOn(t, rdb, name), numbered(0, 20)...)
	def, n := itemDefinition(name), atomic.Int64{}
	def.Attributes[0] = table.Field("id", codec.Codec[int64](counting{&n}), itemID)
	_, err := table.Open(t.Context(), rdb, def)
	if d := differences(t, name, err); !slices.Equal(d, []string{`attribute "id" has codec "int64", want "counting"`}) || n.Load() != 0 {
		t.Errorf("got %q, and %d were decoded", d, n.Load())
	}
	tbl, err := table.Open(t.Context(), rdb, ranked(name, func(*item) float64 { return 9 }), table.WithReset())
	ok(t, err)
	ok(t, tbl.Close())
}

// S3: a table that a long gone version of this library has written says which, and how to go on; WithReset leaves nothing of it.
func TestS3_ATableOfALongGoneLayout(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := wantOpens(t, rdb, itemDefinition(name))
	put(t, tbl, numbered(0, 5)...)
	ok(t, rdb.ZAdd(t.Context(), name+":i:old", redis.Z{Member: "x"}).Err())
	ok(t, rdb.HSet(t.Context(), name+":m", "schema", `{"layout":2,"key":"int64","attributes":[["id","int64"]],"indexes":["at","old"]}`).Err())
	_, err := table.Open(t.Context(), rdb, itemDefinition(name))
	if d := differences(t, name, err); !slices.Equal(d, []string{"layout 2, want 6: open with WithReset and load again"}) {
		t.Errorf("got %q", d)
	}
	wantIDs(t, openOn(t, rdb, name, table.WithReset()), tbl.All("at"))
}

// hidden is a record with a score that needs what is not stored.
type hidden struct {
	ID    int64
	Score float64 // not stored
}

func hiddenDefinition(name string) table.Definition[hidden, int64] {
	return table.Definition[hidden, int64]{
		Name:       name,
		PrimaryKey: table.Key(codec.Int64, func(h *hidden) int64 { return h.ID }),
		Attributes: []table.Attribute[hidden]{table.Field("id", codec.Int64, func(h *hidden) *int64 { return &h.ID })},
		Indexes: []table.Index[hidden]{table.By("id", func(h *hidden) float64 { return float64(h.ID) }),
			table.By("score", func(h *hidden) float64 { return h.Score }).Unstored()},
	}
}

// S5: scores that need what is not stored are compared neither by Open nor by Verify; what is missing or dangling is told.
func TestS5_UnstoredScoresAreNotCompared(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := open(t, rdb, hiddenDefinition(name), []string{"id", "score"})
	ok(t, tbl.Put(t.Context(), hidden{1, 5}, hidden{2, 6}, hidden{3, 7}))
	tbl = open(t, rdb, hiddenDefinition(name), []string{"id", "score"})
	wantFindings(t, tbl, nil, nil)

	put := redis.Z{Score: 9, Member: rawKey(9)}
	ok(t, rdb.ZAdd(t.Context(), name+":i:score", put).Err())
	wantFindings(t, tbl, []table.ProblemKind{table.OrphanEntry}, []table.ProblemKind{table.OrphanEntry})
	ok(t, rdb.ZRem(t.Context(), name+":i:score", rawKey(2)).Err())
	ok(t, rdb.ZRem(t.Context(), name+":i:id", rawKey(2)).Err())
	wantFindings(t, tbl, []table.ProblemKind{table.MissingEntry, table.MissingEntry}, []table.ProblemKind{table.MissingEntry})
	wantFindings(t, tbl, []table.ProblemKind{table.MissingEntry}, nil) // nobody knows its score
	ok(t, rdb.ZAdd(t.Context(), name+":i:score", redis.Z{Score: 1, Member: rawKey(2)}).Err())
	wantFindings(t, tbl, nil, nil)

	stored := hiddenDefinition(name)
	stored.Indexes[1] = table.By("score", func(h *hidden) float64 { return h.Score })
	_, err := table.Open(t.Context(), rdb, stored)
	if d := differences(t, name, err); len(d) != 1 || !strings.Contains(d[0], `index "score"`) || !strings.Contains(d[0], "Unstored") {
		t.Errorf("got %q", d)
	}
}

// wantFindings wants these found, and those of them mended.
func wantFindings(t *testing.T, tbl *table.Table[hidden, int64], found, mended []table.ProblemKind) {
	t.Helper()
	checkFindings(t, "found", tbl.Verify, found)
	checkFindings(t, "mended", tbl.Repair, mended)
}

func checkFindings(t *testing.T, what string, call func(context.Context) (table.Report, error), want []table.ProblemKind) {
	t.Helper()
	report, err := call(t.Context())
	ok(t, err)
	var got []table.ProblemKind
	for _, p := range report.Problems {
		got = append(got, p.Kind)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// A score that is NaN now is wrong, and cannot be mended; the rest is.
func TestRepairLeavesScoresThatAreNaN(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	var broken atomic.Bool
	tbl := open(t, rdb, ranked(name, func(i *item) float64 {
		if broken.Load() && i.ID == 3 {
			return math.NaN()
		}
		return i.Rank
	}), []string{"at", "rank"})
	put(t, tbl, numbered(0, 5)...)
	ok(t, rdb.ZAdd(t.Context(), name+":i:at", score(4, 1)).Err())
	broken.Store(true)
	report, err := tbl.Verify(t.Context())
	if ok(t, err); len(report.Problems) != 2 {
		t.Errorf("found %+v", report.Problems)
	}
	report, err = tbl.Repair(t.Context())
	if ok(t, err); len(report.Problems) != 1 || report.Problems[0].Index != "at" {
		t.Errorf("mended %+v", report.Problems)
	}
}

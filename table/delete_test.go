package table_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

func wantDeleted(t testing.TB, tbl *items, s table.Spec[item], want int) {
	t.Helper()
	n, err := tbl.Delete(t.Context(), s)
	ok(t, err)
	if n != want {
		t.Errorf("deleted %d of %v, want %d", n, s.Intervals, want)
	}
}

func TestDeleteKeysCountsWhatWasThere(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 2500)...)
	keys := []int64{7, 7, 5000, -1}
	for i := range int64(1500) {
		keys = append(keys, i)
	}
	for _, want := range []int{1500, 0} {
		n, err := tbl.DeleteKeys(t.Context(), keys...)
		ok(t, err)
		if n != want {
			t.Errorf("deleted %d, want %d", n, want)
		}
	}
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), numbered(1500, 2500))
}

func TestDeleteTakesExactlyTheRecordsOfItsSpec(t *testing.T) {
	t.Parallel()
	odd := func(i *item) bool { return i.ID%2 == 1 }
	for name, c := range map[string]struct {
		spec func(*items) table.Spec[item]
		gone []int64
	}{
		"a range":        {func(i *items) table.Spec[item] { return i.Range("at", 20, 40) }, []int64{2, 3}},
		"ties":           {func(i *items) table.Spec[item] { return i.Range("rank", 1, 2) }, []int64{1, 4, 7}},
		"a predicate":    {func(i *items) table.Spec[item] { return i.Range("at", 0, 60).Where(odd) }, []int64{1, 3, 5}},
		"a limit":        {func(i *items) table.Spec[item] { return i.All("rank").Max(2) }, []int64{0, 3}},
		"limit, turned":  {func(i *items) table.Spec[item] { return i.All("at").Reversed().Max(2) }, []int64{8, 9}},
		"limit, judged":  {func(i *items) table.Spec[item] { return i.All("at").Reversed().Where(odd).Max(2) }, []int64{7, 9}},
		"everything":     {func(i *items) table.Spec[item] { return i.All("at") }, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		"nothing":        {func(i *items) table.Spec[item] { return i.Range("at", 1, 9) }, nil},
		"no intervals":   {func(*items) table.Spec[item] { return table.Spec[item]{Index: "at"} }, nil},
		"empty interval": {func(i *items) table.Spec[item] { return i.Range("at", 20, 20) }, nil},
		"two intervals": {func(*items) table.Spec[item] {
			return table.Spec[item]{Index: "at", Intervals: []table.Interval{{GE: 80, LT: 99}, table.Only(10)}}
		}, []int64{1, 8, 9}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tbl := openItems(t)
			put(t, tbl, numbered(0, 10)...)
			wantDeleted(t, tbl, c.spec(tbl), len(c.gone))
			want := slices.DeleteFunc(keysOf(numbered(0, 10)), func(id int64) bool { return slices.Contains(c.gone, id) })
			wantIDs(t, tbl, tbl.All("at"), want...)
			wantDeleted(t, tbl, tbl.All("rank"), len(want))
		})
	}
}

func TestDeleteOfSeveralPages(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages())
	put(t, tbl, numbered(0, 3000)...)
	wantDeleted(t, tbl, tbl.Range("rank", 1, 2).Max(700), 700)
	wantDeleted(t, tbl, tbl.All("at").Where(func(i *item) bool { return i.Rank == 2 }), 1000)
	wantDeleted(t, tbl, tbl.All("rank").Reversed(), 1300)
	wantIDs(t, tbl, tbl.All("at"))
}

func TestDeleteSeqYieldsWhatItDeleted(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages())
	put(t, tbl, numbered(0, 500)...)
	gone := all(t, tbl.DeleteSeq(t.Context(), tbl.Range("at", 1000, 4000).Reversed()))
	want := numbered(100, 400)
	slices.Reverse(want)
	wantItems(t, gone, want)
	if n, err := tbl.Count(t.Context(), tbl.All("at")); n != 200 || err != nil {
		t.Errorf("%d records are left (%v), want 200", n, err)
	}
}

func TestDeleteSeqThatIsLeftStopsDeleting(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 2500)...)
	for range tbl.DeleteSeq(t.Context(), tbl.All("at")) {
		break
	}
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), numbered(1000, 2500)) // one page is gone
}

func TestDeleteSeqVisitsAKeyOnceWhateverTheBodyWrites(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages())
	put(t, tbl, numbered(0, 300)...)
	var visited []int64
	for gone, err := range tbl.DeleteSeq(t.Context(), tbl.All("at")) {
		ok(t, err)
		visited = append(visited, gone.ID)
		gone.At += 4 // back it goes, at some place that is still to come
		put(t, tbl, gone)
	}
	if len(visited) != 300 {
		t.Errorf("visited %d keys", len(visited))
	}
	if n, err := tbl.Count(t.Context(), tbl.All("at")); n != 300 || err != nil {
		t.Errorf("%d records are left (%v), want 300", n, err)
	}
}

func TestG12_DeleteLeavesAloneWhatItCannotJudge(t *testing.T) {
	t.Parallel()
	tbl, _, _ := openPranks(t)
	for id := range int64(6) {
		ok(t, tbl.Put(t.Context(), prank{ID: id, V: id}))
	}
	judge := func(p *prank) bool {
		if p.ID == 2 {
			panic(secret)
		}
		return true
	}
	gone, faults := drainPranks(tbl.DeleteSeq(t.Context(), tbl.All("at").Where(judge)))
	if !slices.Equal(gone, []int64{0, 1, 3, 4, 5}) || len(faults) != 1 || !errors.Is(faults[0], table.ErrPanic) {
		t.Errorf("deleted %v, with %v", gone, faults)
	}
	if n, err := tbl.Delete(t.Context(), tbl.All("at").Where(judge)); n != 0 || !errors.Is(err, table.ErrPanic) {
		t.Errorf("deleted %d, with %v", n, err)
	}
	wantPranks(t, tbl, 2)
}

// drainPranks returns the keys that a sequence yields, and its errors.
func drainPranks(seq func(func(prank, error) bool)) (keys []int64, faults []error) {
	for p, err := range seq {
		if err != nil {
			faults = append(faults, err)
		} else {
			keys = append(keys, p.ID)
		}
	}
	return keys, faults
}

func wantPranks(t testing.TB, tbl *pranks, want ...int64) {
	t.Helper()
	keys, faults := drainPranks(tbl.Records(t.Context(), tbl.All("at")))
	if !slices.Equal(keys, want) || len(faults) > 0 {
		t.Errorf("got %v and %v, want %v", keys, faults, want)
	}
}

func TestDeleteRefusesABadSpecBeforeRedisIsAsked(t *testing.T) {
	t.Parallel()
	rdb, sent := counted(t)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	before := sent.n.Load()
	for _, c := range badSpecs() {
		_, err := tbl.Delete(t.Context(), c.spec)
		_, scratch := tbl.ScratchDiscard(t.Context(), c.spec)
		seq, scratchSeq := lastError(tbl.DeleteSeq(t.Context(), c.spec)), lastError(tbl.ScratchDiscardSeq(t.Context(), c.spec))
		for _, err := range []error{err, scratch, seq, scratchSeq} {
			if !errors.Is(err, c.want) {
				t.Errorf("%s: got %v, want %v", c.name, err, c.want)
			}
		}
	}
	if n := sent.n.Load(); n != before {
		t.Errorf("%d commands were sent", n-before)
	}
}

// A delete that is left half way has deleted the page at hand, as it says, and Delete deletes all.
func TestU25_ADeleteThatIsLeftHalfWay(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 1500)...)
	seen := 0
	for _, err := range tbl.DeleteSeq(t.Context(), tbl.All("at")) {
		ok(t, err)
		if seen++; seen == 3 {
			break
		}
	}
	left := stats(t, tbl).Records
	n, err := tbl.Delete(t.Context(), tbl.All("at"))
	ok(t, err)
	if left < 500 || left > 1500-3 || n != left {
		t.Errorf("%d were left of 1500, %d deleted then", left, n)
	}
	wantIDs(t, tbl, tbl.All("at"))
}

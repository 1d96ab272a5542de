package table_test

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// A discard of an interval leaves alone what a staged put has moved out of it.
func TestU17_ADiscardSparesWhatHasMovedAway(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, item{ID: 1, At: 5}, item{ID: 2, At: 6})
	ok(t, tbl.ScratchPut(t.Context(), item{ID: 1, At: 50}))
	n, err := tbl.ScratchDiscard(t.Context(), tbl.Range("at", 0, 10))
	ok(t, err)
	ok(t, tbl.ScratchMerge(t.Context()))
	wantIDs(t, tbl, tbl.All("at"), 1)
	if n != 1 {
		t.Errorf("%d discarded, want 1", n)
	}
	ok(t, tbl.WaitClear(t.Context()))
}

// An index entry without a row answers nothing: it is told.
func TestU18_GhostEntriesAreTold(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 3)...)
	ok(t, rdb.ZAdd(t.Context(), name+":i:at", score(77, 5)).Err())
	for call, run := range readVerbs {
		if err := run(t.Context(), tbl); !errors.Is(err, table.ErrLost) {
			t.Errorf("%s: got %v, want ErrLost", call, err)
		}
	}
	_, err := tbl.Repair(t.Context())
	ok(t, err)
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 2)
}

// 400 random histories do not diverge from a model.
func TestU19_RandomHistoriesAgreeWithAModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := newRandom(t, seed)
			for range 10 { // ten histories one after the other
				for range 14 {
					r.step()
				}
				r.check()
				if r.model.merging {
					r.unbrake()
				}
				ok(t, r.table.Clear(t.Context()))
				r.model = newModel()
			}
		})
	}
}

// A damaged row is an error in its place, may be overwritten, and may be deleted.
func TestU20_ADamagedRowDoesNotSpoilItsRange(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 5)...)
	ok(t, rdb.HSet(t.Context(), name+":r", rawKey(1), "damaged", rawKey(3), "").Err())
	var seen []int64
	var damaged []string
	for i, err := range tbl.Records(t.Context(), tbl.All("at")) {
		var c *table.CodingError
		if errors.As(err, &c) {
			damaged = append(damaged, c.Key)
			continue
		}
		ok(t, err)
		seen = append(seen, i.ID)
	}
	if fmt.Sprint(seen, damaged) != fmt.Sprint([]int64{0, 2, 4}, []string{hashOf(1), hashOf(3)}) {
		t.Errorf("read %v, damaged are %v", seen, damaged)
	}
	put(t, tbl, numbered(1, 2)...)
	n, err := tbl.DeleteKeys(t.Context(), 3)
	ok(t, err)
	wantIDs(t, tbl, tbl.All("rank"), 0, 1, 4, 2)
	if n != 1 {
		t.Errorf("%d deleted, want 1", n)
	}
}

// After FLUSHALL there is an error, never an empty answer. (TestG11_… lose one key after the other.)
func TestU21_AnEmptiedServerIsAnError(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t, redistest.Options{}).Client(t)
	tbl, err := table.Open(t.Context(), rdb, itemDefinition("t"))
	ok(t, err)
	defer tbl.Close()
	put(t, tbl, numbered(0, 5)...)
	ok(t, rdb.FlushAll(t.Context()).Err())
	for call, run := range readVerbs {
		if err := run(t.Context(), tbl); !errors.Is(err, table.ErrLost) {
			t.Errorf("%s: got %v, want ErrLost", call, err)
		}
	}
}

// Out of memory a failed overwrite leaves the old row, and every acknowledged put is readable.
func TestU22_OutOfMemoryLosesNothing(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t, redistest.Options{Args: []string{"--maxmemory", "3mb"}}).Client(t)
	tbl := openOn(t, rdb, "t")
	put(t, tbl, numbered(0, 1)...)
	acked, err := 1, error(nil)
	for ; err == nil; acked += 10 {
		err = tbl.Put(t.Context(), padded(acked, acked+10)...)
	}
	acked -= 10
	if !redis.IsOOMError(err) {
		t.Errorf("got %v, want OOM", err)
	}
	ok(t, rdb.ConfigSet(t.Context(), "maxmemory", "2mb").Err()) // what a closed connection leaves free is not enough
	if err := tbl.Put(t.Context(), padded(0, 1)...); !redis.IsOOMError(err) {
		t.Errorf("overwriting: got %v, want OOM", err)
	}
	if got, err := tbl.Get(t.Context(), 0); err != nil || got.Name != "n0" {
		t.Errorf("the old row is %.20q, %v", got.Name, err)
	}
	if n := len(ids(t, tbl, tbl.All("at"))); n != acked {
		t.Errorf("%d rows are readable, %d were acknowledged", n, acked)
	}
	n, err := tbl.Delete(t.Context(), tbl.All("at")) // what frees memory runs
	if err != nil || n != acked {
		t.Errorf("%d deleted, %v", n, err)
	}
	ok(t, rdb.ConfigSet(t.Context(), "maxmemory", "3mb").Err())
	put(t, tbl, numbered(0, 1)...)
}

// An adjustment that has failed half way can be abandoned.
func TestU23_AFailedAdjustmentIsAbandoned(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	_, err := tbl.ScratchDiscard(t.Context(), tbl.All("at"))
	ok(t, err)
	ok(t, tbl.ScratchPut(t.Context(), numbered(5, 8)...))
	if tbl.ScratchPut(t.Context(), item{ID: 9, At: math.NaN()}) == nil {
		t.Fatal("a NaN score was staged")
	}
	ok(t, tbl.ScratchAbort(t.Context()))
	put(t, tbl, numbered(3, 4)...)
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 2, 3)
}

// Merging twice is no failure.
func TestU24_MergingTwice(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	ok(t, tbl.ScratchPut(t.Context(), numbered(0, 3)...))
	for range 3 {
		ok(t, tbl.ScratchMerge(t.Context()))
	}
	ok(t, tbl.WaitClear(t.Context()))
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 2)
	if g := stats(t, tbl).Generation; g != 1 {
		t.Errorf("generation %d after one merge of something", g)
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

// The first row of a long read comes after a few commands and a few pages of bytes.
func TestU26_TheFirstRowComesAtOnce(t *testing.T) {
	t.Parallel()
	admin := redistest.Start(t, redistest.Options{}).Client(t) // of its own: what it sends is counted
	tbl := openOn(t, admin, "t")
	for n := 0; n < 30_000; n += 1000 {
		put(t, tbl, numbered(n, n+1000)...)
	}
	sent := new(counter)
	admin.AddHook(sent)
	out := netBytes(t, admin)
	sent.n.Store(0)
	for _, err := range tbl.Records(t.Context(), tbl.All("at")) {
		ok(t, err)
		break
	}
	commands := sent.n.Load()
	if used := netBytes(t, admin) - out; commands > 40 || used > 2<<20 {
		t.Errorf("%d commands and %d bytes for the first row", commands, used)
	}
}

// netBytes returns how much the server has sent so far.
func netBytes(t *testing.T, rdb *redis.Client) (n int64) {
	t.Helper()
	for line := range strings.Lines(rdb.Info(t.Context(), "stats").Val()) {
		if text, found := strings.CutPrefix(line, "total_net_output_bytes:"); found {
			_, err := fmt.Sscan(text, &n)
			ok(t, err)
		}
	}
	return n
}

// Rows with equal scores cost no more than others: neither puts nor reads take more commands.
func TestU27_EqualScoresCostNoMore(t *testing.T) {
	t.Parallel()
	rdb := redistest.Shared(t).Client(t)
	sent := new(counter)
	rdb.AddHook(sent)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	rows := numbered(0, 6000)
	for i := range rows {
		rows[i].Rank = 7
	}
	put(t, tbl, rows...)
	commands := make(map[string]int64)
	for _, index := range []string{"at", "rank"} {
		before := sent.n.Load()
		if got := ids(t, tbl, tbl.All(index)); len(got) != len(rows) {
			t.Errorf("%d rows by %s", len(got), index)
		}
		commands[index] = sent.n.Load() - before
	}
	if commands["rank"] > 2*commands["at"] {
		t.Errorf("commands for a read: %v", commands)
	}
}

// Decoders accept nothing but what encoders write.
func TestU28_DecodersAreStrict(t *testing.T) {
	t.Parallel()
	decode := func(what string, err error) {
		if !errors.Is(err, codec.ErrData) {
			t.Errorf("%s: got %v, want ErrData", what, err)
		}
	}
	for _, text := range []string{" 1_000 ", "1_000", " 1", "+1", "01", "1 ", "0x1", "", "-0", "１"} {
		_, err := codec.IntAsString.Decode([]byte(text))
		decode(text, err)
	}
	for _, b := range []string{"\x00\x02a", "\x00", "\x00\x01", "\x00\x01a\x00"} {
		_, err := codec.Array(codec.String).Decode([]byte(b))
		decode("array", err)
	}
	for _, b := range []string{"", "\x02", "\x02abc", "\x00a", "\xff"} {
		_, err := codec.Nullable(codec.String).Decode([]byte(b))
		decode("nullable", err)
	}
}

// A failover that loses acknowledged writes is told.
func TestU29_AFailoverThatLosesWritesIsTold(t *testing.T) {
	t.Parallel()
	tbl, _ := failover(t)
	if err := lastError(tbl.Records(t.Context(), tbl.All("at"))); !errors.Is(err, table.ErrLost) {
		t.Errorf("got %v, want ErrLost", err)
	}
}

// A row that is always there is in every read while it and others are overwritten. (Readers share the owner's table:
// there are none in other processes.)
func TestU30_AnOverwrittenRowIsInEveryRead(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, table.WithPageBytes(1000))
	rows := numbered(0, 50)
	put(t, tbl, rows...)
	stop, writers := make(chan struct{}), new(sync.WaitGroup)
	n := 0
	writers.Go(func() {
		repeat(stop, func() {
			n++
			moved := rows[n%50]
			moved.At = float64(n % 997)
			report(t, tbl.Put(t.Context(), moved))
		})
	})
	for range 100 {
		if got := len(ids(t, tbl, tbl.All("at"))); got != 50 {
			t.Errorf("%d of 50 rows", got)
		}
		_, err := tbl.Get(t.Context(), 7)
		ok(t, err)
	}
	close(stop)
	writers.Wait()
}

// Errors tell nothing of a record but a hash of its key.
func TestU31_ErrorsHoldNoRecord(t *testing.T) {
	t.Parallel()
	const canary = "canary-7c1f"
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, item{ID: 1, Name: canary})
	row := rdb.HGet(t.Context(), name+":r", rawKey(1)).Val()
	ok(t, rdb.HSet(t.Context(), name+":r", rawKey(1), row[:len(row)-1]).Err())
	for what, err := range map[string]error{
		"put":  tbl.Put(t.Context(), item{ID: 2, Name: canary + "\xff"}),
		"nan":  tbl.Put(t.Context(), item{ID: 2, Name: canary, At: nan}),
		"get":  readVerbs["Get"](t.Context(), tbl),
		"read": readVerbs["Records"](t.Context(), tbl),
	} {
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary) {
			t.Errorf("%s: got %v", what, err)
		}
	}
}

// pull is iter.Pull2 in the shape of a call.
func pull[R any](seq iter.Seq2[R, error]) (next func() (R, error), stop func()) {
	each, stop := iter.Pull2(seq)
	return func() (R, error) {
		r, err, more := each()
		if !more {
			err = errors.New("the read has ended by itself")
		}
		return r, err
	}, stop
}

package table_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

func TestG4_EqualScoresComeInTheOrderOfKeyBytes(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages())
	var want []int64
	for id := range int64(1500) { // as bytes, what is negative comes last
		want = append(want, id)
	}
	for id := int64(-500); id < 0; id++ {
		want = append(want, id)
	}
	records := make([]item, len(want))
	for i, id := range want {
		records[i] = item{ID: id, At: 7, Rank: 7}
	}
	shuffled := slices.Clone(records)
	newDice(1).Shuffle(len(shuffled), func(a, b int) { shuffled[a], shuffled[b] = shuffled[b], shuffled[a] })
	put(t, tbl, shuffled...)
	wantIDs(t, tbl, tbl.Range("at", 7, 8), want...)
	wantIDs(t, tbl, tbl.All("rank").Max(1100), want[:1100]...)
	slices.Reverse(want)
	wantIDs(t, tbl, tbl.All("rank").Reversed(), want...)
	wantIDs(t, tbl, tbl.Range("at", 7, 8).Reversed().Max(600), want[:600]...)
}

func TestG4_EachRangeOverASequenceIsANewRead(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 2)...)
	records, lookup := tbl.Records(t.Context(), tbl.All("at")), tbl.Lookup(t.Context(), 1, 2)
	wantItems(t, all(t, records), numbered(0, 2))
	wantItems(t, all(t, lookup), numbered(1, 2))
	put(t, tbl, numbered(2, 3)...)
	wantItems(t, all(t, records), numbered(0, 3))
	wantItems(t, all(t, lookup), numbered(1, 3))
}

func TestG4_LookupAnswersInArgumentOrder(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 10)...)
	got := keysOf(all(t, tbl.Lookup(t.Context(), 7, 100, 3, 7, 5, 3, -1)))
	if !slices.Equal(got, []int64{7, 3, 5}) {
		t.Errorf("got %v", got)
	}
}

func TestLookupIsOneRoundTripOfAtMostTenThousandKeys(t *testing.T) {
	t.Parallel()
	rdb, sent := counted(t)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	put(t, tbl, numbered(0, 2000)...)
	connect(t, tbl)
	keys := make([]int64, 10_001)
	for i := range keys {
		keys[i] = int64(i)
	}
	before := sent.n.Load()
	if err := lastError(tbl.Lookup(t.Context(), keys...)); !errors.Is(err, table.ErrTooLarge) || sent.n.Load() != before {
		t.Errorf("got %v after %d commands, want ErrTooLarge", err, sent.n.Load()-before)
	}
	wantItems(t, all(t, tbl.Lookup(t.Context(), keys[:10_000]...)), numbered(0, 2000))
	if n := sent.n.Load() - before; n != 1 {
		t.Errorf("%d commands were sent", n)
	}
	wantItems(t, all(t, tbl.Lookup(t.Context())), nil)
}

// connect reads once, so that no later read has to open a connection, which takes commands too.
func connect(t testing.TB, tbl *items) {
	t.Helper()
	_, err := tbl.Get(t.Context(), 0)
	ok(t, err)
}

func TestReadsOfATableWithoutRecords(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	wantIDs(t, tbl, tbl.All("at"))
	wantIDs(t, tbl, table.Spec[item]{Index: "rank"})
	wantItems(t, all(t, tbl.Lookup(t.Context(), 1, 2)), nil)
	_, get := tbl.Get(t.Context(), 1)
	_, first := tbl.First(t.Context(), tbl.All("at"))
	if !errors.Is(get, table.ErrNotFound) || !errors.Is(first, table.ErrNotFound) {
		t.Errorf("got %v and %v, want ErrNotFound", get, first)
	}
}

func TestAReadThatFitsOnePageIsOneRoundTrip(t *testing.T) {
	t.Parallel()
	rdb, sent := counted(t)
	tbl := openOn(t, rdb, redistest.Prefix(t))
	put(t, tbl, numbered(0, 900)...)
	connect(t, tbl)
	for name, read := range map[string]func() error{
		"Records": func() error { return lastError(tbl.Records(t.Context(), tbl.All("at"))) },
		"limited": func() error { return lastError(tbl.Records(t.Context(), tbl.All("at").Reversed().Max(50))) },
		"First":   func() error { _, err := tbl.First(t.Context(), tbl.All("at")); return err },
		"Page":    func() error { _, _, err := tbl.Page(t.Context(), tbl.All("at"), "", 50); return err },
		"Get":     func() error { _, err := tbl.Get(t.Context(), 5); return err },
		"Count":   func() error { _, err := tbl.Count(t.Context(), tbl.All("at")); return err },
	} {
		before := sent.n.Load()
		ok(t, read())
		if n := sent.n.Load() - before; n != 1 {
			t.Errorf("%s: %d commands were sent", name, n)
		}
	}
}

// allReads are all calls that read or ask, also those that need not ask Redis.
func allReads(tbl *items) map[string]func(context.Context) error {
	all := map[string]func(context.Context) error{
		"Stats":        func(ctx context.Context) error { _, err := tbl.Stats(ctx); return err },
		"Verify":       func(ctx context.Context) error { _, err := tbl.Verify(ctx); return err },
		"no keys":      func(ctx context.Context) error { return lastError(tbl.Lookup(ctx)) },
		"no intervals": func(ctx context.Context) error { return lastError(tbl.Records(ctx, table.Spec[item]{Index: "at"})) },
	}
	for name, read := range reads(tbl) {
		all[name] = func(ctx context.Context) error { _, err := read(ctx); return err }
	}
	return all
}

func TestReadsWithAnEndedContext(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	cause := errors.New("the client hung up")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	for name, read := range allReads(tbl) {
		if err := read(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want context.Canceled", name, err)
		}
	}
	if err := lastError(tbl.Records(ctx, tbl.All("at"))); !errors.Is(err, cause) {
		t.Errorf("got %v, want the cause too", err)
	}
}

func TestACancelledReadIsNotTakenForAShortOne(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages())
	put(t, tbl, numbered(0, 600)...)
	for _, limit := range []int{0, 250} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n := 0
		var last error
		for _, last = range tbl.Records(ctx, tbl.All("at").Max(limit)) {
			if n++; n == 200 {
				cancel()
			}
		}
		if !errors.Is(last, context.Canceled) || n != 201 {
			t.Errorf("limit %d: got %v after %d records", limit, last, n-1)
		}
	}
	until(t, "pins to go", func() bool { return stats(t, tbl).Pins == 0 })
}

func TestLeavingAReadEarlyReleasesItsPin(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages())
	put(t, tbl, numbered(0, 600)...)
	for range tbl.Records(t.Context(), tbl.All("at")) {
		if stats(t, tbl).Pins != 1 {
			t.Error("a long read has no pin: the test shows nothing")
		}
		break
	}
	stream := tbl.Stream(t.Context(), tbl.All("at"))
	<-stream.C()
	stream.Close()
	stream.Close()
	if err := stream.Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("a stream that was closed early says %v", err)
	}
	if n := stats(t, tbl).Pins; n != 0 {
		t.Errorf("%d pins are left", n)
	}
}

func TestAPanicInTheLoopBodyIsTheCallersAndLeaksNothing(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages())
	put(t, tbl, numbered(0, 600)...)
	for name, loop := range map[string]func(){
		"Records": func() {
			for range tbl.Records(t.Context(), tbl.All("at")) {
				panic(secret)
			}
		},
		"DeleteSeq": func() {
			for range tbl.DeleteSeq(t.Context(), tbl.Range("at", 0, 1)) {
				panic(secret)
			}
		},
	} {
		func() {
			defer func() {
				if p := recover(); p != secret {
					t.Errorf("%s: recovered %v", name, p)
				}
			}()
			loop()
		}()
	}
	if n := stats(t, tbl).Pins; n != 0 {
		t.Errorf("%d pins are left", n)
	}
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

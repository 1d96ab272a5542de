package table_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// What the Python original loses, and this does not: U1 to U16 here, U17 to U31 in the next file.

// A discarded row stays away after the merge, whatever bytes its key has.
func TestU01_ADiscardedRowWithABinaryKeyStaysAway(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	var rows []item
	for n, id := range []int64{0, 10, 13, 0x0d0a0d0a, -1, math.MinInt64, 0x2a0d0a2431} {
		rows = append(rows, item{ID: id, At: float64(n)})
	}
	put(t, tbl, rows...)
	n, err := tbl.ScratchDiscard(t.Context(), tbl.Range("at", 0, 6))
	ok(t, err)
	ok(t, tbl.ScratchMerge(t.Context()))
	ok(t, tbl.WaitClear(t.Context()))
	wantIDs(t, tbl, tbl.All("at"), 0x2a0d0a2431)
	if n != 6 {
		t.Errorf("%d discarded, want 6", n)
	}
}

// A row that a staged put has moved answers at its new score only, and an index has one entry for it.
func TestU02_AStagedPutMovesARow(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, item{ID: 1, At: 5}, item{ID: 2, At: 6})
	ok(t, tbl.ScratchPut(t.Context(), item{ID: 1, At: 50}))
	ok(t, tbl.ScratchMerge(t.Context()))
	for range 2 { // while it is folded, and after that
		wantIDs(t, tbl, tbl.Range("at", 0, 10), 2)
		wantIDs(t, tbl, tbl.All("at"), 2, 1)
		ok(t, tbl.WaitClear(t.Context()))
	}
}

// The same row may be refreshed twice, in one scratch or in two, and writes go on.
func TestU03_TheSameRowIsRefreshedTwice(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	for range 2 {
		ok(t, tbl.ScratchPut(t.Context(), numbered(1, 2)...))
		ok(t, tbl.ScratchPut(t.Context(), numbered(1, 2)...))
		ok(t, tbl.ScratchMerge(t.Context()))
	}
	put(t, tbl, numbered(1, 2)...)
	wantIDs(t, tbl, tbl.All("at"), 0, 1, 2)
}

// A reader half way through when merge is called gets all old rows.
func TestU04_AReaderSpansAMerge(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, table.WithPageBytes(300))
	put(t, tbl, numbered(0, 100)...)
	ok(t, tbl.ScratchPut(t.Context(), numbered(50, 150)...))
	_, err := tbl.ScratchDiscard(t.Context(), tbl.Range("at", 0, 500))
	ok(t, err)
	var seen []int64
	for i, err := range tbl.Records(t.Context(), tbl.All("at")) {
		ok(t, err)
		if seen = append(seen, i.ID); len(seen) == 50 {
			ok(t, tbl.ScratchMerge(t.Context()))
		}
	}
	if !slices.Equal(seen, keysOf(numbered(0, 100))) {
		t.Errorf("got %d rows: %v", len(seen), seen)
	}
	ok(t, tbl.WaitClear(t.Context()))
	wantIDs(t, tbl, tbl.All("at"), keysOf(numbered(50, 150))...)
}

// A writer that dies after any number of bytes leaves rows and indexes in step: all of a Put is there, or nothing.
func TestU05_AWriterDiesAtAnyPointOfAWrite(t *testing.T) {
	t.Parallel()
	s, name := redistest.Shared(t), redistest.Prefix(t)
	admin := s.Client(t)
	old, fresh := numbered(0, 20), numbered(10, 30)
	for i := range fresh {
		fresh[i].At, fresh[i].Name = float64(-1-i), "fresh"
	}
	before, after := 0, 0
	for bytes := int64(0); bytes < 6000; bytes += 157 {
		var left atomic.Int64
		left.Store(math.MaxInt64)
		rdb := s.TCPClient(t, func(o *redis.Options) { o.Dialer, o.MaxRetries = dyingDialer(s.Addr(), &left), -1 })
		tbl, err := table.Open(t.Context(), rdb, itemDefinition(name), table.WithReset())
		ok(t, err)
		put(t, tbl, old...)
		left.Store(bytes)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		_ = tbl.Put(ctx, fresh...)
		cancel()
		next := openOn(t, admin, name) // the dead one is fenced
		switch n, err := next.Count(t.Context(), next.All("at")); {
		case err != nil:
			t.Fatal(err)
		case n == 20:
			before++
			wantItems(t, all(t, next.Records(t.Context(), next.All("at"))), old)
		case n == 30:
			after++
			wantIDs(t, next, next.Range("at", -100, 1), append(keysOf(reversed(fresh)), 0)...)
		default:
			t.Fatalf("%d rows after %d bytes", n, bytes)
		}
		ok(t, tbl.Close())
		ok(t, next.Close())
	}
	if before == 0 || after == 0 {
		t.Errorf("%d writes were not done, %d were", before, after)
	}
}

func reversed(rows []item) []item {
	rows = slices.Clone(rows)
	slices.Reverse(rows)
	return rows
}

// dyingDialer dials connections which, taken together, take so many bytes and then never any more.
func dyingDialer(addr string, left *atomic.Int64) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		if left.Load() <= 0 {
			return nil, io.ErrClosedPipe
		}
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		return &dyingConn{Conn: conn, left: left}, err
	}
}

type dyingConn struct {
	net.Conn
	left *atomic.Int64
}

func (c *dyingConn) Write(b []byte) (int, error) {
	rest := c.left.Add(-int64(len(b)))
	if rest >= 0 {
		return c.Conn.Write(b)
	}
	n, _ := c.Conn.Write(b[:max(0, int64(len(b))+rest)])
	c.Conn.Close()
	return n, io.ErrClosedPipe
}

// Connection errors while a merge is folded do not leave the table merging.
func TestU06_AFoldSurvivesConnectionErrors(t *testing.T) {
	t.Parallel()
	s, name, b := redistest.Shared(t), redistest.Prefix(t), newBrake(t)
	var left atomic.Int64
	left.Store(math.MaxInt64)
	rdb := s.TCPClient(t, func(o *redis.Options) { o.Dialer, o.MaxRetries = dyingDialer(s.Addr(), &left), -1 })
	tbl := openAs(t, rdb, s.Client(t), itemDefinition(name), []string{"at", "rank"}, table.WithCleanup(b.pool))
	ok(t, tbl.ScratchPut(t.Context(), numbered(0, 1000)...))
	merge(t, tbl)
	left.Store(0)
	b.release()
	until(t, "the fold to fail", func() bool { st, _ := tbl.Stats(t.Context()); return st.FoldFailures > 0 })
	left.Store(math.MaxInt64)
	ok(t, tbl.WaitClear(t.Context()))
	put(t, tbl, numbered(1000, 1001)...)
	if n, err := tbl.Count(t.Context(), tbl.All("at")); err != nil || n != 1001 {
		t.Errorf("%d, %v", n, err)
	}
}

// A reader that stalls holds a put up for the grace period and no longer, and other readers not at all.
func TestU07_AStalledReaderStopsNobodyElse(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, table.WithPageBytes(300), table.WithSnapshotMemory(1), table.WithSnapshotGrace(50*time.Millisecond))
	put(t, tbl, numbered(0, 200)...)
	next, stop := pull(tbl.Records(t.Context(), tbl.All("at")))
	defer stop()
	_, err := next()
	ok(t, err)
	done := async(t, func() error { return tbl.Put(t.Context(), numbered(0, 1)...) })
	wantIDs(t, tbl, tbl.Range("at", 0, 20), 0, 1)
	ok(t, receive(t, "the put", done))
	for err == nil {
		_, err = next()
	}
	if !errors.Is(err, table.ErrSnapshotExpired) {
		t.Errorf("the stalled reader got %v, want ErrSnapshotExpired", err)
	}
}

// Leaving a read loop early leaks no lock.
func TestU08_LeavingALoopEarlyLeaksNoLock(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, table.WithPageBytes(300), table.WithSnapshotGrace(time.Hour))
	put(t, tbl, numbered(0, 200)...)
	for range 20 {
		for _, err := range tbl.Records(t.Context(), tbl.All("at")) {
			ok(t, err)
			break
		}
		put(t, tbl, numbered(0, 1)...)
	}
	if st := stats(t, tbl); st.Pins != 0 {
		t.Errorf("%d pins are left", st.Pins)
	}
}

// A put that fails has deleted nothing.
func TestU09_AFailedPutLeavesTheOldRow(t *testing.T) {
	t.Parallel()
	failedPuts(t, (*items).Put, (*maps).Put)
}

// Likewise in scratch.
func TestU10_AFailedScratchPutLeavesTheOldRow(t *testing.T) {
	t.Parallel()
	failedPuts(t, (*items).ScratchPut, (*maps).ScratchPut)
}

type maps = table.Table[map[string]any, int64]

func failedPuts(t *testing.T, put func(*items, context.Context, ...item) error, putMap func(*maps, context.Context, ...map[string]any) error) {
	tbl := openItems(t)
	ok(t, put(tbl, t.Context(), numbered(0, 3)...))
	for what, bad := range map[string]item{
		"a value that is too long": {ID: 1, Tags: []string{strings.Repeat("x", math.MaxUint16+1)}},
		"a NaN score":              {ID: 1, At: math.NaN()},
		"no UTF-8":                 {ID: 1, Name: "\xff"},
	} {
		var c *table.CodingError
		if err := put(tbl, t.Context(), item{ID: 2, At: 5}, bad); !errors.As(err, &c) {
			t.Errorf("%s: got %v, want a *CodingError", what, err)
		}
	}
	ok(t, tbl.ScratchMerge(t.Context()))
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), numbered(0, 3))

	name := redistest.Prefix(t)
	def := table.Definition[map[string]any, int64]{Name: name,
		PrimaryKey: table.Key(codec.Int64, func(m *map[string]any) int64 { return (*m)["id"].(int64) }),
		Attributes: []table.Attribute[map[string]any]{table.MapField("id", codec.Int64), table.MapField("name", codec.String)},
		Indexes:    []table.Index[map[string]any]{table.By("id", func(m *map[string]any) float64 { return float64((*m)["id"].(int64)) })}}
	named := open(t, redistest.Shared(t).Client(t), def, []string{"id"})
	ok(t, putMap(named, t.Context(), map[string]any{"id": int64(1), "name": "old"}))
	if err := putMap(named, t.Context(), map[string]any{"id": int64(1)}); !errors.Is(err, table.ErrMissingAttribute) {
		t.Errorf("got %v, want ErrMissingAttribute", err)
	}
	ok(t, named.ScratchMerge(t.Context()))
	if got, err := named.Get(t.Context(), 1); err != nil || got["name"] != "old" {
		t.Errorf("got %v, %v", got, err)
	}
}

// A new process sees all rows, of whatever generation they are.
func TestU11_ANewProcessSeesRowsOfAllGenerations(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	first := openOn(t, rdb, name)
	put(t, first, numbered(0, 1)...)
	for n := 1; n < 4; n++ {
		ok(t, first.ScratchPut(t.Context(), numbered(n, n+1)...))
		ok(t, first.ScratchMerge(t.Context()))
	}
	ok(t, first.Close())
	second := openOn(t, rdb, name)
	wantIDs(t, second, second.All("at"), 0, 1, 2, 3)
	ok(t, second.WaitClear(t.Context()))
}

// What a crashed writer has staged is not published by its successor's merge.
func TestU12_WhatACrashedWriterStagedIsDropped(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	first := openOn(t, rdb, name)
	put(t, first, numbered(0, 2)...)
	ok(t, first.ScratchPut(t.Context(), numbered(5, 7)...))
	_, err := first.ScratchDiscard(t.Context(), first.Range("at", 0, 1))
	ok(t, err)
	second := openOn(t, rdb, name) // the first is not closed: it has crashed
	ok(t, second.ScratchPut(t.Context(), numbered(9, 10)...))
	ok(t, second.ScratchMerge(t.Context()))
	ok(t, second.WaitClear(t.Context()))
	wantIDs(t, second, second.All("at"), 0, 1, 9)
}

// A second instance empties nothing behind the first one's back: the first is told that it is not the owner any more.
func TestU13_ASecondInstanceIsNotSilent(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	first := openOn(t, rdb, name)
	put(t, first, numbered(0, 2)...)
	second := openOn(t, rdb, name)
	wantIDs(t, second, second.All("at"), 0, 1)
	put(t, second, numbered(2, 3)...)
	if err := first.Put(t.Context(), numbered(3, 4)...); !errors.Is(err, table.ErrFenced) {
		t.Errorf("got %v, want ErrFenced", err)
	}
	wantIDs(t, second, second.All("at"), 0, 1, 2)
}

// No two tables share a key.
func TestU14_TablesShareNoKey(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	for _, other := range []string{name + ":i", name + ":x", name + ":i:r", name + ":x:at"} {
		if _, err := table.Open(t.Context(), rdb, itemDefinition(other)); !errors.Is(err, table.ErrInvalidDefinition) {
			t.Errorf("%s: got %v, want ErrInvalidDefinition", other, err)
		}
	}
	def := itemDefinition(name)
	def.Indexes = append(def.Indexes, table.By("r", func(i *item) float64 { return i.At }))
	one := open(t, rdb, def, []string{"at", "rank", "r"})
	two := openOn(t, rdb, name+":r")
	put(t, one, numbered(0, 2)...)
	put(t, two, numbered(5, 7)...)
	wantIDs(t, one, one.All("r"), 0, 1)
	wantIDs(t, two, two.All("at"), 5, 6)
}

// Scores next to 2^53 lie in the intervals that they belong to.
func TestU15_ScoresNextToTwoToThe53(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	scores := []float64{1<<53 - 2, 1<<53 - 1, 1 << 53, 1<<53 + 2, 1<<53 + 4, 1<<60 + 256, 0.3, math.Nextafter(0.3, 1)}
	for n, f := range scores {
		put(t, tbl, item{ID: int64(n), At: f})
	}
	for n, f := range scores[:6] {
		wantIDs(t, tbl, tbl.Range("at", f, math.Nextafter(f, inf)), int64(n))
		wantIDs(t, tbl, table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Only(f)}}, int64(n))
	}
	wantIDs(t, tbl, tbl.Range("at", 0.3, 1), 6, 7)
	wantIDs(t, tbl, tbl.Range("at", math.Nextafter(0.3, 1), 1), 7)
}

// A record with score +Inf can be reached.
func TestU16_InfiniteScoresAreReached(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, item{ID: 1, At: inf}, item{ID: 2, At: -inf}, item{ID: 3, At: math.MaxFloat64})
	wantIDs(t, tbl, tbl.All("at"), 2, 3, 1)
	wantIDs(t, tbl, tbl.Range("at", 0, inf), 3, 1)
	for id, f := range map[int64]float64{1: inf, 2: -inf} {
		wantIDs(t, tbl, table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Only(f)}}, id)
	}
}

package table_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/codec"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

func TestAStreamsChannelIsBoundedAndClosedByItsProducer(t *testing.T) {
	t.Parallel()
	for _, buffer := range []int{0, 1, 40} {
		tbl := openItems(t, smallPages(), table.WithStreamBuffer(buffer))
		put(t, tbl, numbered(0, 1000)...)
		s := tbl.Stream(t.Context(), tbl.All("at"))
		want := buffer
		if buffer == 0 {
			want = 256 // the default
		}
		if got := cap(s.C()); got != want {
			t.Errorf("the channel holds %d, want %d", got, want)
		}
		until(t, "a full channel", func() bool { return len(s.C()) == want })
		if err := s.Err(); err != nil {
			t.Errorf("before the end: %v", err)
		}
		n := 0
		for range s.C() {
			n++
		}
		ok(t, s.Err())
		s.Close() // does nothing any more
		ok(t, s.Err())
		if n != 1000 {
			t.Errorf("%d records, want 1000", n)
		}
	}
}

func TestAStreamTellsWhyItDidNotDeliverAll(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages(), table.WithStreamBuffer(1))
	put(t, tbl, numbered(0, 1000)...)
	unknown := tbl.Stream(t.Context(), table.Spec[item]{Index: "no such"})
	ctx, cancel := context.WithCancel(t.Context())
	cancelled, closed := tbl.Stream(ctx, tbl.All("at")), tbl.Stream(t.Context(), tbl.All("at"))
	receive(t, "a record", cancelled.C())
	receive(t, "a record", closed.C())
	cancel()
	closed.Close()
	ended := tbl.Stream(t.Context(), tbl.All("at"))
	receive(t, "a record", ended.C())
	ok(t, tbl.Close())
	late := tbl.Stream(t.Context(), tbl.All("at"))
	for want, s := range map[error]*table.Stream[item]{table.ErrUnknownIndex: unknown, context.Canceled: cancelled, table.ErrClosed: ended} {
		for range s.C() {
		}
		if err := s.Err(); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	if _, more := <-late.C(); more || !errors.Is(late.Err(), table.ErrClosed) {
		t.Errorf("a stream of a closed table: %v", late.Err())
	}
	if err := closed.Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("closed early: got %v, want Canceled", err)
	}
}

func TestG12_AStreamSkipsADamagedRowAndTellsSo(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name, smallPages())
	put(t, tbl, numbered(0, 500)...)
	ok(t, rdb.HSet(t.Context(), name+":r", rawKey(0), "", rawKey(400), "\x00\x00\x00\x00damaged", rawKey(450), "").Err())
	s := tbl.Stream(t.Context(), tbl.All("at"))
	n := 0
	for range s.C() {
		n++
	}
	var coding *table.CodingError
	if n != 497 || !errors.As(s.Err(), &coding) {
		t.Errorf("%d records, then %v", n, s.Err())
	}
	// An empty row alone tells nothing about the size of the next.
	apart := table.Spec[item]{Index: "at", Intervals: []table.Interval{table.Only(0), table.Only(10)}}
	var last item
	for i, err := range tbl.Records(t.Context(), apart) {
		if last = i; err != nil && !errors.As(err, &coding) {
			t.Errorf("got %v, want a CodingError", err)
		}
	}
	if last.ID != 1 {
		t.Errorf("the record behind an empty row is %+v", last)
	}
	put(t, tbl, numbered(0, 500)...)
}

// heap returns how many bytes are in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

type broad struct {
	ID   int64
	Text string
}

// openBroadAs opens a table of broad records. Its keys are not walked: there are many.
func openBroadAs(t testing.TB, rdb *redis.Client, name string, opts ...table.Option) *table.Table[broad, int64] {
	t.Helper()
	tbl, err := table.Open(t.Context(), rdb, table.Definition[broad, int64]{
		Name:       name,
		PrimaryKey: table.Key(codec.Int64, func(b *broad) int64 { return b.ID }),
		Attributes: []table.Attribute[broad]{
			table.Field("id", codec.Int64, func(b *broad) *int64 { return &b.ID }),
			table.Field("text", codec.String, func(b *broad) *string { return &b.Text }),
		},
		Indexes: []table.Index[broad]{table.By("id", func(b *broad) float64 { return float64(b.ID) })},
	}, opts...)
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	return tbl
}

// openBroad opens a table of so many records, with texts of so many bytes.
func openBroad(t testing.TB, rdb *redis.Client, records, bytes int, opts ...table.Option) *table.Table[broad, int64] {
	t.Helper()
	tbl, text := openBroadAs(t, rdb, redistest.Prefix(t), opts...), strings.Repeat("x", bytes)
	batch := make([]broad, 0, 1000)
	for id := range int64(records) {
		batch = append(batch, broad{id, text})
		if len(batch) == cap(batch) || id == int64(records)-1 {
			ok(t, tbl.Put(t.Context(), batch...))
			batch = batch[:0]
		}
	}
	return tbl
}

// Not parallel: it weighs the heap of the process.
func TestG5_AStreamHoldsItsPagesAndItsChannelAlone(t *testing.T) {
	const memory, grace = 6 << 20, 400 * time.Millisecond
	server := redistest.Start(t, redistest.Options{})
	tbl := openBroad(t, server.Client(t), 200_000, 185, table.WithSnapshotMemory(memory), table.WithSnapshotGrace(grace)) // rows of 200 bytes
	before := heap()
	s := tbl.Stream(t.Context(), tbl.All("id"))
	for range 10 {
		receive(t, "a record", s.C())
	}
	until(t, "a full channel", func() bool { return len(s.C()) == cap(s.C()) })
	if grown := heap() - before; grown > 8<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	// In a hurry it holds as much again as the snapshot memory allows, in bytes that are really used.
	waits := async(t, func() error { return tbl.Put(t.Context(), broad{ID: 1}) })
	most := int64(0)
	for len(waits) == 0 {
		most = max(most, heap()-before)
	}
	ok(t, <-waits)
	for range s.C() {
	}
	if most > memory+8<<20 || most < memory/2 {
		t.Errorf("in a hurry the heap has grown by %d bytes", most)
	}
	if !errors.Is(s.Err(), table.ErrSnapshotExpired) {
		t.Errorf("got %v, want ErrSnapshotExpired", s.Err())
	}
}

// outputBytes returns how many bytes a server has sent.
func outputBytes(t testing.TB, rdb *redis.Client) (n int) {
	t.Helper()
	text, err := rdb.Info(t.Context(), "stats").Result()
	ok(t, err)
	_, rest, _ := strings.Cut(text, "total_net_output_bytes:")
	_, err = fmt.Sscan(rest, &n)
	ok(t, err)
	return n
}

// A table that was just opened has no idea yet how large its rows are. A read may fetch three pages that nobody wants yet.
func TestPagesAreBoundedByBytesFromTheFirstOn(t *testing.T) {
	t.Parallel()
	for _, size := range []int{10 << 10, 300 << 10} {
		server := redistest.Start(t, redistest.Options{})
		rdb := server.Client(t)
		first := openBroad(t, rdb, 200, size, table.WithStreamBuffer(1))
		again := openBroadAs(t, rdb, first.Name(), table.WithStreamBuffer(1))
		before := outputBytes(t, rdb)
		s := again.Stream(t.Context(), again.All("id"))
		receive(t, "a record", s.C())
		until(t, "a full channel", func() bool { return len(s.C()) == 1 })
		if sent := outputBytes(t, rdb) - before; sent > 3*(256<<10)+5*size {
			t.Errorf("rows of %d bytes: %d bytes were sent", size, sent)
		}
		s.Close()
	}
}

package table_test

import (
	"context"
	"errors"
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
	ok(t, rdb.HSet(t.Context(), name+":r", rawKey(2), "\x00\x00\x00\x00damaged", rawKey(400), "").Err())
	s := tbl.Stream(t.Context(), tbl.All("at"))
	n := 0
	for range s.C() {
		n++
	}
	var coding *table.CodingError
	if n != 498 || !errors.As(s.Err(), &coding) {
		t.Errorf("%d records, then %v", n, s.Err())
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

type wide struct {
	ID   int64
	Text string
}

// openWide has a table of so many records, with texts of so many bytes. Its keys are not walked: they are many.
func openWide(t testing.TB, rdb *redis.Client, records, bytes int, opts ...table.Option) *table.Table[wide, int64] {
	t.Helper()
	tbl, err := table.Open(t.Context(), rdb, table.Definition[wide, int64]{
		Name:       redistest.Prefix(t),
		PrimaryKey: table.Key(codec.Int64, func(w *wide) int64 { return w.ID }),
		Attributes: []table.Attribute[wide]{
			table.Field("id", codec.Int64, func(w *wide) *int64 { return &w.ID }),
			table.Field("text", codec.String, func(w *wide) *string { return &w.Text }),
		},
		Indexes: []table.Index[wide]{table.By("id", func(w *wide) float64 { return float64(w.ID) })},
	}, opts...)
	ok(t, err)
	t.Cleanup(func() { tbl.Close() })
	text := strings.Repeat("x", bytes)
	batch := make([]wide, 1000)
	for from := 0; from < records; from += len(batch) {
		for i := range batch {
			batch[i] = wide{int64(from + i), text}
		}
		ok(t, tbl.Put(t.Context(), batch[:min(len(batch), records-from)]...))
	}
	return tbl
}

// Not parallel: it weighs the heap of the process.
func TestG5_AStreamHoldsItsPagesAndItsChannelAlone(t *testing.T) {
	const memory, grace = 6 << 20, 400 * time.Millisecond
	server := redistest.Start(t, redistest.Options{})
	tbl := openWide(t, server.Client(t), 200_000, 185, table.WithSnapshotMemory(memory), table.WithSnapshotGrace(grace)) // rows of 200 bytes
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
	waits := async(t, func() error { return tbl.Put(t.Context(), wide{ID: 1}) })
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

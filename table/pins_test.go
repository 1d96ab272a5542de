package table_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

const manyItems = 2000 // some 40 pages of smallPages

// stalled returns a stream of a table of many pages, of which one record was received.
func stalled(t testing.TB, tbl *items) *table.Stream[item] {
	t.Helper()
	s := tbl.Stream(t.Context(), tbl.All("at"))
	t.Cleanup(s.Close)
	if first := receive(t, "the first record", s.C()); first.ID != 0 {
		t.Fatalf("the first record is %+v", first)
	}
	return s
}

// disturbances are the effects that wait for the pin of a reader of numbered items, and how to know that they are over.
func disturbances(tbl *items) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"put":   func(ctx context.Context) error { return tbl.Put(ctx, item{ID: 1, Name: "changed", At: 9000}) },
		"clear": func(ctx context.Context) error { return tbl.Clear(ctx) },
		"apply": func(ctx context.Context) error {
			return tbl.Apply(ctx, batch{Put: []item{{ID: 1, Name: "changed", At: 9000}}, Delete: []int64{2}})
		},
		"update": func(ctx context.Context) error { return tbl.Update(ctx, 1, renamed("changed")) },
		"delete": func(ctx context.Context) error {
			_, err := tbl.DeleteKeys(ctx, 5)
			return err
		},
		"fold": func(ctx context.Context) error {
			if err := tbl.ScratchPut(ctx, item{ID: 3, Name: "staged", At: -1}); err != nil {
				return err
			}
			if err := tbl.ScratchMerge(ctx); err != nil {
				return err
			}
			return tbl.WaitClear(ctx)
		},
	}
}

func forEachDisturbance(t *testing.T, opts []table.Option, test func(*testing.T, *items, func(context.Context) error)) {
	t.Parallel()
	for name := range disturbances(nil) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tbl := openItems(t, append([]table.Option{smallPages(), table.WithStreamBuffer(1)}, opts...)...)
			put(t, tbl, numbered(0, manyItems)...)
			test(t, tbl, disturbances(tbl)[name])
		})
	}
}

func TestG5_AWriteMakesAStreamHurryAndItIsFedFromMemory(t *testing.T) {
	forEachDisturbance(t, []table.Option{table.WithSnapshotGrace(time.Hour)}, func(t *testing.T, tbl *items, disturb func(context.Context) error) {
		s := stalled(t, tbl)
		if pins := stats(t, tbl).Pins; pins != 1 {
			t.Errorf("%d pins, want 1", pins)
		}
		ok(t, disturb(t.Context())) // or it waits for an hour
		if pins := stats(t, tbl).Pins; pins != 0 {
			t.Errorf("%d pins are left", pins)
		}
		got := []item{withTags(numbered(0, 1)[0])}
		for i := range s.C() {
			got = append(got, i)
		}
		ok(t, s.Err())
		wantItems(t, got, numbered(0, manyItems))
	})
}

func TestG5_AStalledConsumerHoldsAWriteUpForTheGracePeriod(t *testing.T) {
	const grace = 150 * time.Millisecond
	opts := []table.Option{table.WithSnapshotGrace(grace), table.WithSnapshotMemory(8 << 10)}
	forEachDisturbance(t, opts, func(t *testing.T, tbl *items, disturb func(context.Context) error) {
		s, start := stalled(t, tbl), time.Now()
		ok(t, disturb(t.Context()))
		if took := time.Since(start); took < grace || took > grace+2*time.Second { // the machine may be busy
			t.Errorf("the write took %v, the grace period is %v", took, grace)
		}
		n := 1
		for i := range s.C() {
			if i.ID != int64(n) {
				t.Fatalf("record %d is %+v", n, i)
			}
			n++
		}
		if err := s.Err(); n == manyItems || !errors.Is(err, table.ErrSnapshotExpired) {
			t.Errorf("%d records, then %v", n, err)
		}
	})
}

func TestG5_TheGracePeriodBeginsWithTheFirstThatWaits(t *testing.T) {
	t.Parallel()
	const grace = time.Second
	tbl := openItems(t, smallPages(), table.WithStreamBuffer(1), table.WithSnapshotGrace(grace), table.WithSnapshotMemory(1))
	put(t, tbl, numbered(0, manyItems)...)
	stalled(t, tbl)
	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), grace*8/10)
	defer cancel()
	if err := tbl.Put(ctx, item{ID: 1}); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, table.ErrUnknownOutcome) {
		t.Errorf("got %v, want a write that was not begun", err)
	}
	put(t, tbl, item{ID: 2})
	if took := time.Since(start); took < grace || took > grace*17/10 {
		t.Errorf("it was over after %v, want %v", took, grace)
	}
}

func TestG5_ReadsOfOnePageNeitherWaitNorAreWaitedFor(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages(), table.WithStreamBuffer(1), table.WithSnapshotGrace(time.Hour), table.WithSnapshotMemory(1))
	put(t, tbl, numbered(0, manyItems)...)
	for range tbl.Records(t.Context(), tbl.Range("at", 0, 50)) {
		put(t, tbl, item{ID: 9, At: 90}) // it would wait for an hour
	}
	s := stalled(t, tbl)
	waits := async(t, func() error { return tbl.Put(t.Context(), item{ID: 8, At: 80}) })
	for name, read := range reads(tbl) {
		if name == "Records" || name == "Stream" { // these are long
			continue
		}
		if _, err := read(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantIDs(t, tbl, tbl.Range("at", 100, 120), 10, 11)
	if pins := stats(t, tbl).Pins; pins != 1 {
		t.Errorf("%d pins, want that of the stalled stream", pins)
	}
	s.Close()
	ok(t, receive(t, "the write", waits))
}

func TestG5_ReadersInAHurryShareTheMemoryWithoutADeadlock(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages(), table.WithStreamBuffer(1), table.WithSnapshotMemory(24<<10))
	put(t, tbl, numbered(0, manyItems)...)
	streams := []*table.Stream[item]{stalled(t, tbl), stalled(t, tbl), stalled(t, tbl)}
	waits := async(t, func() error { return tbl.Put(t.Context(), item{ID: 1, Name: "changed"}) })
	for n := 1; n < manyItems; n++ {
		for k, s := range streams {
			if i := receive(t, "a record", s.C()); i.ID != int64(n) || i.Name == "changed" {
				t.Fatalf("stream %d: record %d is %+v: %v", k, n, i, s.Err())
			}
		}
	}
	ok(t, receive(t, "the write", waits))
}

// inLoop calls do at the third record of a read of everything, and returns how many records came and the error after them.
func inLoop(t testing.TB, tbl *items, do func() error) (n int, last error) {
	t.Helper()
	for _, err := range tbl.Records(t.Context(), tbl.All("at")) {
		if last = err; err != nil {
			break
		}
		if n++; n == 3 {
			ok(t, do())
		}
	}
	return n, last
}

// What may be done inside a loop, in tables that fit the snapshot memory and in others; there what waits for the pin ends
// the read, after the grace period.
func TestG5_WhateverIsDoneInsideAReadLoopEnds(t *testing.T) {
	t.Parallel()
	many := numbered(0, manyItems)
	calls := map[string]struct {
		call    func(context.Context, *items) error
		expires bool // where the table is larger than the snapshot memory
	}{
		"put":         {func(ctx context.Context, tbl *items) error { return tbl.Put(ctx, many[7]) }, true},
		"clear":       {func(ctx context.Context, tbl *items) error { return tbl.Clear(ctx) }, true},
		"scratch put": {func(ctx context.Context, tbl *items) error { return tbl.ScratchPut(ctx, many...) }, false},
		"merge": {func(ctx context.Context, tbl *items) error {
			return errors.Join(tbl.ScratchPut(ctx, many[:9]...), tbl.ScratchMerge(ctx))
		}, false},
		"merge and its fold": {func(ctx context.Context, tbl *items) error {
			return errors.Join(tbl.ScratchPut(ctx, many[:9]...), tbl.ScratchMerge(ctx), tbl.WaitClear(ctx))
		}, true},
		"read": {func(ctx context.Context, tbl *items) error { return lastError(tbl.Records(ctx, tbl.All("rank"))) }, false},
		"write and read": {func(ctx context.Context, tbl *items) error {
			waits := make(chan error, 1)
			go func() { waits <- tbl.Put(ctx, many[7]) }()
			err := lastError(tbl.Records(ctx, tbl.All("rank")))
			return errors.Join(err, <-waits)
		}, true},
	}
	for name, c := range calls {
		for size, memory := range map[string]int64{"all fits": 64 << 20, "not all fits": 8 << 10} {
			t.Run(name+", "+size, func(t *testing.T) {
				t.Parallel()
				tbl := openItems(t, smallPages(), table.WithSnapshotMemory(memory), table.WithSnapshotGrace(time.Second))
				put(t, tbl, many...)
				n, err := inLoop(t, tbl, func() error { return c.call(t.Context(), tbl) })
				switch {
				case c.expires && size == "not all fits":
					if !errors.Is(err, table.ErrSnapshotExpired) {
						t.Errorf("%d records, then %v, want ErrSnapshotExpired", n, err)
					}
				case err != nil || n != manyItems:
					t.Errorf("%d records, then %v", n, err)
				}
			})
		}
	}
}

// The README's way to change a table of any size: staging disturbs no reader.
func TestG5_ReadChangeAndStageBackATableLargerThanTheMemory(t *testing.T) {
	t.Parallel()
	tbl := openItems(t, smallPages(), table.WithSnapshotMemory(1), table.WithSnapshotGrace(time.Millisecond))
	put(t, tbl, numbered(0, manyItems)...)
	var changed []item
	for i, err := range tbl.Records(t.Context(), tbl.All("at")) {
		ok(t, err)
		i.At, i.Name = i.At+1, i.Name+"!"
		changed = append(changed, i)
		ok(t, tbl.ScratchPut(t.Context(), i))
	}
	ok(t, tbl.ScratchMerge(t.Context()))
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), changed)
	if len(changed) != manyItems || !slices.IsSortedFunc(changed, func(a, b item) int { return int(a.ID - b.ID) }) {
		t.Errorf("%d records were read", len(changed))
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

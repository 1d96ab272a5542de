package table_test

import (
	"flag"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tablecache-go/tablecache/internal/model"
	"github.com/tablecache-go/tablecache/table"
)

var snapshotSeed = flag.Uint64("snapshot.seed", 0, "repeat the choices of a run of TestG3_EveryReadIsOneMoment")

// Readers of every kind run against every kind of write. Each answer must be, record by record, what the table showed at
// one moment between the beginning of the read and its first record.
func TestG3_EveryReadIsOneMoment(t *testing.T) {
	t.Parallel()
	seed := *snapshotSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	for _, size := range []struct{ keys, pageBytes, writes int }{{500, 1 << 10, 150}, {2500, 8 << 10, 60}} {
		t.Run(fmt.Sprint(size.keys), func(t *testing.T) {
			t.Parallel()
			t.Logf("-snapshot.seed=%d", seed)
			l := newLedger(t, seed, size.keys, table.WithPageBytes(size.pageBytes), table.WithStreamBuffer(5))
			var over atomic.Bool
			for n := range 3 {
				async(t, func() error {
					r := reader{ledger: l, rng: rand.New(rand.NewPCG(seed, uint64(n)+1)), over: &over}
					for !over.Load() && !t.Failed() {
						r.read()
					}
					return nil
				})
			}
			defer over.Store(true)
			for i := 0; i < size.writes && !t.Failed(); i++ {
				l.write()
			}
			t.Logf("%d reads beside %d writes", l.reads.Load(), l.acked.Load())
		})
	}
}

// reader reads and compares.
type reader struct {
	*ledger
	rng  *rand.Rand
	over *atomic.Bool // no more writes come
}

func (r *reader) read() {
	s := r.spec()
	began := r.acked.Load()
	switch kind := r.rng.IntN(10); {
	case kind == 0:
		n, err := r.tbl.Count(r.t.Context(), s)
		r.compare("count", s, began, r.asked.Load(), err, func(m *model.Table[item]) bool { return m.Count(specOf(s)) == n })
	case kind < 5:
		got, moment, err := r.collect(r.tbl.Records(r.t.Context(), s))
		r.compare("Records", s, began, moment, err, func(m *model.Table[item]) bool { return same(got, m.Read(specOf(s))) })
	default:
		stream := r.tbl.Stream(r.t.Context(), s)
		got, moment, _ := r.collect(delivered(stream))
		r.compare("Stream", s, began, moment, stream.Err(), func(m *model.Table[item]) bool { return same(got, m.Read(specOf(s))) })
	}
	r.reads.Add(1)
}

// delivered returns what a stream delivers.
func delivered[R any](s *table.Stream[R]) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		for r := range s.C() {
			if !yield(r, nil) {
				s.Close()
			}
		}
	}
}

// collect returns what comes, and the number of a write before which the read's moment must have been.
func (r *reader) collect(seq iter.Seq2[item, error]) (got []item, moment int64, err error) {
	dawdle := r.rng.IntN(400)
	for i, e := range seq {
		if len(got) == 0 {
			moment = r.asked.Load()
		}
		if err = e; err != nil {
			break
		}
		got = append(got, i)
		if len(got) == dawdle {
			r.awaitWrite()
		}
	}
	if len(got) == 0 {
		moment = r.asked.Load()
	}
	return got, moment, err
}

// awaitWrite waits for another write to end, but not for ever: that may wait for reads.
func (r *reader) awaitWrite() {
	for i, now := 0, r.acked.Load(); i < 5000 && r.acked.Load() < now+1 && !r.over.Load(); i++ {
		runtime.Gosched()
	}
}

func (r *reader) compare(what string, s table.Spec[item], began, moment int64, err error, equals func(*model.Table[item]) bool) {
	if err != nil {
		if !r.over.Load() {
			r.t.Errorf("%s of %v: %v", what, s.Intervals, err)
		}
		return
	}
	for write := began; write <= moment; write++ {
		if equals(r.after(write)) {
			return
		}
	}
	r.t.Errorf("%s by %s of %v, reverse %t, limit %d is what the table showed after none of the writes %d to %d",
		what, s.Index, s.Intervals, s.Reverse, s.Limit, began, moment)
}

func same(got, want []item) bool {
	return slices.EqualFunc(got, want, func(a, b item) bool {
		return a.ID == b.ID && a.Name == b.Name && a.At == b.At && a.Rank == b.Rank
	})
}

func (r *reader) spec() table.Spec[item] {
	s := table.Spec[item]{Index: []string{"at", "rank"}[r.rng.IntN(2)], Reverse: r.rng.IntN(2) == 0, Intervals: r.intervals()}
	if r.rng.IntN(3) == 0 {
		s.Limit = 1 + r.rng.IntN(r.keys)
	}
	if r.rng.IntN(4) == 0 {
		s.Recheck = func(i *item) bool { return i.ID%3 != 0 }
	}
	return s
}

func (r *reader) intervals() []table.Interval {
	at := float64(r.rng.IntN(r.keys))
	switch r.rng.IntN(5) {
	case 0:
		return []table.Interval{{GE: 3, LT: at + 4}, table.Only(2), {GE: math.Inf(-1), LT: 1}, {GE: at + 4, LT: math.Inf(1)}}
	case 1:
		return []table.Interval{{GE: 0, LT: at}}
	case 2:
		return []table.Interval{table.Only(math.Inf(1)), {GE: 1, LT: 1}, table.Only(0), table.Only(1)}
	default:
		return []table.Interval{table.Everything()}
	}
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

package stress

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// TestG3_AThousandGoroutinesAsInAServer has 700 goroutines read, some slowly, some breaking off, 200 put and 100 reload
// thirds of the table. Every answer is checked by the ledger.
func TestG3_AThousandGoroutinesAsInAServer(t *testing.T) {
	server := redistest.Start(t, redistest.Options{})
	rdb := server.TCPClient(t, func(o *redis.Options) { o.PoolSize = 32 })
	f := newFleet(t, rdb, "server", 300, 10)
	before := resources(t, f)
	l := newLoad(t, f, session.begin(t, "reads of a thousand goroutines", 50_000, loadShare), time.Minute)
	l.progress = &f.reads
	for k := range 1000 {
		r := source(uint64(1000 + k))
		switch {
		case k < 700:
			l.start(func() error {
				rest(l.ctx, time.Duration(r.IntN(600))*time.Millisecond) // visitors think, too
				return l.visit(r, k%10)
			})
		case k < 900:
			l.start(func() error { return f.put(l.ctx, r.IntN(f.groups)) })
		default:
			l.start(func() error { return f.reload(l.ctx, r.IntN(thirds), func(error) bool { return true }) })
		}
	}
	l.wait()
	ok(t, f.tbl.Load().WaitClear(t.Context()))
	before.sameAs(t, f)
	walk.Walk(t, rdb, "server", "at", "rank")
	l.figures("server")
}

// TestG7_ReadsSpanMerges has readers wait in the middle of an answer for the next merge, again and again.
func TestG7_ReadsSpanMerges(t *testing.T) {
	rdb := redistest.Start(t, redistest.Options{}).Client(t)
	f := newFleet(t, rdb, "span", 30, 4, table.WithPageBytes(600))
	l := newLoad(t, f, session.begin(t, "merges spanned by reads that wait for them", 20_000, spanShare), time.Minute)
	l.progress = &f.spanned
	for k := range 8 {
		r := source(uint64(2000 + k))
		l.start(func() error { return f.whole(l.ctx, r, l.awaitMerge) })
	}
	r := source(2100)
	l.start(func() error { return f.put(l.ctx, r.IntN(f.groups)) })
	s := source(2101)
	l.start(func() error { return f.reload(l.ctx, s.IntN(thirds), func(error) bool { return true }) })
	l.wait()
	walk.Walk(t, rdb, "span", "at", "rank")
	l.figures("span")
}

// load is goroutines that go on until their part of the run is over or one of them has failed.
type load struct {
	t        *testing.T
	f        *fleet
	part     *part
	progress *atomic.Int64 // what the part counts, if it counts what these goroutines do
	ctx      context.Context
	cancel   context.CancelFunc
	late     time.Duration
	wg       sync.WaitGroup
}

// newLoad returns a load whose calls may take so much longer than the part.
func newLoad(t *testing.T, f *fleet, p *part, late time.Duration) *load {
	l := &load{t: t, f: f, part: p, late: late}
	l.ctx, l.cancel = context.WithDeadline(t.Context(), p.end.Add(late))
	t.Cleanup(l.cancel)
	return l
}

func (l *load) isOver() bool { return l.part.isOver() || l.t.Failed() }

// start repeats step, whose errors are faults unless a reader was too slow for a write that waited.
func (l *load) start(step func() error) {
	l.wg.Go(func() {
		for !l.isOver() {
			if err := step(); err != nil && !errors.Is(err, table.ErrSnapshotExpired) {
				l.fail(err)
			}
			if l.progress != nil {
				l.part.reach(float64(l.progress.Load()))
			}
		}
	})
}

func (l *load) fail(err error) {
	l.t.Errorf("%v", err)
	l.part.stop()
	if errors.As(err, &wrong{}) {
		save(l.t, l.t.Name(), fmt.Sprintf("%v\n\n%v", err, l.f.led))
	}
}

// wait waits for all goroutines. A call that goes on for long after the part is over has failed.
func (l *load) wait() {
	done := make(chan struct{})
	go func() {
		l.wg.Wait()
		close(done)
	}()
	select {
	case <-done:
		return
	case <-l.part.over():
	}
	select {
	case <-done:
	case <-time.After(l.late):
		l.t.Errorf("a call goes on %v after its part of the run is over", l.late)
		l.cancel()
		<-done
	}
}

// visit is one request of a reader: most are short; some are long, and then the reader is slow, or leaves.
func (l *load) visit(r *rand.Rand, kind int) error {
	switch kind {
	case 5:
		return l.f.whole(l.ctx, r, nothing)
	case 6:
		return l.f.whole(l.ctx, r, func(n int) {
			if n%200 == 0 {
				rest(l.ctx, time.Millisecond)
			}
		})
	case 7:
		return l.leave(r)
	case 8:
		return l.breakOff(r)
	case 9:
		return l.stream(r)
	}
	return l.f.query(l.ctx, r)
}

// rest is the time that a slow consumer takes for its own work.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// leave cancels a read at a random record: it ends with that, or its answer was whole before.
func (l *load) leave(r *rand.Rand) error {
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	at := r.IntN(l.f.groups * l.f.slots)
	err := l.f.whole(ctx, r, func(n int) {
		if n == at {
			cancel()
		}
	})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (l *load) breakOff(r *rand.Rand) error {
	tbl, at, n := l.f.tbl.Load(), r.IntN(l.f.groups*l.f.slots), 0
	for _, err := range tbl.Records(l.ctx, tbl.All("at")) {
		if n++; err != nil || n > at {
			return err
		}
	}
	return nil
}

// stream reads through a channel, to the end or until it has had enough.
func (l *load) stream(r *rand.Rand) error {
	tbl, v, n := l.f.tbl.Load(), l.f.look(), 0
	enough := r.IntN(2 * l.f.groups * l.f.slots)
	s := tbl.Stream(l.ctx, tbl.All("at"))
	defer s.Close()
	for m := range s.C() {
		if err := v.add(m); err != nil {
			return wrong{err}
		}
		if n++; n == enough {
			return nil
		}
	}
	if err := s.Err(); err != nil {
		return err
	}
	if err := l.f.check(v, l.f.groups, l.f.slots); err != nil {
		return wrong{err}
	}
	return nil
}

// awaitMerge stops a reader after its first record until a merge has been done.
func (l *load) awaitMerge(n int) {
	if n != 1 || l.isOver() {
		return
	}
	select {
	case <-l.f.nextMerge():
	case <-l.part.over():
	}
}

func (l *load) figures(name string) {
	f := l.f
	readsMade.Add(f.reads.Load())
	mergesSpanned.Add(f.spanned.Load())
	l.t.Logf("%s: %d reads checked, %d puts, %d merges, %d times spanned by a read", name, f.reads.Load(), f.puts.Load(), f.merges.Load(), f.spanned.Load())
	share := 100 * float64(f.expired.Load()) / float64(max(f.long.Load(), 1))
	session.figures.Add(Figure{Name: name + ": long reads ended by ErrSnapshotExpired, percent (goal below 1)", Ours: share})
}

// usage is what a load must give back.
type usage struct {
	goroutines int
	heap       uint64
	pins       int
}

func resources(t *testing.T, f *fleet) usage {
	t.Helper()
	s, err := f.tbl.Load().Stats(t.Context())
	ok(t, err)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{goroutines: runtime.NumGoroutine(), heap: m.HeapAlloc, pins: s.Pins}
}

// sameAs waits until everything is given back. The ledger has grown: the heap may keep that.
func (u usage) sameAs(t *testing.T, f *fleet) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		now := resources(t, f)
		if now.goroutines <= u.goroutines && now.pins == 0 {
			t.Logf("heap %d KiB before, %d KiB after", u.heap>>10, now.heap>>10)
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%d goroutines and %d pins, before %d and none", now.goroutines, now.pins, u.goroutines)
			return
		}
		runtime.Gosched()
	}
}

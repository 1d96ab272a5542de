package stress

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// TestG8_TakeOversWithoutAFencedEffect opens a table again and again while its owner of the moment is written to. Once
// the new owner is there, nothing that the old one still tries has an effect, and nothing that it was told is lost.
func TestG8_TakeOversWithoutAFencedEffect(t *testing.T) {
	rdb := redistest.Start(t, redistest.Options{}).Client(t)
	f := newFleet(t, rdb, "owners", 6, 2)
	p := session.begin(t, "take-overs without an effect of the fenced owner", 500, takeShare)
	for n := 1; !p.isOver() && !t.Failed(); n++ {
		f.takeOver(t)
		p.reach(float64(n))
	}
	walk.Walk(t, rdb, "owners", "at", "rank")
	readsMade.Add(f.reads.Load())
}

// takeOver lets writers of the old owner go on until they are told to stop, and compares what the new owner finds when
// it opens the table with what is there when they have.
func (f *fleet) takeOver(t *testing.T) {
	t.Helper()
	old := f.tbl.Load()
	var writers sync.WaitGroup
	for g := range f.groups {
		writers.Go(func() { f.writeUntilFenced(t, old, g) })
	}
	tbl, err := table.Open(t.Context(), f.rdb, memberTable("owners", f.groups))
	ok(t, err)
	f.tbl.Store(tbl)
	found := f.found(t)
	writers.Wait()
	if after := f.found(t); fmt.Sprint(found) != fmt.Sprint(after) {
		t.Errorf("a fenced owner has changed %v to %v", found, after)
	}
	ok(t, old.Close())
}

func (f *fleet) writeUntilFenced(t *testing.T, old *members, group int) {
	for {
		version := f.led.Begin(group)
		err := old.Put(t.Context(), f.members(group, version)...)
		f.led.End(group, outcome(err))
		if errors.Is(err, table.ErrFenced) {
			return
		}
		if err != nil {
			t.Errorf("the owner of the past is told %v", err)
			return
		}
	}
}

// found returns the versions there are, which must be of one moment.
func (f *fleet) found(t *testing.T) map[int]int64 {
	t.Helper()
	tbl, v := f.tbl.Load(), f.look()
	for m, err := range tbl.Records(t.Context(), tbl.All("at")) {
		ok(t, err)
		ok(t, v.add(m))
	}
	ok(t, f.check(v, f.groups, f.slots))
	return v.versions
}

// TestG13_NothingLeaksFromOpeningAndClosing opens, uses and closes a table as often as the run asks for: with a read
// left early, a stream abandoned, a call cancelled, scratch left active. All that it took is given back, pins too.
func TestG13_NothingLeaksFromOpeningAndClosing(t *testing.T) {
	rdb := redistest.Start(t, redistest.Options{}).Client(t)
	cycles := max(20, int(1000*session.scale()))
	cycle(t, rdb) // what the client and the runtime keep for good
	before := held(t)
	n := 0
	for ; n < cycles && time.Now().Before(session.end); n++ {
		cycle(t, rdb)
	}
	before.atMost(t)
	if open := int(rdb.PoolStats().TotalConns); open > 10 {
		t.Errorf("%d connections are still there", open)
	}
	session.note("open and close cycles, nothing leaked", float64(n), 1000)
}

func cycle(t *testing.T, rdb *redis.Client) {
	t.Helper()
	tbl, err := table.Open(t.Context(), rdb, itemTable("leaks"), table.WithReset(), table.WithPageBytes(100))
	ok(t, err)
	var all []Item
	for k := range 50 {
		all = append(all, Item{Key: fmt.Sprint(k), A: float64(k)})
	}
	ok(t, tbl.Put(t.Context(), all...))
	for _, err := range tbl.Records(t.Context(), tbl.All("a")) {
		ok(t, err)
		break
	}
	unpinned(t, tbl)
	abandoned := tbl.Stream(t.Context(), tbl.All("a"))
	<-abandoned.C()
	ok(t, tbl.ScratchPut(t.Context(), all[0]))
	ctx, cancel := context.WithCancel(t.Context())
	put := make(chan error, 1)
	go func() { put <- tbl.Put(ctx, all[1]) }()
	cancel()
	if err := <-put; !errors.Is(err, context.Canceled) {
		t.Errorf("a put that must wait: %v", err)
	}
	ok(t, tbl.Close())
}

// unpinned waits until no read holds a pin: one that was left lets go at once.
func unpinned(t *testing.T, tbl *items) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; {
		s, err := tbl.Stats(t.Context())
		ok(t, err)
		if s.Pins == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a read that was left holds %d pins", s.Pins)
		}
	}
}

// taken is what a process holds.
type taken struct{ goroutines, descriptors int }

func held(t *testing.T) taken {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil && !strings.Contains(err.Error(), "no such file") { // only Linux tells
		t.Fatal(err)
	}
	return taken{runtime.NumGoroutine(), len(files)}
}

// atMost waits until no more is held than before; connections that wait in the client's pool are few.
func (u taken) atMost(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		now := held(t)
		if now.goroutines <= u.goroutines && now.descriptors <= u.descriptors+8 {
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%+v, before %+v", now, u)
			return
		}
	}
}

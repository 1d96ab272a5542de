package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// mirrorCosts tells what a mirror of all records costs: memory, the first copy, a reload, the rate of effects, and how late it is.
func (b *bench) mirrorCosts(ctx context.Context) error {
	s, err := b.told(ctx, 2<<30)
	if err == nil {
		err = s.putMany(ctx, b.records)
	}
	if err != nil {
		return err
	}
	n := len(b.records)
	slice := heapOf(func() any { return makeRecords(n) })
	before, start := inUse(), time.Now()
	m, err := mirror.Open(ctx, b.ours, definition(s.table.Name()))
	if err != nil {
		return err
	}
	took := time.Since(start)
	defer m.Close()
	fmt.Printf("first copy of %s records: %.2f s\n", thousands(float64(n)), took.Seconds())
	held := inUse() - before
	fmt.Printf("memory: %.0f bytes a record, a plain slice %.0f, so %.0f beside it\n", held/float64(n), slice/float64(n), (held-slice)/float64(n))
	return errors.Join(b.reloaded(ctx, s, m, before), b.effects(ctx, s, m), b.lag(ctx, s, m), b.copiedAnew(ctx, m, before))
}

// told opens the table that is followed, with a feed of so many bytes.
func (b *bench) told(ctx context.Context, feed int64) (*sides, error) {
	t, err := table.Open(ctx, b.ours, definition("told"), table.WithFeed(feed))
	if err != nil {
		return nil, err
	}
	s := &sides{b: b, table: t}
	b.sides = append(b.sides, s)
	return s, nil
}

// inUse returns how many bytes are in use, without garbage.
func inUse() float64 {
	runtime.GC()
	runtime.GC()
	return heapBytes()
}

func heapOf(build func() any) float64 {
	before := inUse()
	kept := build()
	held := inUse() - before
	runtime.KeepAlive(kept)
	return held
}

// liveHeap watches how large the heap is at most after a collection of garbage, of which there are many meanwhile.
type liveHeap struct {
	stop chan struct{}
	done chan float64
	gc   int // what is to be set again
}

func watchLive() *liveHeap {
	l := &liveHeap{make(chan struct{}), make(chan float64), debug.SetGCPercent(5)}
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		live, most := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}, 0.0
		for {
			metrics.Read(live)
			most = max(most, float64(live[0].Value.Uint64()))
			select {
			case <-tick.C:
			case <-l.stop:
				l.done <- most
				return
			}
		}
	}()
	return l
}

// most ends the watch.
func (l *liveHeap) most() float64 {
	debug.SetGCPercent(l.gc)
	close(l.stop)
	return <-l.done
}

// copiedAnew reloads all records with another price, of which a small feed tells nothing: the mirror copies the table after the merge, and
// shows the old moment meanwhile.
func (b *bench) copiedAnew(ctx context.Context, m *mirror.Mirror[record, int64], before float64) error {
	s, err := b.told(ctx, 1<<20)
	if err == nil {
		err = b.stagePricesHigher(ctx, s, 2)
	}
	if err != nil {
		return err
	}
	copies, live := m.Stats().Resyncs, watchLive()
	err = errors.Join(s.table.ScratchMerge(ctx), m.WaitFor(ctx, s.table.Position()))
	most := live.most() - before
	fmt.Printf("while all is copied anew: at most %.0f bytes a record (copies: %d)\n", most/float64(len(b.records)), m.Stats().Resyncs-copies)
	return err
}

// reloaded stages all records with another price, and tells what is held before and after the merge.
func (b *bench) reloaded(ctx context.Context, s *sides, m *mirror.Mirror[record, int64], before float64) error {
	n := float64(len(b.records))
	if err := b.stagePricesHigher(ctx, s, 1); err != nil {
		return err
	}
	if err := m.WaitFor(ctx, s.table.Position()); err != nil {
		return err
	}
	fmt.Printf("while all is staged: %.0f bytes a record\n", (inUse()-before)/n)
	if err := s.table.ScratchMerge(ctx); err != nil {
		return err
	}
	start := time.Now()
	err := m.WaitFor(ctx, s.table.Position())
	fmt.Printf("the merge is seen after %v, then: %.0f bytes a record, by its own estimate %.0f\n", time.Since(start).Round(10*time.Microsecond),
		(inUse()-before)/n, float64(m.Stats().Bytes)/n)
	return errors.Join(err, s.table.WaitClear(ctx))
}

func (b *bench) stagePricesHigher(ctx context.Context, s *sides, by float64) error {
	for from := 0; from < len(b.records); from += batch {
		changed := append([]record(nil), b.records[from:min(from+batch, len(b.records))]...)
		for i := range changed {
			changed[i].Price += by
		}
		if err := s.table.ScratchPut(ctx, changed...); err != nil {
			return err
		}
	}
	return nil
}

// effects tells how many changed rows a mirror applies in a second, while Puts of 1,000 come as fast as they can.
func (b *bench) effects(ctx context.Context, s *sides, m *mirror.Mirror[record, int64]) error {
	some, start, rows := b.records[:min(len(b.records), 100_000)], time.Now(), 0
	for n := 0; time.Since(start) < 2*b.time; n++ {
		from := n * batch % len(some)
		changed := append([]record(nil), some[from:min(from+batch, len(some))]...)
		for i := range changed {
			changed[i].Price += float64(n)
		}
		if err := s.table.Put(ctx, changed...); err != nil {
			return err
		}
		rows += len(changed)
	}
	err := m.WaitFor(ctx, s.table.Position())
	took := time.Since(start)
	fmt.Printf("bulk Put, applied by the mirror: %s rows/s\n", thousands(float64(rows)/took.Seconds()))
	return err
}

// lag tells how late a mirror shows single puts, of which 10,000 come in a second.
func (b *bench) lag(ctx context.Context, s *sides, m *mirror.Mirror[record, int64]) error {
	const perSecond, writers = 10_000, 32
	type done struct {
		at table.Position
		of time.Time
	}
	puts := make(chan done, 1<<16)
	g, within := errgroup.WithContext(ctx)
	end := time.Now().Add(3 * b.time)
	applied := m.Stats().Applied
	for w := range writers {
		g.Go(func() error {
			tick := time.NewTicker(writers * time.Second / perSecond)
			defer tick.Stop()
			for n := 0; time.Now().Before(end); n++ {
				r := b.records[(w*1000+n)%len(b.records)]
				r.Price = float64(n)
				if err := s.table.Put(within, r); err != nil {
					return err
				}
				select {
				case puts <- done{s.table.Position(), time.Now()}:
				default: // the one that measures is behind
				}
				<-tick.C
			}
			return nil
		})
	}
	var late []float64
	measured := make(chan error, 1)
	go func() {
		var err error
		for p := range puts {
			err = errors.Join(err, m.WaitFor(ctx, p.at))
			late = append(late, micros(time.Since(p.of)))
		}
		measured <- err
	}()
	start := time.Now()
	err := g.Wait()
	took := time.Since(start)
	close(puts)
	err = errors.Join(err, <-measured)
	fmt.Printf("%s puts/s: shown p50 %.0f us, p99 %.0f us after they were acknowledged; %s effects/s applied\n",
		thousands(float64(len(late))/took.Seconds()), percentile(late, 0.5), percentile(late, 0.99),
		thousands(float64(m.Stats().Applied-applied)/took.Seconds()))
	return err
}

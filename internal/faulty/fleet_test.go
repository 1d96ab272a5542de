//go:build unix

package faulty_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// deployment is several servers of which one has the table, until another one takes its place.
type deployment struct {
	client   func(testing.TB) redis.UniversalClient
	primary  func(testing.TB) *redistest.Server
	failOver func(t testing.TB, meanwhile func()) *redistest.Server
}

// family is entries that one goroutine writes, all at once under a new version each time.
type family struct {
	from, to     int64
	begun, acked atomic.Int64
}

// familyOf returns a family that has no entry yet.
func familyOf(from, to int64) *family { return &family{from: from, to: to} }

// fleet is one owner that is written to, a reader and a mirror, each with a client of its own as if in processes of their own.
type fleet struct {
	t      *testing.T
	name   string
	owner  *entries
	reader *table.Reader[entry, int64]
	mirror *mirror.Mirror[entry, int64]

	families []*family    // the last one is reloaded, the others are put
	gate     sync.RWMutex // held while a family is written
	stop     context.CancelFunc
	work     sync.WaitGroup

	calm     atomic.Bool  // no read may fail
	lost     atomic.Int64 // how often the reader was told ErrLost
	failures atomic.Int64 // how many reads of the reader have failed otherwise
	reads    atomic.Int64
}

// bulk is how many entries lie beside the families, so that keys are big.
const bulk = 20_000

// newFleet opens a table in a deployment, with a reader and a mirror.
func newFleet(t *testing.T, d deployment, name string) *fleet {
	t.Helper()
	f := &fleet{t: t, name: name, owner: open(t, d.client(t), name)}
	for n := range int64(4) {
		f.families = append(f.families, familyOf(100*n, 100*n+20))
	}
	ok(t, f.owner.Put(t.Context(), span(10_000, 10_000+bulk, 0)...))
	for _, fam := range f.families {
		ok(t, f.put(t.Context(), fam))
	}
	var err error
	f.reader, err = table.OpenReader(t.Context(), d.client(t), definition(name))
	ok(t, err)
	f.mirror, err = mirror.Open(t.Context(), d.client(t), definition(name))
	ok(t, err)
	f.calm.Store(true)
	return f
}

// start begins the load; end ends it.
func (f *fleet) start() {
	ctx, cancel := context.WithCancel(f.t.Context())
	f.stop = cancel
	for i, fam := range f.families {
		write, may := f.put, never
		if i == len(f.families)-1 {
			write, may = f.reload, f.outage
		}
		f.work.Go(func() { f.write(ctx, fam, write, may) })
	}
	f.work.Go(func() { f.readOn(ctx) })
	f.work.Go(func() { f.lookOn(ctx) })
	f.t.Cleanup(f.end)
}

func (f *fleet) end() {
	f.stop()
	f.work.Wait()
	_ = f.mirror.Close()
	_ = f.reader.Close()
	_ = f.owner.Close()
}

// put writes a family in one effect.
func (f *fleet) put(ctx context.Context, fam *family) error {
	version := fam.begun.Add(1)
	err := f.owner.Put(ctx, span(fam.from, fam.to, version)...)
	if err == nil {
		fam.acked.Store(version)
	}
	return err
}

// reload writes a family in a session.
func (f *fleet) reload(ctx context.Context, fam *family) error {
	version := fam.begun.Add(1)
	s, err := f.owner.Scratch(ctx)
	if err != nil {
		return err
	}
	defer s.Abort(ctx) // does no harm after the merge
	if _, err := s.Discard(ctx, f.owner.Range("id", float64(fam.from), float64(fam.to))); err != nil {
		return err
	}
	if err := s.Put(ctx, span(fam.from, fam.to, version)...); err != nil {
		return err
	}
	if err := s.Merge(ctx, nil); err != nil {
		return err
	}
	fam.acked.Store(version)
	return nil
}

// never is no reason to fail.
func never(error) bool { return false }

// outage tells whether a session may fail because it reads what it discards, and reads fail while no server has the table.
func (f *fleet) outage(err error) bool { return !f.calm.Load() && !errors.Is(err, table.ErrLost) }

// write writes a family again and again, until the owner has lost the table. It may fail for no other reason than that and mayFail's.
func (f *fleet) write(ctx context.Context, fam *family, one func(context.Context, *family) error, mayFail func(error) bool) {
	for ctx.Err() == nil {
		f.gate.RLock()
		err := one(ctx, fam)
		f.gate.RUnlock()
		switch {
		case err == nil || mayFail(err):
			continue
		case ctx.Err() == nil && (f.calm.Load() || !errors.Is(err, table.ErrLost)):
			f.t.Errorf("a write of %d: %v", fam.from, err)
		}
		return
	}
}

// readOn reads all families again and again with the reader. A loss is told once.
func (f *fleet) readOn(ctx context.Context) {
	for ctx.Err() == nil {
		for _, fam := range f.families {
			err := f.read(ctx, f.reader, fam, fam.acked.Load())
			f.reads.Add(1)
			switch {
			case ctx.Err() != nil:
				return
			case errors.Is(err, table.ErrLost):
				f.lost.Add(1)
			case err != nil && f.calm.Load():
				f.t.Errorf("a read of %d: %v", fam.from, err)
				return
			case err != nil:
				f.failures.Add(1)
			}
		}
	}
}

// lookOn reads all families again and again in the mirror, which never fails.
func (f *fleet) lookOn(ctx context.Context) {
	for ctx.Err() == nil {
		for _, fam := range f.families {
			if err := f.read(ctx, f.mirror, fam, 0); err != nil && ctx.Err() == nil {
				f.t.Errorf("the mirror: %v", err)
				return
			}
		}
	}
}

// errWrong: a read was answered wrongly.
var errWrong = errors.New("a wrong answer")

// read reads a family, which must be of one version, and of no older one than least.
func (f *fleet) read(ctx context.Context, h table.Reading[entry], fam *family, least int64) error {
	found, err := table.Collect(h.Records(ctx, h.Range("id", float64(fam.from), float64(fam.to))))
	if err != nil {
		return err
	}
	if len(found) == 0 || f.lost.Load() == 0 && found[0].Version < least && f.calm.Load() || found[0].Version > fam.begun.Load() ||
		!slices.Equal(found, span(fam.from, fam.to, found[0].Version)) {
		err := fmt.Errorf("%w: %d: want %d to %d, got %v", errWrong, fam.from, least, fam.begun.Load(), found)
		f.t.Error(err)
		return err
	}
	return nil
}

// goesOn waits until every family was written so many times more.
func (f *fleet) goesOn(times int64) {
	f.t.Helper()
	for _, fam := range f.families {
		at := fam.acked.Load()
		f.until(fmt.Sprintf("family %d to be written", fam.from), func() bool { return fam.acked.Load() >= at+times })
	}
	reads := f.reads.Load()
	f.until("reads", func() bool { return f.reads.Load() >= reads+times })
}

// until waits for a condition.
func (f *fleet) until(what string, is func() bool) {
	f.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); runtime.Gosched() {
		if f.t.Failed() || time.Now().After(deadline) {
			f.t.Fatalf("waited for %s in vain", what)
		}
	}
}

// versions are what is acknowledged of each family.
func (f *fleet) versions() (all []int64) {
	for _, fam := range f.families {
		all = append(all, fam.acked.Load())
	}
	return all
}

// wantEverywhere fails unless each handle shows all that was acknowledged.
func (f *fleet) wantEverywhere() {
	f.t.Helper()
	at, versions := f.owner.Position(), f.versions()
	for what, h := range map[string]table.Reading[entry]{"the owner": f.owner, "the reader": f.reader, "the mirror": f.mirror} {
		f.wantAll(what, h, at, versions)
	}
}

// wantAll fails unless a handle shows these versions, once it shows a position, and all that lies beside.
func (f *fleet) wantAll(what string, h table.Reading[entry], at table.Position, versions []int64) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 20*time.Second)
	defer cancel()
	if err := h.WaitFor(ctx, at); err != nil {
		f.t.Fatalf("%s: %v", what, err)
	}
	found, err := table.Collect(h.Records(ctx, h.All("id")))
	var want []entry
	for i, fam := range f.families {
		want = append(want, span(fam.from, fam.to, versions[i])...)
	}
	want = append(want, span(10_000, 10_000+bulk, 0)...)
	if err != nil || !slices.Equal(found, want) {
		f.t.Errorf("%s shows %s (%v), want %v and %d more", what, brief(found), err, versions, bulk)
	}
}

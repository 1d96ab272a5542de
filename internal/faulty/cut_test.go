//go:build unix

package faulty_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/internal/model"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// A thousand replies are lost after the server has run the command (and as many commands before it): each write has had
// exactly one effect, and its caller was told so.
func TestG9_AThousandCutReplies(t *testing.T) {
	t.Parallel()
	const writers = 4
	for i := range writers {
		t.Run(fmt.Sprint("writer", i), func(t *testing.T) {
			t.Parallel()
			w := newLedger(t, uint64(i))
			for w.lost.Load() < int64(1000/writers**times) {
				w.step()
			}
			w.finish()
			t.Logf("%d replies and %d commands cut, %d outcomes unknown", w.lost.Load(), w.dropped.Load(), w.unknown)
		})
	}
}

// ledger is a writer over a connection that is cut again and again, and what its table must hold. Only the goroutine of
// the test uses it, but for what is atomic.
type ledger struct {
	t             *testing.T
	tbl           *entries
	sound         *redis.Client
	name          string
	rng           *rand.Rand
	lost, dropped atomic.Int64
	leave         atomic.Pointer[context.CancelFunc] // called at the next cut
	unknown       int
	reads         bool // the call under way reads before it writes

	model   *entryModel
	version int64
	last    []entry // the latest that fresh has made
}

func newLedger(t *testing.T, seed uint64) *ledger {
	srv := redistest.Shared(t)
	proxy, name := proxied(t, srv)
	w := &ledger{t: t, sound: srv.Client(t), name: name, rng: rand.New(rand.NewPCG(seed, 9)), model: newModel()}
	w.tbl = open(t, client(t, proxy.Addr(), 0), name)
	proxy.Set(w.cut)
	return w
}

// cut cuts one command or reply in 48, of which a write has more than 30, at a random byte of the command or of the reply.
func (w *ledger) cut(p faulty.Point) faulty.Act {
	if rand.IntN(48) != 0 {
		return faulty.Act{}
	}
	if p.Side == faulty.After {
		w.lost.Add(1)
	} else {
		w.dropped.Add(1)
	}
	if leave := w.leave.Swap(nil); leave != nil {
		(*leave)()
	}
	return faulty.Act{Cut: true, Bytes: rand.IntN(p.Size)}
}

// step does something at random, and compares the table with the model. One call in four has a context that ends at the
// next cut.
func (w *ledger) step() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	hasty := w.rng.IntN(4) == 0
	if hasty {
		w.leave.Store(&cancel)
	}
	before := w.model.Clone()
	err := w.act(ctx)
	w.leave.Store(nil)
	switch {
	case err == nil:
		w.compare(w.model)
	case hasty && is(err, table.ErrUnknownOutcome) && is(err, context.Canceled):
		w.unknown++
		w.pass(before, w.model)
	case hasty && is(err, context.Canceled), w.reads && brokenOff(err):
		w.pass(before)
	default:
		w.t.Fatalf("in a table that loses nothing: %v", err)
	}
}

// brokenOff tells whether a read that go-redis has tried four times has met four cuts.
func brokenOff(err error) bool {
	var broken net.Error
	return is(err, io.EOF, io.ErrUnexpectedEOF) || errors.As(err, &broken)
}

// pass does a write that comes after the one whose caller has left, and sees which of the outcomes that one had.
func (w *ledger) pass(outcomes ...*entryModel) {
	w.t.Helper()
	barrier := w.fresh([]int64{30})
	ok(w.t, w.tbl.ScratchPut(w.t.Context(), barrier...))
	for _, m := range outcomes {
		m.Stage(barrier...)
	}
	w.model = outcomes[w.compare(outcomes...)]
}

// compare fails unless Redis has what one of the models has, and returns which.
func (w *ledger) compare(wants ...*entryModel) int {
	w.t.Helper()
	got := observe(w.t, w.sound, w.name)
	for i, want := range wants {
		if got.Equal(want) {
			return i
		}
	}
	w.t.Fatalf("redis has %v, want one of %v", got, wants)
	return 0
}

// finish merges what is staged and walks the table.
func (w *ledger) finish() {
	w.t.Helper()
	ok(w.t, w.merge(w.t.Context()))
	ok(w.t, w.tbl.WaitClear(w.t.Context()))
	wantContents(w.t, w.tbl, w.model)
	ok(w.t, w.tbl.Close())
	w.compare(w.model)
	wantSound(w.t, w.sound, w.name)
}

// act does one call and, in the model, what it must do.
func (w *ledger) act(ctx context.Context) error {
	ids, choice := w.ids(), w.rng.IntN(40)
	w.reads = choice >= 8 && choice < 12 || choice >= 15 && choice < 18
	active := w.model.State == model.StateActive
	switch {
	case choice == 0:
		w.model.Clear()
		return w.tbl.Clear(ctx)
	case choice < 8:
		w.model.Stage(w.fresh(ids)...)
		return w.tbl.ScratchPut(ctx, w.last...)
	case choice < 12:
		n, err := w.tbl.ScratchDiscard(ctx, w.tbl.Range("id", float64(ids[0]), float64(ids[0]+5)))
		return w.counted(n, len(w.model.Discard(between(ids[0], ids[0]+5))), err)
	case active && choice < 18:
		w.model.Abort()
		return w.tbl.ScratchAbort(ctx)
	case active:
		return w.merge(ctx)
	case choice < 15:
		n, err := w.tbl.DeleteKeys(ctx, ids...)
		return w.counted(n, w.model.DeleteKeys(rawKeys(ids...)...), err)
	case choice < 18:
		n, err := w.tbl.Delete(ctx, w.tbl.Range("id", float64(ids[0]), float64(ids[0]+3)))
		return w.counted(n, len(w.model.Delete(between(ids[0], ids[0]+3))), err)
	case choice < 22:
		gone, note := []int64{30 + w.rng.Int64N(10)}, []byte(fmt.Sprint(w.version))
		w.model.Apply(w.fresh(ids), rawKeys(gone...), note)
		return w.tbl.Apply(ctx, table.Batch[entry, int64]{Put: w.last, Delete: gone, Note: note})
	case choice < 26:
		return w.update(ctx, ids[0])
	default:
		w.model.Put(w.fresh(ids)...)
		return w.tbl.Put(ctx, w.last...)
	}
}

// update gives a record its next version.
func (w *ledger) update(ctx context.Context, id int64) error {
	w.reads = true
	next := w.fresh([]int64{id})[0]
	is := w.model.Update(rawKey(id), func(entry) entry { return next })
	err := w.tbl.Update(ctx, id, func(e *entry) error { *e = next; return nil })
	if !is && errors.Is(err, table.ErrNotFound) {
		return nil
	}
	return err
}

// merge merges. The model folds at once, as observe does.
func (w *ledger) merge(ctx context.Context) error {
	w.model.Merge()
	w.model.Fold()
	return w.tbl.ScratchMerge(ctx)
}

// ids returns a few different keys, in order.
func (w *ledger) ids() []int64 {
	ids := []int64{w.rng.Int64N(10), 10 + w.rng.Int64N(10), 20 + w.rng.Int64N(10)}
	return ids[:1+w.rng.IntN(3)]
}

func (w *ledger) fresh(ids []int64) (all []entry) {
	for _, id := range ids {
		w.version++
		all = append(all, entry{ID: id, Version: w.version})
	}
	w.last = all
	return all
}

// counted: a delete that was had twice would find nothing the second time.
func (w *ledger) counted(n, want int, err error) error {
	if err == nil && n != want {
		w.t.Errorf("a delete says %d, want %d", n, want)
	}
	return err
}

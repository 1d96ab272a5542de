//go:build unix

package faulty_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// The connection is cut at each byte of each command and reply of one write: it has its effect once, and returns nil.
func TestG9_EveryByteOfAnExchange(t *testing.T) {
	t.Parallel()
	for kind, write := range map[string]func(*ledger) error{
		"put": func(w *ledger) error {
			w.model.Put(w.fresh([]int64{1})...)
			return w.tbl.Put(w.t.Context(), w.last...)
		},
		"delete": func(w *ledger) error {
			n, err := w.tbl.DeleteKeys(w.t.Context(), 1)
			return w.counted(n, w.model.DeleteKeys(rawKeys(1)...), err)
		},
		"merge": func(w *ledger) error { return w.merge(w.t.Context()) },
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			srv := redistest.Shared(t)
			proxy, name := proxied(t, srv)
			w := &ledger{t: t, sound: srv.Client(t), name: name, model: newModel()}
			w.tbl = open(t, client(t, proxy.Addr(), 0), name, table.WithLease(time.Hour)) // a renewal would be counted among the commands
			cuts := 0
			for at := (place{}); at.command >= 0; cuts++ {
				w.prepare(kind == "merge")
				hit := at.cut(proxy)
				ok(t, write(w))
				proxy.Pass()
				w.compare(w.model)
				at = at.after(hit.Load())
			}
			w.finish()
			t.Logf("%d cuts", cuts)
			if cuts < 200 {
				t.Errorf("only %d cuts", cuts)
			}
		})
	}
}

// prepare writes over a sound connection, so that the next write finds it in use, and finds something to delete or merge.
func (w *ledger) prepare(staged bool) {
	w.t.Helper()
	ctx := w.t.Context()
	ok(w.t, w.merge(ctx))
	ok(w.t, w.tbl.WaitClear(ctx))
	w.model.Put(w.fresh([]int64{1, 2})...)
	ok(w.t, w.tbl.Put(ctx, w.last...))
	if staged {
		w.model.Stage(w.fresh([]int64{2})...)
		ok(w.t, w.tbl.ScratchPut(ctx, w.last...))
	}
}

// place is a byte of a command or reply.
type place struct {
	command int // counted from the start of the write; negative: there is none
	side    faulty.Side
	byte    int
}

// hit is what was found at a place.
type hit int32

const (
	noCommand hit = iota
	noByte        // the command or reply ends before it
	wasCut
)

// cut makes the proxy cut there, once.
func (at place) cut(proxy *faulty.Proxy) *atomic.Int32 {
	found := new(atomic.Int32)
	first := proxy.Commands()
	proxy.Set(func(p faulty.Point) faulty.Act {
		if p.N != first+at.command || p.Side != at.side {
			return faulty.Act{}
		}
		if at.byte >= p.Size {
			found.Store(int32(noByte))
			return faulty.Act{}
		}
		found.Store(int32(wasCut))
		return faulty.Act{Cut: true, Bytes: at.byte}
	})
	return found
}

// after returns the place that comes next.
func (at place) after(found int32) place {
	switch {
	case hit(found) == wasCut:
		at.byte++
	case hit(found) == noCommand:
		at.command = -1
	case at.side == faulty.Before:
		at.side, at.byte = faulty.After, 0
	default:
		at = place{command: at.command + 1}
	}
	return at
}

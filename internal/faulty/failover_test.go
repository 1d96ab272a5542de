//go:build unix

package faulty_test

import (
	"errors"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

const tagged = "{fleet}"

// deployments are those in which another server may take the place of the table's.
var deployments = map[string]func(*testing.T) deployment{
	"cluster": func(t *testing.T) deployment { return onCluster(redistest.StartSharded(t)) },
	"sentinels": func(t *testing.T) deployment {
		w := redistest.StartWatched(t, 2)
		return deployment{
			client:   func(t testing.TB) redis.UniversalClient { return w.Client(t, nil) },
			primary:  w.Primary,
			failOver: w.FailOver,
		}
	},
}

func onCluster(c *redistest.Sharded) deployment {
	return deployment{
		client:  func(t testing.TB) redis.UniversalClient { return c.Client(t, nil) },
		primary: func(t testing.TB) *redistest.Server { return c.Of(t, tagged) },
		failOver: func(t testing.TB, meanwhile func()) *redistest.Server {
			return c.FailOver(t, tagged, meanwhile)
		},
	}
}

// The table's slot is moved to another primary, twice, and that hands over to its replica, while the table is written, reloaded and
// read: no call fails.
func TestG9_NoCallFailsWhileTheSlotIsMoved(t *testing.T) {
	t.Parallel()
	c := redistest.StartSharded(t)
	d := onCluster(c)
	f := newFleet(t, d, tagged)
	f.start()
	move := func() { c.MoveSlot(t, tagged, nil) }
	for _, change := range []func(){move, move, func() { c.HandOver(t, tagged) }} {
		f.goesOn(5)
		change()
		f.goesOn(5)
	}
	f.gate.Lock() // and all that was acknowledged is there
	f.wantEverywhere()
	ok(t, f.owner.WaitClear(t.Context()))
	wantSound(t, d.client(t), tagged)
	f.gate.Unlock()
}

// The table's primary is killed, and a replica that has all of it takes over: writes wait, and everything goes on.
func TestG9_NothingIsLostWithAPrimaryThatHasAReplica(t *testing.T) {
	t.Parallel()
	for what, deploy := range deployments {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			d := deploy(t)
			f := newFleet(t, d, tagged)
			f.start()
			f.goesOn(5)
			f.gate.Lock()
			d.primary(t).WaitReplicas(t, 1)
			f.calm.Store(false) // reads fail until the replica has taken over
			d.failOver(t, f.gate.Unlock)
			f.goesOn(3)
			f.calm.Store(true)
			f.goesOn(5)
			f.gate.Lock()
			defer f.gate.Unlock()
			if f.lost.Load() > 0 || f.owner.Err() != nil {
				t.Errorf("nothing is lost, but %d reads and the owner (%v) were told so", f.lost.Load(), f.owner.Err())
			}
			f.wantEverywhere()
			ok(t, f.owner.WaitClear(t.Context()))
			wantSound(t, d.client(t), tagged)
		})
	}
}

// The table's primary is killed, and a replica that lacks the latest takes over: that is told to each handle, and what is left is whole.
func TestG11_WhatAPrimaryTakesWithItIsToldAsLost(t *testing.T) {
	t.Parallel()
	for what, deploy := range deployments {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			d := deploy(t)
			f := newFleet(t, d, tagged)
			f.start()
			f.goesOn(5)
			kept := f.deafen(d)
			f.goesOn(5)
			lost := f.owner.Position()
			ok(t, f.reader.WaitFor(t.Context(), lost))
			ok(t, f.mirror.WaitFor(t.Context(), lost))
			f.calm.Store(false)
			d.failOver(t, nil)
			f.wantLost()

			next := open(t, d.client(t), tagged)
			f.wantAll("the next owner", next, next.Position(), kept)
			f.wantAll("the reader", f.reader, next.Position(), kept)
			f.wantAll("the mirror", f.mirror, next.Position(), kept)
			for what, h := range map[string]table.Reading[entry]{"the reader": f.reader, "the mirror": f.mirror} {
				if err := h.WaitFor(t.Context(), lost); !errors.Is(err, table.ErrLost) {
					t.Errorf("%s is asked for a position that was lost: %v", what, err)
				}
			}
			ok(t, next.Put(t.Context(), span(0, 20, 1)...))
			ok(t, next.WaitClear(t.Context()))
			ok(t, f.mirror.WaitFor(t.Context(), next.Position()))
			wantSound(t, d.client(t), tagged)
		})
	}
}

// deafen has the replicas hear nothing any more, and returns the versions that they have heard.
func (f *fleet) deafen(d deployment) []int64 {
	f.t.Helper()
	f.gate.Lock()
	defer f.gate.Unlock()
	d.primary(f.t).WaitReplicas(f.t, 1)
	d.primary(f.t).Deafen(f.t)
	return f.versions()
}

// wantLost waits until the owner has ended with ErrLost and the reader was told, once.
func (f *fleet) wantLost() {
	f.t.Helper()
	receive(f.t, "the end of the owner", f.owner.Done())
	if err := f.owner.Err(); !errors.Is(err, table.ErrLost) {
		f.t.Errorf("the owner: %v", err)
	}
	f.until("ErrLost for the reader", func() bool { return f.lost.Load() > 0 })
	reads := f.reads.Load()
	f.until("reads", func() bool { return f.reads.Load() > reads+20 })
	if n := f.lost.Load(); n != 1 {
		f.t.Errorf("the reader was told ErrLost %d times", n)
	}
}

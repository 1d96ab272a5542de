package table_test

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/table"
)

var modelSeed = flag.Uint64("model.seed", 0, "seed of the random histories of tables; 0: another each time")

// random is a table, the model of it, and a source of chance.
type random struct {
	dice
	testing.TB
	table *items
	brake *brake
	model *model
}

func newRandom(t testing.TB, seed uint64) *random {
	r := &random{TB: t, dice: newDice(seed), model: newModel()}
	r.table, r.brake = openBraked(t, table.WithPageBytes(1+r.IntN(3000)))
	return r
}

// TestG4_ReadsAgreeWithAModel does random things to tables in all states of their locks, and reads them in all ways.
func TestG4_ReadsAgreeWithAModel(t *testing.T) {
	t.Parallel()
	seed := *modelSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	for n := range uint64(8) {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			t.Logf("go test ./table -run %s -model.seed %d", t.Name(), seed)
			r := newRandom(t, seed+n)
			for range 80 {
				r.step()
				r.check()
			}
			if r.model.merging {
				r.unbrake()
			}
		})
	}
}

// step does one thing that the state allows.
func (r *random) step() {
	clear, active := len(r.model.staged) == 0, len(r.model.staged) > 0 && !r.model.merging
	switch chance := r.IntN(100); {
	case clear && chance < 40:
		r.put()
	case clear && chance < 60:
		r.remove()
	case !r.model.merging && chance < 80:
		r.stage()
	case active && chance < 90:
		merge(r, r.table)
		r.model.merging = true
	case active && chance < 95:
		ok(r, r.table.ScratchAbort(r.Context()))
		clear, r.model.staged = true, make(map[int64]*item)
	case r.model.merging && chance < 50:
		r.unbrake()
	}
}

func (r *random) put() {
	made := r.items()
	put(r, r.table, made...)
	for _, i := range made {
		r.model.merged[i.ID] = i
	}
}

func (r *random) remove() {
	if r.IntN(2) == 0 {
		id := r.id()
		_, err := r.table.DeleteKeys(r.Context(), id)
		ok(r, err)
		delete(r.model.merged, id)
		return
	}
	s := r.spec()
	gone := all(r, r.table.DeleteSeq(r.Context(), s.Max(5)))
	wantItems(r, gone, answer(r.model.merged, s.Max(5)))
	for _, i := range gone {
		delete(r.model.merged, i.ID)
	}
}

func (r *random) stage() {
	if r.IntN(3) == 0 {
		s := r.spec().Max(5)
		gone := all(r, r.table.ScratchDiscardSeq(r.Context(), s))
		wantItems(r, gone, answer(r.model.after(), s))
		for _, i := range gone {
			r.model.staged[i.ID] = nil
		}
		return
	}
	made := r.items()
	ok(r, r.table.ScratchPut(r.Context(), made...))
	for n := range made {
		r.model.staged[made[n].ID] = &made[n]
	}
}

// unbrake lets the fold come to its end.
func (r *random) unbrake() {
	r.brake.release()
	ok(r, r.table.WaitClear(r.Context()))
	r.brake.now = nil
	r.brake.press(r)
	r.model.fold()
}

// check reads a random spec in all ways, and some keys.
func (r *random) check() {
	s, visible := r.spec(), r.model.visible()
	want := answer(visible, s)
	wantItems(r, all(r, r.table.Records(r.Context(), s)), want)
	stream := r.table.Stream(r.Context(), s)
	wantItems(r, slices.Collect(received(stream.C())), want)
	ok(r, stream.Err())
	if n, err := r.table.Count(r.Context(), s); n != len(want) || err != nil {
		r.Errorf("count %v, %v, want %d", n, err, len(want))
	}
	r.checkFirst(s, want)
	r.checkLookup(visible)
	if r.Failed() {
		r.Fatalf("spec %+v while merging=%v, %d staged", s, r.model.merging, len(r.model.staged))
	}
}

func received[T any](c <-chan T) func(func(T) bool) {
	return func(yield func(T) bool) {
		for v := range c {
			if !yield(v) {
				return
			}
		}
	}
}

func (r *random) checkFirst(s table.Spec[item], want []item) {
	first, err := r.table.First(r.Context(), s)
	if len(want) == 0 {
		if !errors.Is(err, table.ErrNotFound) {
			r.Errorf("First of nothing: %v", err)
		}
		return
	}
	ok(r, err)
	wantItems(r, []item{first}, want[:1])
}

// checkLookup asks for keys, some of them twice and some that are not there.
func (r *random) checkLookup(visible map[int64]item) {
	var keys []int64
	var want []item
	for range r.IntN(12) {
		keys = append(keys, r.id())
	}
	for n, id := range keys {
		if i, there := visible[id]; there && !slices.Contains(keys[:n], id) {
			want = append(want, i)
		}
	}
	wantItems(r, all(r, r.table.Lookup(r.Context(), keys...)), want)
	if len(keys) == 0 {
		return
	}
	got, err := r.table.Get(r.Context(), keys[0])
	if i, there := visible[keys[0]]; there {
		ok(r, err)
		wantItems(r, []item{got}, []item{i})
	} else if !errors.Is(err, table.ErrNotFound) {
		r.Errorf("Get of a key that is not there: %v", err)
	}
}

// 400 random histories do not diverge from a model.
func TestU19_RandomHistoriesAgreeWithAModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := newRandom(t, seed)
			for range 10 { // ten histories one after the other
				for range 14 {
					r.step()
				}
				r.check()
				if r.model.merging {
					r.unbrake()
				}
				ok(t, r.table.Clear(t.Context()))
				r.model = newModel()
			}
		})
	}
}

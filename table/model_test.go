package table_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/internal/model"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

var modelSeed = flag.Uint64("model.seed", 0, "seed of the random histories of tables; 0: another each time")

// newModel returns the reference model of a table of items.
func newModel() *model.Table[item] {
	return model.New(model.Schema[item]{
		Key: func(i *item) string { return rawKey(i.ID) },
		Score: func(i *item, index string) float64 {
			if index == "at" {
				return i.At
			}
			return i.Rank
		},
		Equal: func(a, b *item) bool { return reflect.DeepEqual(a, b) },
	})
}

// specOf is a spec in the words of the model.
func specOf(s table.Spec[item]) model.Spec[item] {
	spec := model.Spec[item]{Index: s.Index, Recheck: s.Recheck, Reverse: s.Reverse, Limit: s.Limit}
	for _, in := range s.Intervals {
		spec.Intervals = append(spec.Intervals, model.Interval(in))
	}
	return spec
}

func rawKeys(ids ...int64) (keys []string) {
	for _, id := range ids {
		keys = append(keys, rawKey(id))
	}
	return keys
}

// random is a table, the model of it, and a source of chance.
type random struct {
	dice
	testing.TB
	table *items
	brake *brake
	model *model.Table[item]
}

func newRandom(t testing.TB, seed uint64) *random {
	r := &random{TB: t, dice: newDice(seed), model: newModel()}
	opts := []table.Option{table.WithPageBytes(1 + r.IntN(3000))}
	if seed%2 == 0 {
		r.model.Through = true
		opts = append(opts, table.WithWriteThrough())
	}
	s, name := redistest.Shared(t), redistest.Prefix(t)
	rdb := limited(t, s, name, aclRule(t, name))
	rdb.AddHook(redistest.ShortSteps(1 + r.IntN(5)))
	r.brake = newBrake(t)
	opts = append(opts, table.WithCleanup(r.brake.pool))
	r.table = openAs(t, rdb, s.Client(t), itemDefinition(name), []string{"at", "rank"}, opts...)
	return r
}

// anew makes the model that of an empty table.
func (r *random) anew() {
	through := r.model.Through
	r.model = newModel()
	r.model.Through = through
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
			if r.model.State == model.StateMerging {
				r.unbrake()
			}
		})
	}
}

// step does one thing that the state allows.
func (r *random) step() {
	state := r.model.State
	regular := state == model.StateClear || state == model.StateActive && r.model.Through && r.IntN(2) == 0
	switch chance := r.IntN(100); {
	case regular && chance < 40:
		r.put()
	case regular && chance < 55:
		r.remove()
	case regular && chance < 65:
		r.apply()
	case regular && chance < 70:
		r.update()
	case state == model.StateClear && chance < 75:
		r.session()
	case state != model.StateMerging && chance < 85:
		r.stage()
	case state == model.StateActive && chance < 90:
		merge(r, r.table)
		r.model.Merge()
	case state == model.StateActive && chance < 95:
		ok(r, r.table.ScratchAbort(r.Context()))
		r.model.Abort()
	case state == model.StateMerging && chance < 50:
		r.unbrake()
	}
}

func (r *random) put() {
	made := r.items()
	put(r, r.table, made...)
	r.model.Put(made...)
}

func (r *random) remove() {
	if r.IntN(2) == 0 || r.model.State != model.StateClear {
		id := r.id()
		n, err := r.table.DeleteKeys(r.Context(), id)
		ok(r, err)
		if want := r.model.DeleteKeys(rawKey(id)); n != want {
			r.Errorf("deleted %d, want %d", n, want)
		}
		return
	}
	if r.IntN(4) == 0 {
		s := r.unread()
		n, err := r.table.Delete(r.Context(), s)
		if ok(r, err); n != len(r.model.Delete(specOf(s))) {
			r.Errorf("deleted %d by place", n)
		}
		return
	}
	s := r.spec().Max(5)
	gone := all(r, r.table.DeleteSeq(r.Context(), s))
	wantItems(r, gone, r.model.Delete(specOf(s)))
}

func (r *random) apply() {
	b := batch{Put: r.items(), Delete: []int64{r.id(), r.id()}, Note: [][]byte{nil, {}, []byte(fmt.Sprint(r.IntN(1000)))}[r.IntN(3)]}
	b.Delete = slices.DeleteFunc(b.Delete, func(id int64) bool {
		return slices.ContainsFunc(b.Put, func(i item) bool { return i.ID == id })
	})
	ok(r, r.table.Apply(r.Context(), b))
	r.model.Apply(b.Put, rawKeys(b.Delete...), b.Note)
}

func (r *random) update() {
	id, change := r.id(), func(i item) item { i.Name, i.Rank = i.Name+"u", i.Rank+1; return i }
	err := r.table.Update(r.Context(), id, func(i *item) error { *i = change(*i); return nil })
	if !r.model.Update(rawKey(id), change) {
		if !errors.Is(err, table.ErrNotFound) {
			r.Errorf("Update of what is not there: %v", err)
		}
		return
	}
	ok(r, err)
}

func (r *random) stage() {
	if r.IntN(8) == 0 {
		n, err := r.table.ScratchDiscard(r.Context(), r.table.All("rank"))
		ok(r, err)
		if want := r.model.DiscardAll(); n != want {
			r.Errorf("discarded %d of everything, want %d", n, want)
		}
		return
	}
	if r.IntN(3) == 0 {
		s := r.spec().Max(5)
		gone := all(r, r.table.ScratchDiscardSeq(r.Context(), s))
		wantItems(r, gone, r.model.Discard(specOf(s)))
		return
	}
	if r.IntN(3) == 0 {
		s := r.unread()
		n, err := r.table.ScratchDiscard(r.Context(), s)
		if ok(r, err); n != len(r.model.Discard(specOf(s))) {
			r.Errorf("discarded %d by place", n)
		}
		return
	}
	made := r.items()
	ok(r, r.table.ScratchPut(r.Context(), made...))
	r.model.Stage(made...)
}

// session does random things in a session of its own, which ends in one way or another.
func (r *random) session() {
	ctx, leave := context.WithCancel(r.Context())
	defer leave()
	s, err := r.table.Scratch(ctx)
	ok(r, err)
	r.model.Hold()
	for range r.IntN(4) {
		r.stageIn(s)
		n, err := s.Count(r.Context())
		if ok(r, err); n != r.model.StagedCount() {
			r.Errorf("a merge would show %d, want %d", n, r.model.StagedCount())
		}
	}
	switch r.IntN(5) {
	case 0:
		ok(r, s.Abort(r.Context()))
		r.model.Abort()
	case 1:
		leave()
		if err := s.Merge(r.Context(), []byte("late")); !errors.Is(err, table.ErrScratchAborted) {
			r.Errorf("merge of a session whose context has ended: %v", err)
		}
		ok(r, r.table.WaitClear(r.Context()))
		r.model.Abort()
	default:
		note := [][]byte{nil, {}, []byte(fmt.Sprint(r.IntN(1000)))}[r.IntN(3)]
		ok(r, s.Merge(r.Context(), note))
		r.model.MergeNoted(note)
	}
}

func (r *random) stageIn(s *scratch) {
	switch r.IntN(6) {
	case 5:
		spec := r.unread()
		n, err := s.Discard(r.Context(), spec)
		if ok(r, err); n != len(r.model.Discard(specOf(spec))) {
			r.Errorf("discarded %d by place in a session", n)
		}
	case 3:
		n, err := s.Discard(r.Context(), r.table.All("at"))
		if ok(r, err); n != r.model.DiscardAll() {
			r.Errorf("discarded %d of everything in a session", n)
		}
	case 4:
		if r.model.State == model.StateClear || r.model.Through {
			r.put()
		}
	case 0:
		spec := r.spec().Max(5)
		n, err := s.Discard(r.Context(), spec)
		if ok(r, err); n != len(r.model.Discard(specOf(spec))) {
			r.Errorf("discarded %d in a session", n)
		}
	case 1:
		keys := []int64{r.id(), r.id(), r.id()}
		n, err := s.DiscardKeys(r.Context(), keys...)
		if ok(r, err); n != r.model.DiscardKeys(rawKeys(keys...)...) {
			r.Errorf("discarded %d keys in a session", n)
		}
	default:
		made := r.items()
		ok(r, s.Put(r.Context(), made...))
		r.model.Stage(made...)
	}
}

// unbrake lets the fold come to its end.
func (r *random) unbrake() {
	r.brake.release()
	ok(r, r.table.WaitClear(r.Context()))
	r.brake.now = nil
	r.brake.press(r)
	r.model.Fold()
}

// check reads a random spec in all ways, and some keys.
func (r *random) check() {
	s := r.spec()
	want := r.model.Read(specOf(s))
	wantItems(r, all(r, r.table.Records(r.Context(), s)), want)
	stream := r.table.Stream(r.Context(), s)
	wantItems(r, slices.Collect(received(stream.C())), want)
	ok(r, stream.Err())
	if n, err := r.table.Count(r.Context(), s); n != len(want) || err != nil {
		r.Errorf("count %v, %v, want %d", n, err, len(want))
	}
	r.checkFirst(s, want)
	r.checkLookup()
	note, err := r.table.Note(r.Context())
	ok(r, err)
	wantNote(r, note, r.model.Note)
	if r.Failed() {
		r.Fatalf("spec %+v of %v", s, r.model)
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

func wantNote(t testing.TB, got, want []byte) {
	t.Helper()
	if (got == nil) != (want == nil) || !bytes.Equal(got, want) {
		t.Errorf("the note is %q, want %q (none: %v, want %v)", got, want, got == nil, want == nil)
	}
}

// checkLookup asks for keys, some of them twice and some that are not there.
func (r *random) checkLookup() {
	var keys []int64
	for range r.IntN(12) {
		keys = append(keys, r.id())
	}
	wantItems(r, all(r, r.table.Lookup(r.Context(), keys...)), r.model.Lookup(rawKeys(keys...)...))
	if len(keys) == 0 {
		return
	}
	got, err := r.table.Get(r.Context(), keys[0])
	if want := r.model.Lookup(rawKey(keys[0])); len(want) > 0 {
		ok(r, err)
		wantItems(r, []item{got}, want)
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
				if r.model.State == model.StateMerging {
					r.unbrake()
				}
				ok(t, r.table.Clear(t.Context()))
				r.anew()
			}
		})
	}
}

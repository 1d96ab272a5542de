package stress

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/table"
)

// toldOwner owns the table that is followed, one handle after another, and knows what it must hold.
type toldOwner struct {
	rdb     redis.UniversalClient
	rand    *rand.Rand
	name    string
	tbl     *items
	seen    map[string]*Item // what readers see
	staged  map[string]*Item // nil: discarded
	written map[string]bool  // what was written while the session is on
	isOn    bool             // a session is on
	version int64
	known   *chronicle
}

// Sizes are small, so that the feed of some followers has gaps.
const (
	toldKeys  = 40
	toldBytes = 4000 // of the feed
	toldPages = 400
)

// take opens the table.
func (o *toldOwner) take(ctx context.Context, opts ...table.Option) (*items, error) {
	return table.Open(ctx, o.rdb, itemTable(o.name), append(opts, table.WithFeed(toldBytes), table.WithWriteThrough())...)
}

// open takes the table over, with what it holds now.
func (o *toldOwner) open(ctx context.Context, opts ...table.Option) error {
	tbl, err := o.take(ctx, opts...)
	if err != nil {
		return err
	}
	o.tbl, o.staged, o.written, o.isOn = tbl, make(map[string]*Item), make(map[string]bool), false
	o.note()
	return nil
}

// note enters what readers see from now on.
func (o *toldOwner) note() { o.known.add(o.tbl.Position(), contentOf(o.seen)) }

// items returns some records with random keys.
func (o *toldOwner) items(most int) (all []Item) {
	for _, k := range o.rand.Perm(toldKeys)[:1+o.rand.IntN(most)] {
		o.version++
		all = append(all, Item{Key: fmt.Sprint("key", k), Version: o.version, A: float64(o.rand.IntN(100)), B: o.rand.Float64()})
	}
	return all
}

// act does something to the table.
func (o *toldOwner) act(ctx context.Context) error {
	if o.isOn {
		return o.session(ctx)
	}
	switch k := o.rand.IntN(20); {
	case k < 10:
		return o.put(ctx, o.items(10))
	case k < 13:
		return o.remove(ctx)
	case k < 18:
		return o.stage(ctx)
	case k < 19:
		return o.clear(ctx)
	}
	return o.discard(ctx)
}

// session goes on with what is staged.
func (o *toldOwner) session(ctx context.Context) error {
	switch k := o.rand.IntN(10); {
	case k < 4:
		return o.stage(ctx)
	case k < 5:
		return o.discard(ctx)
	case k < 6:
		return o.put(ctx, o.items(5))
	case k < 7:
		return o.remove(ctx)
	case k < 9:
		return o.merge(ctx)
	}
	return o.abort(ctx)
}

func (o *toldOwner) put(ctx context.Context, all []Item) error {
	if err := o.tbl.Put(ctx, all...); err != nil {
		return err
	}
	o.wasPut(all)
	return nil
}

func (o *toldOwner) wasPut(all []Item) {
	for _, i := range all {
		o.seen[i.Key] = &i
		o.writeThrough(i.Key)
	}
	o.note()
}

// writeThrough notes that a merge will leave a key as it is now, if a session is on.
func (o *toldOwner) writeThrough(key string) {
	delete(o.staged, key)
	o.written[key] = o.isOn
}

func (o *toldOwner) remove(ctx context.Context) error {
	var keys []string
	for _, i := range o.items(5) {
		keys = append(keys, i.Key)
	}
	if _, err := o.tbl.DeleteKeys(ctx, keys...); err != nil {
		return err
	}
	for _, key := range keys {
		delete(o.seen, key)
		o.writeThrough(key)
	}
	o.note()
	return nil
}

func (o *toldOwner) clear(ctx context.Context) error {
	if err := o.tbl.Clear(ctx); err != nil {
		return err
	}
	clear(o.seen)
	o.endSession()
	o.note()
	return nil
}

func (o *toldOwner) stage(ctx context.Context) error {
	all := o.items(15)
	if err := o.tbl.ScratchPut(ctx, all...); err != nil {
		return err
	}
	for _, i := range all {
		if !o.written[i.Key] {
			o.staged[i.Key] = &i
		}
	}
	o.isOn = true
	return nil
}

// discard discards what a merge now would show in an interval.
func (o *toldOwner) discard(ctx context.Context) error {
	in := o.tbl.Range("a", float64(o.rand.IntN(100)), float64(o.rand.IntN(100)))
	if in.Intervals[0].GE > in.Intervals[0].LT {
		in.Intervals[0].GE, in.Intervals[0].LT = in.Intervals[0].LT, in.Intervals[0].GE
	}
	n, err := o.tbl.ScratchDiscard(ctx, in)
	if err != nil {
		return err
	}
	for key, i := range o.merged() {
		if in.Intervals[0].Contains(i.A) && !o.written[key] {
			o.staged[key] = nil
		}
	}
	o.isOn = o.isOn || n > 0
	return nil
}

// merged is what a merge now would show.
func (o *toldOwner) merged() map[string]*Item {
	all := maps.Clone(o.seen)
	maps.Copy(all, o.staged)
	maps.DeleteFunc(all, func(_ string, i *Item) bool { return i == nil })
	return all
}

func (o *toldOwner) merge(ctx context.Context) error {
	if err := o.tbl.ScratchMerge(ctx); err != nil {
		return err
	}
	o.seen = o.merged()
	o.endSession()
	o.note()
	return nil
}

func (o *toldOwner) endSession() {
	clear(o.staged)
	clear(o.written)
	o.isOn = false
}

func (o *toldOwner) abort(ctx context.Context) error {
	if err := o.tbl.ScratchAbort(ctx); err != nil {
		return err
	}
	o.endSession()
	return nil
}

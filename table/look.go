package table

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/engine"
)

// look is a question by plain commands for the table's truth, and for how much there is of what it counts. Its answers are
// of one moment only where something else proves that nothing has changed between them.
type look struct {
	truth *redis.RawCmd
	sizes []*redis.RawCmd // in the order of keys.all, without the truth
}

// queueTruth asks for the truth alone.
func (w *wire) queueTruth(ctx context.Context, p redis.Pipeliner) look {
	return look{truth: queueRaw(ctx, p, w.fixed.truth...)}
}

// fixed are commands that are the same each time.
type fixed struct {
	truth []any
	sizes [][]any // in the order of keys.all, without the truth
	watch []any   // all keys
	multi []any
	exec  []any
}

func newFixed(k keys) fixed {
	f := fixed{
		truth: []any{"hmget", &k.meta, "epoch", "seq", "gen", "state", "rver", "count", "staged", "live", "widest", "last"},
		watch: []any{"watch", &k.meta},
		multi: []any{"multi"},
		exec:  []any{"exec"},
	}
	for i, key := range k.all[1:] {
		size := "zcard"
		if i < 2 {
			size = "hlen"
		}
		f.sizes = append(f.sizes, []any{size, &key})
		f.watch = append(f.watch, &key)
	}
	return f
}

func (w *wire) queueLook(ctx context.Context, p redis.Pipeliner) look {
	k := w.queueTruth(ctx, p)
	k.sizes = make([]*redis.RawCmd, len(w.fixed.sizes))
	for i, size := range w.fixed.sizes {
		k.sizes[i] = queueRaw(ctx, p, size...)
	}
	return k
}

func queueRaw(ctx context.Context, p redis.Pipeliner, args ...any) *redis.RawCmd {
	cmd := redis.NewRawCmd(ctx, args...)
	_ = p.Process(ctx, cmd) // only queued
	return cmd
}

// seen is what a look has found.
type seen struct {
	epoch               string
	view                engine.View
	count, staged, live int
	widest              int // no row has more bytes
}

// seen returns what was found. ok is false when anything is missing, not as it was counted, or cannot be read: what to make
// of that only a script can tell.
func (k look) seen(indexes int) (s seen, ok bool) {
	s, ok = readTruth(k.truth.Val())
	return s, ok && k.agrees(s, indexes)
}

// readTruth reads the answer to truthCommand.
func readTruth(raw []byte) (s seen, ok bool) {
	r := resp{rest: raw}
	t := r.texts()
	if r.err != nil || len(t) != 10 || slices.ContainsFunc(t, func(b []byte) bool { return b == nil }) {
		return s, false
	}
	a := answer{}
	if a.parseView(string(t[1]), string(t[2]), string(t[3]), string(t[4])) != nil {
		return s, false
	}
	s = seen{epoch: string(t[0]), view: a.view}
	for i, to := range []*int{&s.count, &s.staged, &s.live, &s.widest} {
		*to = r.number(t[5+i])
	}
	return s, r.err == nil
}

// agrees tells whether the sizes, where they were asked for, are what was counted.
func (k look) agrees(s seen, indexes int) bool {
	for i, cmd := range k.sizes {
		want := s.live
		switch {
		case i == 1:
			want = s.staged
		case i < 2+indexes:
			want = s.count
		}
		r := resp{rest: cmd.Val()}
		if n := r.integer(); r.err != nil || n != want {
			return false
		}
	}
	return true
}

// cut tells whether the connection failed before all answers were there.
func (k look) cut() bool {
	for _, cmd := range append(k.sizes, k.truth) {
		if cmd.Err() != nil {
			return true
		}
	}
	return false
}

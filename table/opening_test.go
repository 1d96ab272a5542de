package table_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
	"github.com/tablecache-go/tablecache/table/internal/wire"
)

// around is a hook that is called around each command that is sent.
type around struct{ before, after func(redis.Cmder) }

func (b around) DialHook(next redis.DialHook) redis.DialHook { return next }

func (b around) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		b.before(cmd)
		defer b.after(cmd)
		return next(ctx, cmd)
	}
}

func (b around) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func nothing(redis.Cmder) {}

// has tells whether a command has this argument.
func has(cmd redis.Cmder, argument string) bool {
	return slices.ContainsFunc(cmd.Args(), func(a any) bool { return fmt.Sprint(a) == argument })
}

// gate holds commands with some argument up.
type gate struct {
	argument       string
	began, proceed chan struct{}
}

func newGate(argument string) *gate {
	return &gate{argument: argument, began: make(chan struct{}, 100), proceed: make(chan struct{})}
}

func (s *gate) wait(cmd redis.Cmder) {
	if has(cmd, s.argument) {
		s.began <- struct{}{}
		<-s.proceed
	}
}

// aFold is an argument that of all calls those of a fold have: how many bytes a step copies at most.
const aFold = "262144"

// leaveMerged makes a table with one index of which a merge is not folded.
func leaveMerged(t testing.TB, rdb *redis.Client, name string) (shown []thing) {
	t.Helper()
	b := newBrake(t)
	old := openThings(t, rdb, name, "iabcd", "i", table.WithCleanup(b.pool))
	ok(t, old.Put(t.Context(), someThings(300)...))
	ok(t, old.ScratchPut(t.Context(), someThings(350)[250:]...))
	ok(t, old.ScratchMerge(t.Context()))
	shown, err := table.Collect(old.Records(t.Context(), old.All("i")))
	ok(t, err)
	ok(t, old.Close())
	b.release()
	return shown
}

func storedLease(t testing.TB, rdb *redis.Client, name string) table.Lease {
	t.Helper()
	l, err := table.StoredLease(t.Context(), rdb, name)
	ok(t, err)
	return l
}

// openBeside opens things in the background.
func openBeside(ctx context.Context, rdb *redis.Client, name, indexes string, opts ...table.Option) (tbl chan *things, failed chan error) {
	tbl, failed = make(chan *things, 1), make(chan error, 1)
	go func() {
		opened, err := table.Open(ctx, rdb, defineThings(name, "iabcd", indexes), opts...)
		if err != nil {
			failed <- err
			return
		}
		tbl <- opened
	}()
	return tbl, failed
}

// The lease of an Open that must fold first is renewed meanwhile: else one candidate after another would take the table, and begin the
// fold anew.
func TestL1_ALeaseOutlastsAFoldBeforeTheIndexesChange(t *testing.T) {
	t.Parallel()
	rdb, name := own(t)
	want := leaveMerged(t, rdb, name)
	const lease = 300 * time.Millisecond
	slow, s := redistest.Shared(t).Client(t), newGate(aFold)
	slow.AddHook(around{s.wait, nothing})
	tbl, failed := openBeside(t.Context(), slow, name, "ia", table.WithLease(lease))
	receive(t, "the fold", s.began)
	first := storedLease(t, rdb, name)
	until(t, "the lease to be renewed", func() bool { return storedLease(t, rdb, name).Until.After(first.Until.Add(2 * lease)) })
	_, err := table.Open(t.Context(), rdb, defineThings(name, "iabcd", "ia"), table.WithLease(lease))
	if !errors.Is(err, table.ErrHeld) || errors.Is(err, table.ErrUnknownOutcome) {
		t.Errorf("another candidate was told %v", err)
	}
	close(s.proceed)
	select {
	case err := <-failed:
		t.Fatal(err)
	case opened := <-tbl:
		defer opened.Close()
		untilBuilt(t, opened)
		wantThings(t, opened, "i", want)
		walk.Walk(t, rdb, name, "i", "a")
	}
}

// An Open that fails after it has claimed the table, or when nobody waits for it any more, holds no lease.
func TestL1_AFailedOpenHoldsNoLease(t *testing.T) {
	t.Parallel()
	for what, at := range map[string]struct {
		indexes, argument string
		after             bool
	}{"while it folds": {"ia", aFold, false}, "before its claim is answered": {"i", "yield", true}} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			rdb, name := own(t)
			want := leaveMerged(t, rdb, name)
			slow, s := redistest.Shared(t).Client(t), newGate(at.argument)
			hook := around{s.wait, nothing}
			if at.after {
				hook = around{nothing, s.wait}
			}
			slow.AddHook(hook)
			ctx, cancel := context.WithCancel(t.Context())
			_, failed := openBeside(ctx, slow, name, at.indexes, table.WithLease(time.Hour))
			receive(t, "the call", s.began)
			cancel()
			if err := receive(t, "the end", failed); !errors.Is(err, table.ErrUnknownOutcome) || !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			close(s.proceed)
			until(t, "the lease to be given up", func() bool { return storedLease(t, rdb, name).Holder == "" })
			tbl := openThings(t, rdb, name, "iabcd", "ia", table.WithLease(time.Hour))
			untilBuilt(t, tbl)
			wantThings(t, tbl, "a", want)
		})
	}
}

// An Open that must fold first does not wait for a right that its user has not.
func TestS2_AnOpenThatMayNotFoldFails(t *testing.T) {
	t.Parallel()
	s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
	admin := s.Client(t)
	want := leaveMerged(t, admin, name)
	rdb := limited(t, s, name, aclRule(t, name))
	setUser(t, admin, name, "-zadd")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := table.Open(ctx, rdb, defineThings(name, "iabcd", "ia"), table.WithLease(time.Hour))
	if !wire.IsForbidden(err) || !errors.Is(err, table.ErrUnknownOutcome) || ctx.Err() != nil {
		t.Errorf("got %v", err)
	}
	setUser(t, admin, name, "+zadd")
	tbl := openThings(t, rdb, name, "iabcd", "ia", table.WithLease(time.Hour))
	untilBuilt(t, tbl)
	wantThings(t, tbl, "a", want)
	walk.Walk(t, admin, name, "i", "a")
}

// Of two indexes that can only be loaded the first may be complete before the second: nothing asks again and again whether that is, too.
func TestS2_WhatCanOnlyBeLoadedIsNotAskedForAllTheTime(t *testing.T) {
	t.Parallel()
	rdb, name := own(t)
	records := someThings(50)
	ok(t, openThings(t, rdb, name, "iab", "i").Put(t.Context(), records...))
	one := openThings(t, rdb, name, "iab", "iu")
	ok(t, one.Put(t.Context(), records...))
	ok(t, one.Close())
	var asked atomic.Int64
	rdb.AddHook(around{func(cmd redis.Cmder) {
		if has(cmd, "built") {
			asked.Add(1)
		}
	}, nothing})
	d := defineThings(name, "iab", "iu")
	d.Indexes = append(d.Indexes, table.By("v", func(r *thing) float64 { return float64(r.B % 7) }).Unstored())
	tbl, err := table.Open(t.Context(), rdb, d)
	ok(t, err)
	defer tbl.Close()
	until(t, "the first", func() bool { _, err := tbl.Count(t.Context(), tbl.All("u")); return err == nil })
	ok(t, tbl.ScratchPut(t.Context(), records[0]))
	ok(t, tbl.ScratchMerge(t.Context()))
	ok(t, tbl.WaitClear(t.Context()))
	for range 200 {
		ok(t, tbl.Put(t.Context(), records[0]))
	}
	if n := asked.Load(); n > 20 {
		t.Errorf("asked %d times", n)
	}
	_, err = tbl.ScratchDiscard(t.Context(), tbl.All("i"))
	ok(t, err)
	ok(t, tbl.ScratchPut(t.Context(), records...))
	ok(t, tbl.ScratchMerge(t.Context()))
	until(t, "the second", func() bool { _, err := tbl.Count(t.Context(), tbl.All("v")); return err == nil })
	walk.Walk(t, rdb, name, "i", "u", "v")
}

// S1: a table of version 5 of which a merge is not folded is read as it is, and taken over although the indexes change.
func TestS1_AMergeOfVersion5IsFoldedFirst(t *testing.T) {
	t.Parallel()
	rdb, name := own(t)
	want := leaveMerged(t, rdb, name)
	ok(t, rdb.HDel(t.Context(), name+":m", "holder", "lease", "until").Err())
	makeVersion5(t, rdb, name)
	stored, err := table.StoredDefinition(t.Context(), rdb, name)
	if ok(t, err); len(stored.Attributes) != 5 || len(stored.Indexes) != 1 {
		t.Errorf("stored is %v", stored)
	}
	reader, err := table.OpenReader(t.Context(), rdb, defineThings(name, "diabc", "ai"))
	ok(t, err)
	defer reader.Close()
	wantThings(t, reader, "i", want)
	wantBuilding(t, reader, "a")
	for _, indexes := range []string{"ia", "ai", "b", "iA"} {
		tbl := openThings(t, rdb, name, "iabcd", indexes, table.WithLease(time.Minute))
		untilBuilt(t, tbl)
		if r, err := reader.Count(t.Context(), reader.All("i")); err == nil && r != len(want) {
			t.Errorf("%s: the reader counts %d", indexes, r)
		}
		if n, err := tbl.Count(t.Context(), tbl.All(indexNames(indexes)[0])); err != nil || n != len(want) {
			t.Errorf("%s: %d, %v", indexes, n, err)
		}
		walk.Walk(t, rdb, name, indexNames(indexes)...)
		ok(t, tbl.Close())
	}
}

// S2: of no records every index is complete, also one that can only be loaded.
func TestS2_WhatCanOnlyBeLoadedIsCompleteOnceAllIsGone(t *testing.T) {
	t.Parallel()
	for what, empty := range map[string]func(*things) error{
		"cleared": func(tbl *things) error { return tbl.Clear(context.Background()) },
		"deleted": func(tbl *things) error { _, err := tbl.Delete(context.Background(), tbl.All("i")); return err },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			rdb, name := own(t)
			ok(t, openThings(t, rdb, name, "iab", "i").Put(t.Context(), someThings(50)...))
			tbl := openThings(t, rdb, name, "iab", "iu")
			ok(t, empty(tbl))
			ok(t, tbl.Put(t.Context(), someThings(20)...))
			untilBuilt(t, tbl)
			wantThings(t, tbl, "i", shows(someThings(20), "ab"))
			walk.Walk(t, rdb, name, "i", "u")
		})
	}
}

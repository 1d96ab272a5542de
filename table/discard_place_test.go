package table_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
)

// stagedOver stages a session over 5,000 records: of every seven one has moved out of the ranks, one to another rank, and one is as it was.
// There are 500 new ones.
func stagedOver(t testing.TB, tbl *items) {
	t.Helper()
	all := numbered(0, 5000)
	put(t, tbl, all...)
	var some []item
	for _, i := range all {
		switch i.ID % 7 {
		case 0:
			i.Rank = 9
		case 1:
			i.Rank = float64((i.ID + 1) % 3)
		case 2:
		default:
			continue
		}
		some = append(some, i)
	}
	ok(t, tbl.ScratchPut(t.Context(), append(some, numbered(5000, 5500)...)...))
}

// Without a predicate records are found and discarded inside Redis, in several steps, as a merge now would show them: at their new scores
// and not at their old ones, whatever ties there are.
func TestD14_D8_DiscardByPlace(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl, twin := openOn(t, rdb, name), openItems(t)
	stagedOver(t, tbl)
	stagedOver(t, twin)
	steps := new(stepCounter)
	rdb.AddHook(steps)
	spec := table.Spec[item]{Index: "rank", Intervals: []table.Interval{{GE: 2, LT: 3}, {GE: 0, LT: 1}}, Reverse: true}
	want, err := drained(twin.ScratchDiscardSeq(t.Context(), spec))
	ok(t, err)
	wantDiscarded(t, tbl, spec, want)
	if steps.steps < 3 || len(steps.others) > 0 {
		t.Errorf("%d steps, and %v", steps.steps, steps.others)
	}
	wantDiscarded(t, tbl, spec, 0)
	wantDiscarded(t, tbl, table.Spec[item]{Index: "rank"}, 0) // no interval
	for _, s := range []*items{tbl, twin} {
		mergeAndFold(t, s)
	}
	wantItems(t, all(t, tbl.Records(t.Context(), tbl.All("at"))), all(t, twin.Records(t.Context(), twin.All("at"))))
}

// stepCounter counts steps by place, and keeps the names of other commands.
type stepCounter struct {
	counter
	mu     sync.Mutex // guards what follows
	steps  int
	others []string
}

func (c *stepCounter) note(cmds ...redis.Cmder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cmd := range cmds {
		switch {
		case redistest.IsStep(cmd):
			c.steps++
		case cmd.Name() != "hello" && cmd.Name() != "client":
			c.others = append(c.others, cmd.Name())
		}
	}
}

func (c *stepCounter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.note(cmd)
		return next(ctx, cmd)
	}
}

func (c *stepCounter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.note(cmds...)
		return next(ctx, cmds)
	}
}

// A discard that finds nothing begins no session.
func TestD14_ADiscardOfNothingBeginsNoSession(t *testing.T) {
	t.Parallel()
	f := newFed(t)
	put(t, f.table, numbered(0, 10)...)
	f.read()
	wantDiscarded(t, f.table, f.table.Range("at", -20, -10), 0)
	wantState(t, f.table, table.StateClear)
	for _, e := range f.read() {
		if !e.IsTold() {
			t.Errorf("%d, a %s, is not told", e.At.Seq, e.Kind)
		}
	}
}

// A step whose answer is lost is settled: what it has discarded, and where to go on, stand in the truth.
func TestD14_AStepOfADiscardIsSettled(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 3500)...)
	rdb.AddHook(new(answersLost))
	wantDiscarded(t, tbl, tbl.Range("rank", 0, 2), 2334)
	mergeAndFold(t, tbl)
	wantCount(t, tbl, tbl.All("at"), 1166)
}

// Without a user's right for one of the commands a discard by place changes nothing, in both forms of the active state.
func TestD14_APermissionLostAtRunTimeTearsNoDiscard(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, redistest.Options{})
	for _, command := range []string{"zrange", "zscore", "zcount", "zmscore", "hmget", "hset", "hdel", "zrem", "xadd"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			tornBy(t, s, command, func(tbl *items) { ok(t, tbl.ScratchPut(t.Context(), numbered(500, 600)...)) },
				func(tbl *items) (int, error) { return tbl.ScratchDiscard(t.Context(), tbl.Range("at", 0, 1e6)) })
		})
	}
}

// between does something once, after the first step by place was answered and before anybody hears of it.
type between struct {
	counter
	once sync.Once
	do   func()
}

func (b *between) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if redistest.IsStep(cmd) {
			b.once.Do(b.do)
		}
		return err
	}
}

// If more is written through meanwhile than goes along with a step, the discard goes on by pages, from where it was: what is staged
// again before that stays.
func TestW1_D14_MoreIsWrittenThroughThanGoesWithAStep(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name, table.WithWriteThrough())
	put(t, tbl, numbered(0, 3000)...)
	s, err := tbl.Scratch(t.Context())
	ok(t, err)
	put(t, tbl, numbered(3000, 3600)...)
	var writes, stages <-chan error
	rdb.AddHook(&between{do: func() {
		writes = async(t, func() error { return tbl.Put(context.Background(), numbered(2000, 3000)...) })
		stages = async(t, func() error { return s.Put(context.Background(), numbered(5, 6)...) })
		until(t, "both to wait", func() bool { return stats(t, tbl).Mailbox == 2 })
	}})
	rdb.AddHook(redistest.ShortSteps(100))
	n, err := s.Discard(t.Context(), tbl.Range("at", 0, 1e6))
	ok(t, err)
	ok(t, errors.Join(receive(t, "the put", writes), receive(t, "the scratch put", stages)))
	put(t, tbl, numbered(1000, 1010)...) // too many by now
	ok(t, s.Put(t.Context(), numbered(1020, 1025)...))
	more, err := s.Discard(t.Context(), tbl.Range("at", 0, 1e6))
	ok(t, err)
	if n != 2000 || more != 6 {
		t.Errorf("discarded %d and %d, want 2000 and 6", n, more)
	}
	ok(t, s.Merge(t.Context(), nil))
	wantCount(t, tbl, tbl.All("at"), 1610)
}

// A discard ends with its session.
func TestD14_ADiscardEndsWithItsSession(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 1000)...)
	var abort <-chan error
	rdb.AddHook(&between{do: func() { abort = async(t, func() error { return tbl.ScratchAbort(context.Background()) }) }})
	rdb.AddHook(redistest.ShortSteps(1))
	n, err := tbl.ScratchDiscard(t.Context(), tbl.Range("at", 0, 1e6))
	if !errors.Is(err, table.ErrScratchAborted) || n == 0 {
		t.Errorf("discarded %d, %v", n, err)
	}
	ok(t, receive(t, "the abort", abort))
	wantState(t, tbl, table.StateClear)
	wantCount(t, tbl, tbl.All("at"), 1000)
}

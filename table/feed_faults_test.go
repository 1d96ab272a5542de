package table_test

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"io"
	"math"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/table"
	"github.com/tablecache-go/tablecache/table/internal/feed"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/scan"
)

// saveKeys saves all keys of a table, restoreKeys brings them back: a restore of a backup, or a fail-over to a lagging replica.
func saveKeys(t testing.TB, rdb *redis.Client, name string) map[string]string {
	t.Helper()
	saved := make(map[string]string)
	keys, err := rdb.Keys(t.Context(), name+":*").Result()
	ok(t, err)
	for _, k := range keys {
		saved[k] = rdb.Dump(t.Context(), k).Val()
	}
	return saved
}

func restoreKeys(t testing.TB, rdb *redis.Client, name string, saved map[string]string) {
	t.Helper()
	keys, err := rdb.Keys(t.Context(), name+":*").Result()
	ok(t, err)
	_, err = rdb.TxPipelined(t.Context(), func(p redis.Pipeliner) error {
		p.Del(t.Context(), keys...)
		for k, v := range saved {
			p.Restore(t.Context(), k, 0, v)
		}
		return nil
	})
	ok(t, err)
}

func TestR5_RepairMendsNoTableThatHasGoneBack(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl, err := table.Open(t.Context(), rdb, itemDefinition(name))
	ok(t, err)
	defer tbl.Close()
	put(t, tbl, numbered(0, 5)...)
	saved := saveKeys(t, rdb, name)
	put(t, tbl, numbered(5, 7)...)
	put(t, tbl, numbered(7, 9)...)
	c := newTwin()
	follow(t, rdb, name, c, table.WithProofEvery(10*time.Millisecond))
	c.untilAt(t, tbl.Position())
	r := readerOf(t, name)
	shown := r.Position()
	restoreKeys(t, rdb, name, saved)
	if err := tbl.Put(t.Context(), numbered(20, 21)...); !errors.Is(err, table.ErrLost) {
		t.Fatalf("put: %v", err)
	}
	ok(t, rdb.ZAddArgs(t.Context(), name+":i:at", redis.ZAddArgs{XX: true, Members: []redis.Z{score(3, -7)}}).Err())
	if _, err = tbl.Repair(t.Context()); !errors.Is(err, table.ErrLost) {
		t.Errorf("repair: got %v, want ErrLost", err)
	}
	if err := r.WaitFor(t.Context(), shown); err == nil {
		t.Errorf("WaitFor says that lost rows are there")
	}
	ok(t, rdb.ZAddArgs(t.Context(), name+":i:at", redis.ZAddArgs{XX: true, Members: []redis.Z{score(3, 30)}}).Err())
	again := openOn(t, rdb, name)
	put(t, again, numbered(30, 31)...)
	c.untilAt(t, again.Position())
	h := history{again.Position(): append(numbered(0, 5), numbered(30, 31)...)}
	h.compare(t, c)
}

func TestF4_AFollowerReadsNoMoreThanTheServerSends(t *testing.T) {
	t.Parallel()
	s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
	rdb := s.Client(t)
	tbl := openAs(t, rdb, rdb, itemDefinition(name), []string{"at", "rank"})
	put(t, tbl, numbered(0, 1)...)
	c := newTwin()
	slow := &held{twin: c, at: make(chan struct{}), release: make(chan struct{})}
	follow(t, rdb, name, slow)
	c.untilAt(t, tbl.Position())
	limitAnswers(t, s, "2mb")
	slow.hold.Store(true)
	put(t, tbl, numbered(0, 1)...)
	receive(t, "the follower to be held up", slow.at)
	for i := range 12 {
		put(t, tbl, large(int64(i), 500<<10))
	}
	slow.hold.Store(false)
	close(slow.release)
	c.untilAt(t, tbl.Position())
	if c.copies != 1 {
		t.Errorf("%d copies", c.copies)
	}
}

func forge(token table.Token, score float64, key string) table.Token {
	b, _ := base64.RawURLEncoding.DecodeString(string(token))
	b = b[:10]
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(score))
	b = append(b, key...)
	h := fnv.New32a()
	h.Write(b)
	b = binary.BigEndian.AppendUint32(b, h.Sum32())
	return table.Token(base64.RawURLEncoding.EncodeToString(b))
}

func TestR6_ATokenThatSomebodyForgesLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 50)...)
	check := func(state string) {
		for _, s := range []table.Spec[item]{tbl.Range("at", 200, 300), tbl.Range("at", 200, 300).Reversed()} {
			_, token, err := tbl.Page(t.Context(), s, "", 2)
			ok(t, err)
			for _, score := range []float64{math.Inf(-1), math.Inf(1), 0, 50, 190, 300, 450, math.NaN(), math.Copysign(0, -1), 200, 290} {
				got, _, err := tbl.Page(t.Context(), s, forge(token, score, rawKey(7)), 100)
				for _, r := range got {
					if r.At < 200 || r.At >= 300 {
						t.Errorf("%s: reverse %v, forged score %v brings record %v", state, s.Reverse, score, r.ID)
						break
					}
				}
				if err != nil && !errors.Is(err, table.ErrInvalidSpec) {
					t.Errorf("%s: forged score %v: %v", state, score, err)
				}
			}
		}
	}
	check("clear")
}

func TestF1_APermissionLostAtRunTimeTearsNoBurn(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"hset", "xadd", "hget", "hmget", "xrange", "hlen"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			s := redistest.Shared(t)
			name := redistest.Prefix(t)
			admin, rdb := s.Client(t), limited(t, s, name, aclRule(t, name))
			cut := &rightless{take: func() { setUser(t, admin, name, "-"+command) }}
			rdb.AddHook(cut) // before the writer's connection is made, which has it too
			tbl := openLimited(t, admin, rdb, name, table.WithLease(time.Hour))
			put(t, tbl, numbered(0, 3)...)
			cut.armed.Store(true)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_ = tbl.Put(ctx, numbered(3, 5)...) // refused, or burned and applied: what counts is what is there then
			if cut.armed.Load() {
				t.Fatal("nothing was cut")
			}
			at := truthAt(t, admin, name)
			if ahead := toldSince(t, admin, name, at); len(ahead) > 0 {
				t.Errorf("the feed is ahead of %v by %v", at, ahead)
			}
			setUser(t, admin, name, "+"+command)
			ctx2, cancel2 := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel2()
			if err := tbl.Put(ctx2, numbered(3, 5)...); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// hanging makes Redis hang as soon as some command is sent.
type pausing struct {
	counter
	admin *redis.Client
	on    func(redis.Cmder) bool
	hung  chan struct{}
	done  bool
}

func (p *pausing) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if !p.done && p.on(cmd) {
			p.done = true
			p.admin.Do(context.Background(), "CLIENT", "PAUSE", "3000", "ALL")
			close(p.hung)
		}
		return next(ctx, cmd)
	}
}

func endsSoon(t *testing.T, what string, hung <-chan struct{}, call func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := async(t, func() error { return call(ctx) })
	receive(t, "hanging", hung)
	cancel()
	begun := time.Now()
	err := receive(t, "the end", ended)
	if d := time.Since(begun); d > 100*time.Millisecond || !errors.Is(err, context.Canceled) {
		t.Errorf("%s: ended %v after its context, %v", what, d, err)
	}
}

func TestG6_OpenReaderAndFollowEndWithTheirContextWhileRedisHangs(t *testing.T) {
	t.Parallel()
	isName := func(n string) func(redis.Cmder) bool { return func(c redis.Cmder) bool { return c.Name() == n } }
	first := func(redis.Cmder) bool { return true }
	nth := func(name string, n int) func(redis.Cmder) bool {
		return func(c redis.Cmder) bool {
			if c.Name() == name {
				n--
			}
			return n == 0 && c.Name() == name
		}
	}
	for what, c := range map[string]struct {
		on      func(redis.Cmder) bool
		wrapped bool
		call    func(context.Context, redis.UniversalClient, string) error
	}{
		"open reader, first command": {first, false, func(ctx context.Context, rdb redis.UniversalClient, name string) error {
			_, err := table.OpenReader(ctx, rdb, itemDefinition(name))
			return err
		}},
		"open reader, read": {isName("evalsha_ro"), false, func(ctx context.Context, rdb redis.UniversalClient, name string) error {
			_, err := table.OpenReader(ctx, rdb, itemDefinition(name))
			return err
		}},
		"stored definition": {first, false, func(ctx context.Context, rdb redis.UniversalClient, name string) error {
			_, err := table.StoredDefinition(ctx, rdb, name)
			return err
		}},
		"follow, copy": {nth("evalsha_ro", 2), false, func(ctx context.Context, rdb redis.UniversalClient, name string) error {
			return table.Follow(ctx, rdb, itemDefinition(name), newTwin())
		}},
		"follow, wrapped, tail": {isName("hget"), true, func(ctx context.Context, rdb redis.UniversalClient, name string) error {
			return table.Follow(ctx, rdb, itemDefinition(name), newTwin())
		}},
		"follow, wrapped, xread": {isName("xread"), true, func(ctx context.Context, rdb redis.UniversalClient, name string) error {
			return table.Follow(ctx, rdb, itemDefinition(name), newTwin())
		}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, name := redistest.Start(t, redistest.Options{}), redistest.Prefix(t)
			admin, rdb := s.Client(t), s.Client(t)
			tbl, err := table.Open(t.Context(), admin, itemDefinition(name))
			ok(t, err)
			put(t, tbl, numbered(0, 5)...)
			ok(t, tbl.Close())
			p := &pausing{admin: admin, on: c.on, hung: make(chan struct{})}
			rdb.AddHook(p)
			var u redis.UniversalClient = rdb
			if c.wrapped {
				u = clientOf{rdb}
			}
			endsSoon(t, what, p.hung, func(ctx context.Context) error { return c.call(ctx, u, name) })
		})
	}
}

func TestG6_AnIdleFollowThroughAWrapperEndsWithItsContext(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	c := newTwin()
	ctx, cancel := context.WithCancel(t.Context())
	rdb := redistest.Shared(t).Client(t)
	ended := async(t, func() error {
		return table.Follow(ctx, clientOf{rdb}, itemDefinition(tbl.Name()), c, table.WithProofEvery(10*time.Second))
	})
	c.untilAt(t, tbl.Position())
	cancel()
	begun := time.Now()
	receive(t, "the end", ended)
	if d := time.Since(begun); d > 100*time.Millisecond {
		t.Errorf("ended %v after its context", d)
	}
}

type panicking struct{ *twin }

func (panicking) CopyRows([]table.Row[item, int64]) error { panic("secret") }

func TestG12_AFollowerThatPanicsIsErrPanic(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	put(t, tbl, numbered(0, 3)...)
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("panic %v", p)
		}
	}()
	err := table.Follow(t.Context(), redistest.Shared(t).Client(t), itemDefinition(tbl.Name()), panicking{newTwin()})
	if !errors.Is(err, table.ErrPanic) {
		t.Errorf("got %v", err)
	}
}

func TestAProofEveryZeroIsTheDefault(t *testing.T) {
	t.Parallel()
	tbl := openItems(t)
	c := newTwin()
	follow(t, redistest.Shared(t).Client(t), tbl.Name(), c, table.WithProofEvery(0))
	var first time.Time
	c.until(t, "a proof", func() bool { first = c.proven; return !first.IsZero() })
	c.until(t, "another proof", func() bool { return c.proven.After(first) })
	if d := c.proven.Sub(first); d < 500*time.Millisecond {
		t.Errorf("proofs come every %v", d)
	}
}

func TestR5_OwnerAndReaderHaveEqualPositionsAtEachMoment(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	cut := new(cutter)
	rdb.AddHook(cut)
	tbl := openAs(t, rdb, redistest.Shared(t).Client(t), itemDefinition(name), []string{"at", "rank"})
	r := readerOf(t, name)
	same := func(what string) {
		t.Helper()
		if _, err := r.Count(t.Context(), r.All("at")); err != nil {
			t.Error(err)
		}
		if r.Position() != tbl.Position() {
			t.Errorf("%s: the reader is at %v, the owner at %v", what, r.Position(), tbl.Position())
		}
	}
	same("after Open")
	put(t, tbl, numbered(0, 3)...)
	same("after a put")
	cut.armed.Store(true)
	put(t, tbl, numbered(3, 6)...)
	same("after a burn")
	ok(t, tbl.ScratchPut(t.Context(), numbered(3, 9)...))
	same("staged")
	ok(t, tbl.ScratchMerge(t.Context()))
	same("merged")
	ok(t, tbl.WaitClear(t.Context()))
	same("folded")
	ok(t, tbl.ScratchPut(t.Context(), numbered(3, 9)...))
	again := openOn(t, redistest.Shared(t).Client(t), name)
	tbl = again
	same("after a take-over")
	tbl = openOn(t, redistest.Shared(t).Client(t), name, table.WithReset())
	same("after a reset")
}

// rightless cuts a write, and takes a right away then.
type rightless struct {
	cutter
	take func()
}

func (r *rightless) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if r.cuts(cmd) {
			r.take()
			return io.EOF
		}
		return next(ctx, cmd)
	}
}

func (r *rightless) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if r.cuts(cmds...) {
			r.take()
			return io.EOF
		}
		return next(ctx, cmds)
	}
}

// positions is a sink that tells each position at which it is in step.
type positions chan layout.Position

func (positions) BeginCopy() error                   { return nil }
func (positions) Note(layout.Position, []byte) error { return nil }
func (positions) Copied(*scan.CopiedRows) error      { return nil }
func (positions) Apply(*feed.Entry) error            { return nil }
func (p positions) InStep(at layout.Position) error  { p <- at; return nil }
func (positions) Proven(time.Time) error             { return nil }

// What a follower has shown counts for its copies under later owners, too: none goes back behind it.
func TestR2_AFollowerRemembersWhatItHasShownUnderALaterOwner(t *testing.T) {
	t.Parallel()
	rdb, name := redistest.Shared(t).Client(t), redistest.Prefix(t)
	tbl := openOn(t, rdb, name)
	put(t, tbl, numbered(0, 3)...)
	k := newCopier(t, rdb, name, scan.Config{PageBytes: 256 << 10, Memory: 64 << 20})
	steps := make(positions)
	ctx, cancel := context.WithCancel(t.Context())
	ended := async(t, func() error { return k.reader.Follow(ctx, scan.Following{Indexes: 2, ProofEvery: time.Second}, steps) })
	receive(t, "the copy", steps)
	tbl = openOn(t, rdb, name)
	put(t, tbl, numbered(3, 6)...)
	for at := receive(t, "the next position", steps); at.String() != tbl.Position().String(); at = receive(t, "the next position", steps) {
	}
	if got := k.reader.Position().String(); got != tbl.Position().String() {
		t.Errorf("in step at %v, and remembers %v", tbl.Position(), got)
	}
	cancel()
	receive(t, "the end", ended)
}

package stress

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// TestF4_FollowersAreRightThroughFaults has followers, a mirror among them, copy a table and hear what happens to it, while their connections are lost, the
// feed forgets what they have not read, owners come and go, Redis is killed, stopped or emptied, or a replica that lacks the latest
// takes its place and another owner gets the same counter. At each position that they are in step with they have what the table had,
// and a proof is never younger than what it proves.
func TestF4_FollowersAreRightThroughFaults(t *testing.T) {
	p := session.begin(t, "faults of the feed: no follower differs or proves too much", 1000, feedShare)
	f := newFollowing(t, p)
	for n := 1; !f.isOver(); n++ {
		f.round()
		if !t.Failed() {
			p.reach(float64(n))
		}
	}
	f.end()
}

// lostConnections are the faults of followers' connections, and of Redis.
var lostConnections = []string{"all connections cut", "nobody listens", "redis killed", "redis stopped", "all clients killed", "one client killed",
	"scripts forgotten, clients killed", "replies cut at byte 40", "replies cut at byte 1000", "commands cut at byte 100", "reset at once",
	"reset after 2 ms", "replies end after 3 ms", "black hole for replies", "black hole for commands", "replies in slices", "slow close",
	"idle connections fall silent", "all clients paused"}

// following is a table with its owner and its followers, on one of two servers: the other one is its replica.
type following struct {
	t       *testing.T
	part    *part
	ctx     context.Context // of calls
	rand    *rand.Rand
	faults  []fault
	servers [2]*cell
	now     int // which server is the primary
	way     *way
	own     *way // the owner's way to the primary
	owner   *toldOwner
	images  []*image

	done                     map[string]int
	compared, proofs, copies int
}

func newFollowing(t *testing.T, p *part) *following {
	ctx, cancel := context.WithDeadline(t.Context(), p.end.Add(2*time.Minute))
	t.Cleanup(cancel)
	f := &following{t: t, part: p, ctx: ctx, rand: source(7000), faults: faultsNamed(t, lostConnections...), done: make(map[string]int),
		way: &way{conns: make(map[*wayConn]struct{})}, own: &way{conns: make(map[*wayConn]struct{})}}
	for k := range f.servers {
		c := &cell{t: t, rand: f.rand, name: "told", way: f.way}
		c.server = redistest.Start(t, redistest.Options{Args: []string{"--appendonly", "yes", "--appendfsync", "always",
			"--auto-aof-rewrite-percentage", "0", "--repl-diskless-sync-delay", "0"}})
		c.admin = c.server.TCPClient(t, nil)
		c.proxy = c.startProxy(t)
		f.servers[k] = c
	}
	f.direct()
	f.owner = &toldOwner{rdb: f.client(f.own, ownersPatience), rand: source(7001), name: "told", seen: make(map[string]*Item), known: newChronicle()}
	ok(t, f.owner.open(f.ctx))
	for range 10 {
		ok(t, f.owner.act(f.ctx))
	}
	f.follow(nil, table.WithProofEvery(20*time.Millisecond))
	f.follow(nil, table.WithProofEvery(5*time.Millisecond), table.WithPageBytes(toldPages))
	var n atomic.Uint64
	f.follow(func() time.Duration { return time.Duration(n.Add(1)*7919%4000) * time.Microsecond }, table.WithProofEvery(50*time.Millisecond))
	f.mirror(mirror.WithMaxAge(60 * time.Millisecond))
	f.compare()
	return f
}

// Time-outs of clients. An owner's is long: if Open does not know whether it has the table, nobody knows its positions.
const (
	followersPatience = 200 * time.Millisecond
	ownersPatience    = 3 * time.Second
)

// client returns a client that goes a way, wherever that leads.
func (f *following) client(w *way, patience time.Duration) *redis.Client {
	return f.primary().server.TCPClient(f.t, func(o *redis.Options) {
		o.Dialer = w.dial
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout = patience, patience, patience
		o.MinRetryBackoff, o.MaxRetryBackoff = time.Millisecond, 10*time.Millisecond
	})
}

func (f *following) primary() *cell { return f.servers[f.now] }
func (f *following) replica() *cell { return f.servers[1-f.now] }

// direct leads all new connections to the primary: those of followers by its proxy.
func (f *following) direct() {
	f.way.lead(f.primary().proxy.Listen)
	f.own.lead(f.primary().server.Addr())
}

// cut closes all connections of the followers and of the owner.
func (f *following) cut() {
	for _, w := range []*way{f.way, f.own} {
		w.some(1000, func(c *wayConn) { _ = c.Conn.Close() })
	}
}

// follow starts a follower, which goes on until the test ends.
func (f *following) follow(slow func() time.Duration, opts ...table.Option) {
	ctx, cancel := context.WithCancel(f.t.Context())
	m, rdb, ended := newImage(ctx, slow), f.client(f.way, followersPatience), make(chan struct{})
	f.images = append(f.images, m)
	go func() {
		defer close(ended)
		if err := table.Follow(ctx, rdb, itemTable("told"), m, opts...); ctx.Err() == nil {
			f.t.Errorf("a follower has ended: %v", err)
			f.part.stop()
		}
	}()
	f.t.Cleanup(func() {
		cancel()
		<-ended
	})
}

func (f *following) isOver() bool { return f.part.isOver() || f.t.Failed() }

// round lets one fault happen while the owner works, and compares the followers with the table.
func (f *following) round() {
	name, happen := f.draw()
	f.done[name]++
	if err := happen(); err != nil {
		f.t.Errorf("%s: %v", name, err)
		return
	}
	f.worksUntilBack()
	f.compare()
	if f.t.Failed() {
		f.t.Logf("in round %v, after %s", f.done, name)
	}
}

// draw returns what happens in a round.
func (f *following) draw() (string, func() error) {
	switch k := f.rand.IntN(100); {
	case k < 51:
		one := f.faults[f.rand.IntN(len(f.faults))]
		return one.name, func() error { return f.strike(one) }
	case k < 62:
		return "feed trimmed", f.trim
	case k < 77:
		return "take-over", f.takeOver
	case k < 80:
		return "new connections lead to an old replica", f.leadAstray
	case k < 83:
		return "reset", f.reset
	case k < 87:
		return "everything flushed", f.flush
	}
	return "fail-over to a lagging replica", f.failOver
}

// works has the owner do some things.
func (f *following) works(n int) {
	for range n {
		if err := f.owner.act(f.ctx); err != nil {
			f.t.Errorf("the owner: %v", err)
			return
		}
	}
}

// worksUntilBack has the owner go on until all followers have found back to the table, so that it changes while they copy it.
func (f *following) worksUntilBack() {
	for since, n := time.Now(), 0; n < 3 || n < mostWorks && !f.areBack(since); n++ {
		f.works(1)
	}
}

// mostWorks bounds what an owner does in a round, for followers may pause for seconds.
const mostWorks = 25

// areBack tells whether all followers have proven something that was so after a time.
func (f *following) areBack(since time.Time) bool {
	for _, m := range f.images {
		if !m.hasProven(since) {
			return false
		}
	}
	return true
}

func (f *following) strike(one fault) error {
	end, err := one.begin(f.primary())
	if err != nil {
		return err
	}
	var working sync.WaitGroup
	working.Go(func() { f.works(2) }) // where Redis is not there, that waits
	rest(f.ctx, time.Duration(1+f.rand.IntN(15))*time.Millisecond)
	err = end()
	working.Wait()
	return err
}

// trim has the owner tell more than the feed holds while the followers cannot hear it.
func (f *following) trim() error {
	f.primary().proxy.Stop()
	for told := 0; told < 2*toldBytes; told += 20 * 40 {
		if f.owner.isOn {
			if err := f.owner.merge(f.ctx); err != nil {
				return err
			}
		}
		if err := f.owner.put(f.ctx, f.owner.items(20)); err != nil {
			return err
		}
	}
	return f.primary().proxy.Start()
}

// takeOver opens the table while its owner of the moment puts, or has left a session.
func (f *following) takeOver() error {
	o := f.owner
	if o.isOn {
		return f.reopen(o.tbl)
	}
	old, all, put := o.tbl, o.items(10), make(chan error, 1)
	go func() { put <- old.Put(f.ctx, all...) }()
	tbl, err := o.take(f.ctx)
	if err != nil {
		return errors.Join(err, <-put)
	}
	switch err := <-put; {
	case err == nil:
		o.wasPut(all) // of the old owner: before the new one has the table
	case !errors.Is(err, table.ErrFenced):
		return err
	}
	o.tbl, o.staged = tbl, make(map[string]*Item)
	o.note()
	return old.Close()
}

// reopen opens the table anew, and closes a handle that is fenced then.
func (f *following) reopen(old *items, opts ...table.Option) error {
	if err := f.owner.open(f.ctx, opts...); err != nil {
		return err
	}
	return old.Close()
}

func (f *following) reset() error {
	clear(f.owner.seen)
	return f.reopen(f.owner.tbl, table.WithReset())
}

// flush empties Redis. Another owner gets the counter of the one before.
func (f *following) flush() error {
	old, begun := f.owner.tbl, time.Now()
	if err := f.primary().admin.FlushAll(f.ctx).Err(); err != nil {
		return err
	}
	if err := old.Close(); err != nil {
		return err
	}
	clear(f.owner.seen)
	want := counterOf(old.Position())
	for n := 0; n == 0 || counterOf(f.owner.tbl.Position()) < min(want, 12); n++ {
		before := f.owner.tbl
		if err := f.reopen(before); err != nil {
			return err
		}
		if f.rand.IntN(2) == 0 {
			f.works(1)
		}
	}
	f.owner.known.rewound(begun)
	return nil
}

// counterOf is the counter in an owner's name.
func counterOf(p table.Position) (n int) {
	_, _ = fmt.Sscan(p.String(), &n) // up to the colon
	return n
}

// leadAstray leads the followers to a replica that hears nothing any more. What they prove then is of that server.
func (f *following) leadAstray() error {
	if err := f.synchronize(); err != nil {
		return err
	}
	begun := time.Now()
	if err := f.replica().admin.Do(f.ctx, "replicaof", "127.0.0.1", "1").Err(); err != nil {
		return err
	}
	f.way.lead(f.replica().server.Addr())
	f.way.some(f.rand.IntN(10), func(c *wayConn) { _ = c.Conn.Close() })
	f.works(3)
	rest(f.ctx, time.Duration(f.rand.IntN(40))*time.Millisecond)
	f.direct()
	f.cut()
	f.owner.known.rewound(begun)
	return nil
}

// failOver makes the replica the primary, which has not heard the latest. Another owner gets the counter of one that it has not heard of.
func (f *following) failOver() error {
	if err := f.synchronize(); err != nil {
		return err
	}
	if err := f.replica().admin.Do(f.ctx, "replicaof", "127.0.0.1", "1").Err(); err != nil {
		return err
	}
	if f.owner.isOn {
		if err := f.owner.abort(f.ctx); err != nil {
			return err
		}
	}
	kept := f.owner.merged()
	if f.rand.IntN(4) > 0 {
		if err := f.reopen(f.owner.tbl); err != nil {
			return err
		}
	}
	f.works(f.rand.IntN(5))
	if f.rand.IntN(2) == 0 {
		f.await()
	}
	return f.promote(kept)
}

// promote makes the replica the primary. The followers do not find it before its owner has done something, so that its numbers may have
// passed those that they know.
func (f *following) promote(kept map[string]*Item) error {
	begun, old := time.Now(), f.owner.tbl
	if err := old.Close(); err != nil {
		return err
	}
	if err := f.replica().admin.Do(f.ctx, "replicaof", "no", "one").Err(); err != nil {
		return err
	}
	f.now = 1 - f.now
	f.primary().proxy.Stop()
	f.direct()
	host, port, err := net.SplitHostPort(f.primary().server.Addr())
	if err != nil {
		return err
	}
	if err := f.replica().admin.Do(f.ctx, "replicaof", host, port).Err(); err != nil {
		return err
	}
	f.cut()
	f.owner.seen = kept
	if err := f.owner.open(f.ctx); err != nil {
		return err
	}
	f.owner.known.rewound(begun)
	f.works(f.rand.IntN(10))
	return f.primary().proxy.Start()
}

// synchronize makes the other server a replica, and waits until it has what the primary has.
func (f *following) synchronize() error {
	ctx, cancel := context.WithTimeout(f.ctx, longestWait)
	defer cancel()
	host, port, err := net.SplitHostPort(f.primary().server.Addr())
	if err != nil {
		return err
	}
	if err := f.replica().admin.Do(ctx, "replicaof", host, port).Err(); err != nil {
		return err
	}
	want, err := f.primary().admin.HMGet(ctx, "told:m", "epoch", "seq").Result()
	if err != nil {
		return err
	}
	for {
		got, err := f.replica().admin.HMGet(ctx, "told:m", "epoch", "seq").Result()
		if err == nil && fmt.Sprint(got) == fmt.Sprint(want) {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the replica has %v, the primary %v: %w, %w", got, want, ctx.Err(), err)
		}
		rest(ctx, time.Millisecond)
	}
}

// await waits until all followers are at the present, and have proven it.
func (f *following) await() {
	ctx, cancel := context.WithTimeout(f.ctx, longestWait)
	defer cancel()
	for k, m := range f.images {
		if err := m.await(ctx, f.owner.tbl.Position()); err != nil {
			f.t.Errorf("follower %d: %v", k, err)
		}
	}
}

// compare waits until all followers are at the present, and compares what they have noted with what is known.
func (f *following) compare() {
	f.await()
	known := f.owner.known
	for k, m := range f.images {
		moments, proofs, copies := m.take()
		for _, one := range moments {
			if err := known.compare(one.at, one.content); err != nil {
				f.t.Errorf("follower %d: %v", k, err)
			}
		}
		for _, one := range proofs {
			if err := known.proves(one.time, one.at); err != nil {
				f.t.Errorf("follower %d: %v", k, err)
			}
		}
		f.compared, f.proofs, f.copies = f.compared+len(moments), f.proofs+len(proofs), f.copies+copies
	}
	known.forget(f.owner.tbl.Position())
}

func (f *following) end() {
	f.t.Logf("%v", f.done)
	session.figures.Add(Figure{Name: "positions at which followers were compared", Ours: float64(f.compared)})
	session.figures.Add(Figure{Name: "proofs of followers that were compared", Ours: float64(f.proofs)})
	session.figures.Add(Figure{Name: "copies that followers have begun", Ours: float64(f.copies)})
	if !f.t.Failed() {
		ok(f.t, f.owner.abort(f.ctx)) // else it is never clear
		ok(f.t, f.owner.tbl.WaitClear(f.ctx))
		walk.Walk(f.t, f.primary().admin, "told", "a", "b")
	}
	ok(f.t, f.owner.tbl.Close())
}

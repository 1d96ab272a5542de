package stress

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/mirror"
	"github.com/tablecache-go/tablecache/table"
)

// election is a fleet of candidates, and what they have said.
type election struct {
	t        *testing.T
	srv      *redistest.Server
	name     string
	fleet    []*standing
	speaking sync.WaitGroup
	owns     chan *standing

	mu    sync.Mutex // guards what follows
	terms []tenure
	by    map[int64]*standing // who was told that a version is written
	last  int64               // the highest of them
}

// standing is one process of the fleet.
type standing struct {
	*faulty.Child
	term int // the index of its last term
}

// tenure is for how long a process was the owner.
type tenure struct {
	begin, end int64 // by the clock of the machine; end 0: not over
	crash      bool
}

const (
	fleetSize  = 3
	handOvers  = 400 // half of them planned
	lateLimit  = 250 * time.Millisecond
	crashLimit = candidateLease + time.Second
)

// TestL2_HandOversUnderLoad ends the owner in a fleet of processes again and again, in an orderly way and by kill -9, while a Reader and
// a mirror are read: no read fails, goes back or is torn; no two terms overlap, no version is acknowledged to two owners, and a successor comes in time.
func TestL2_HandOversUnderLoad(t *testing.T) {
	e := &election{t: t, srv: redistest.Start(t, redistest.Options{}), name: "fleet", owns: make(chan *standing, fleetSize), by: map[int64]*standing{}}
	e.fill()
	p := session.begin(t, "hand-overs, no read failed, no fenced effect", handOvers, leadShare)
	stop := e.read()
	for range fleetSize {
		e.stand()
	}
	owner := e.successor()
	for n := 1; !p.isOver() && !t.Failed(); n++ {
		owner = e.handOver(owner, n%2 == 0)
		p.reach(float64(n))
	}
	for _, s := range e.fleet {
		s.Kill()
	}
	e.speaking.Wait()
	readsMade.Add(stop())
	e.check()
	walk.Walk(t, e.srv.Client(t), e.name, "at", "rank")
}

// fill makes the table, with a group of version 0.
func (e *election) fill() {
	tbl, err := table.Open(e.t.Context(), e.srv.Client(e.t), memberTable(e.name, 1))
	ok(e.t, err)
	ok(e.t, tbl.Put(e.t.Context(), groupOf(0)...))
	ok(e.t, tbl.Close())
}

// stand starts one more process.
func (e *election) stand() {
	s := &standing{Child: faulty.Spawn(e.t, "candidate")}
	s.Say(e.srv.Addr(), e.name)
	e.fleet = append(e.fleet, s)
	e.speaking.Go(func() {
		for line, heard := s.Hear(); heard; line, heard = s.Hear() {
			e.hear(s, line)
		}
	})
}

func (e *election) hear(s *standing, line string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	word, rest, _ := strings.Cut(line, " ")
	var n int64
	if _, err := fmt.Sscan(rest, &n); err != nil || word == saysWrong {
		e.t.Errorf("a candidate says %q", line)
		return
	}
	switch word {
	case saysOwns:
		s.term = len(e.terms)
		e.terms = append(e.terms, tenure{begin: n})
		e.owns <- s
	case saysOver:
		e.terms[s.term].end = n
	case saysDone:
		if other := e.by[n]; other != nil {
			e.t.Errorf("version %d was acknowledged twice", n)
		}
		e.by[n] = s
		e.last = max(e.last, n)
	}
}

// successor waits for the next owner.
func (e *election) successor() *standing {
	select {
	case s := <-e.owns:
		return s
	case <-time.After(30 * time.Second):
		e.t.Fatal("there is no owner")
		return nil
	}
}

// handOver ends the term of an owner, and returns the next.
func (e *election) handOver(owner *standing, crash bool) *standing {
	<-time.After(20 * time.Millisecond) // it writes
	if !crash {
		owner.Say(saysResign)
		return e.successor()
	}
	now := time.Now().UnixNano()
	owner.Kill()
	e.mu.Lock()
	if term := &e.terms[owner.term]; term.end == 0 { // else it was over before
		term.end, term.crash = now, true
	}
	e.mu.Unlock()
	e.fleet = slices.DeleteFunc(e.fleet, func(s *standing) bool { return s == owner })
	e.stand()
	return e.successor()
}

// read reads through a Reader and through a mirror until the returned function is called, which tells how many reads there were.
func (e *election) read() (stop func() int64) {
	r, err := table.OpenReader(e.t.Context(), e.srv.Client(e.t), memberTable(e.name, 1))
	ok(e.t, err)
	m, err := mirror.Open(e.t.Context(), e.srv.Client(e.t), memberTable(e.name, 1))
	ok(e.t, err)
	ctx, cancel := context.WithCancel(e.t.Context())
	var all sync.WaitGroup
	var reads atomic.Int64
	for _, from := range []table.Reading[member]{r, m} {
		all.Go(func() {
			for seen := int64(0); ctx.Err() == nil && !e.t.Failed(); reads.Add(1) {
				seen = e.readOnce(from, seen)
			}
		})
	}
	return func() int64 {
		cancel()
		all.Wait()
		ok(e.t, m.Close())
		ok(e.t, r.Close())
		return reads.Load()
	}
}

// readOnce reads the group, which must be whole and of no earlier version than the one seen before, and returns its version.
func (e *election) readOnce(from table.Reading[member], seen int64) int64 {
	all, err := table.Collect(from.Records(e.t.Context(), from.All("at")))
	if err != nil || len(all) != groupSlots {
		e.t.Errorf("%T: %d members, %v", from, len(all), err)
		return seen
	}
	for _, m := range all {
		if m.Version != all[0].Version || m.Version < seen {
			e.t.Errorf("%T: version %d beside %d, after %d", from, m.Version, all[0].Version, seen)
		}
	}
	return all[0].Version
}

// check judges all terms.
func (e *election) check() {
	var planned, crashed []time.Duration
	for i, next := range e.terms[min(1, len(e.terms)):] {
		before := e.terms[i]
		gap := time.Duration(next.begin - before.end)
		if before.end == 0 || gap < 0 {
			e.t.Errorf("term %d has begun %v before the one before was over", i+1, -gap)
		}
		if before.crash {
			crashed = append(crashed, gap)
		} else {
			planned = append(planned, gap)
		}
	}
	e.within("planned", planned, lateLimit)
	e.within("crashed", crashed, crashLimit)
	r, err := table.OpenReader(e.t.Context(), e.srv.Client(e.t), memberTable(e.name, 1))
	ok(e.t, err)
	defer r.Close()
	if version := e.readOnce(r, 0); version < e.last {
		e.t.Errorf("at the end there is version %d, and %d was acknowledged", version, e.last)
	}
}

// within fails if hand-overs have taken too long: some may, where the machine is busy.
func (e *election) within(kind string, took []time.Duration, limit time.Duration) {
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	p95 := took[len(took)*19/20]
	e.t.Logf("%d hand-overs, %s: median %v, 95 %% within %v, all within %v", len(took), kind, took[len(took)/2].Round(time.Millisecond),
		p95.Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
	if median := took[len(took)/2]; median > limit {
		e.t.Errorf("%s: half of the successors came after %v", kind, median)
	}
	if most := took[len(took)-1]; most > 10*limit {
		e.t.Errorf("%s: a successor came after %v", kind, most)
	}
}

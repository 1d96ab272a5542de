package stress

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/internal/redistest"
	"github.com/tablecache-go/tablecache/internal/walk"
	"github.com/tablecache-go/tablecache/table"
)

// TestR2_ReadersInOtherProcessesAreRight has three other processes read a table while a fourth one changes it in every way. The owner
// is killed, stopped or taken over, and Redis is killed, stopped and cut off. Each answer is of one moment, and of none before what the
// same reader has shown, nor before what another handle had shown or done whose position it has waited for.
func TestR2_ReadersInOtherProcessesAreRight(t *testing.T) {
	p := session.begin(t, "answers of readers in other processes: none wrong or back", 300_000, readersShare)
	a := newAudience(t, p)
	a.replaceOwner()
	for range readerProcesses {
		a.startReader()
	}
	for !a.isOver() {
		a.surprise()
		a.awaitAnswers()
	}
	a.end()
	tbl, err := table.Open(t.Context(), a.admin, memberTable(a.name, worldGroups)) // what a killed owner has sent is void now
	ok(t, err)
	ok(t, tbl.WaitClear(t.Context()))
	walk.Walk(t, a.admin, a.name, "at", "rank")
	ok(t, tbl.Close())
}

const (
	readerProcesses = 3
	longestWait     = 30 * time.Second // until all goes on after a fault
)

// readersFaults are what happens to the readers' server, and to the way there.
var readersFaults = []string{"all connections cut", "nobody listens", "redis killed", "redis stopped", "all clients killed", "one client killed",
	"scripts forgotten, clients killed", "replies cut at byte 1000", "commands cut at byte 100", "reset at once", "black hole for replies",
	"all clients paused", "append-only file rewritten"}

// audience is a server, an owner and the readers of its table.
type audience struct {
	*cell
	part   *part
	faults []fault
	done   map[string]int

	mu      sync.Mutex // guards what follows
	readers []*processOf
	owner   *processOf
	block   int64
	news    chan struct{} // closed and replaced when a reader has reported
	next    int           // the reader that is told of the next position
}

// processOf is a process and what it has reported last.
type processOf struct {
	*faulty.Child
	report readerReport
	began  chan struct{} // closed when it owns the table
	begin  sync.Once
	mayEnd atomic.Bool
	ended  chan struct{} // closed when it has ended
}

func newAudience(t *testing.T, p *part) *audience {
	c := &cell{t: t, rand: source(6000), name: "readers"}
	c.server = redistest.Start(t, redistest.Options{Args: []string{"--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0"}})
	c.admin = c.server.Client(t)
	c.proxy = c.startProxy(t)
	return &audience{cell: c, part: p, faults: faultsNamed(t, readersFaults...), done: make(map[string]int), news: make(chan struct{})}
}

func (a *audience) isOver() bool { return a.part.isOver() || a.t.Failed() }

// start starts a process, and listens to it until it ends.
func (a *audience) start(role string) *processOf {
	p := &processOf{Child: faulty.Spawn(a.t, role), began: make(chan struct{}), ended: make(chan struct{})}
	p.Say(a.proxy.Listen, a.name, a.rand.Int64())
	go func() {
		defer close(p.ended)
		for line, heard := p.Hear(); heard; line, heard = p.Hear() {
			a.hear(p, line)
		}
		p.Rest()
		if !p.mayEnd.Load() {
			a.t.Errorf("a %s has ended by itself", role)
		}
	}()
	a.t.Cleanup(func() {
		p.mayEnd.Store(true)
		p.Kill()
		<-p.ended
	})
	return p
}

func (a *audience) startReader() {
	p := a.start("reader")
	a.mu.Lock()
	defer a.mu.Unlock()
	a.readers = append(a.readers, p)
}

// replaceOwner starts an owner, and has it take the table over from the one that is there, which it returns.
func (a *audience) replaceOwner() (before *processOf) {
	p := a.start("owner")
	p.mayEnd.Store(true) // when it is fenced
	a.await(p.began, "an owner does not own the table")
	a.mu.Lock()
	defer a.mu.Unlock()
	before, a.owner = a.owner, p
	return before
}

// hear takes what a process says.
func (a *audience) hear(p *processOf, line string) {
	word, rest, _ := strings.Cut(line, " ")
	a.mu.Lock()
	defer a.mu.Unlock()
	switch word {
	case saysBlock:
		p.begin.Do(func() { close(p.began) })
		a.block++
		p.Say(a.block)
	case saysDone:
		if a.block%2 == 0 { // else positions come from readers alone
			a.tell(rest)
		}
	case saysSeen:
		a.seen(p, rest)
	default:
		a.t.Errorf("%s", line)
		a.part.stop()
	}
}

// tell tells one reader of a position and what was shown or done there.
func (a *audience) tell(shown string) {
	if len(a.readers) > 0 && !strings.HasPrefix(shown, noPosition) {
		a.next = (a.next + 1) % len(a.readers)
		a.readers[a.next].Say(saysShown, shown)
	}
}

func (a *audience) seen(p *processOf, text string) {
	var position string
	var revision int64
	r := &p.report
	if _, err := fmt.Sscan(text, &position, &revision, &r.answers, &r.long, &r.failed, &r.expired, &r.waited); err != nil {
		a.t.Errorf("a reader says %q: %v", text, err)
	}
	a.part.reach(float64(a.sum().answers))
	a.tell(fmt.Sprint(position, " ", revision))
	close(a.news)
	a.news = make(chan struct{})
}

// sum is what all readers have done. Its mutex is held.
func (a *audience) sum() (s readerReport) {
	for _, p := range a.readers {
		s.answers += p.report.answers
		s.long += p.report.long
		s.failed += p.report.failed
		s.expired += p.report.expired
		s.waited += p.report.waited
	}
	return s
}

// surprise lets one thing happen.
func (a *audience) surprise() {
	switch a.rand.IntN(6) {
	case 0:
		a.done["owner killed"]++
		a.owner.Kill()
		a.await(a.replaceOwner().ended, "an owner that was killed is there")
	case 1:
		a.done["owner taken over"]++
		a.await(a.replaceOwner().ended, "an owner that was fenced is there")
	case 2:
		a.done["owner stopped, taken over, woken"]++
		a.owner.Stop(a.t)
		before := a.replaceOwner()
		a.awaitAnswers()
		before.Continue(a.t)
		a.await(before.ended, "an owner that was fenced and woken is there")
	default:
		f := a.faults[a.rand.IntN(len(a.faults))]
		a.done[f.name]++
		end, err := f.begin(a.cell)
		ok(a.t, err)
		rest(a.part.ctx, time.Duration(1+a.rand.IntN(30))*time.Millisecond)
		ok(a.t, end())
	}
}

// await waits for something, for which the test fails if it takes too long.
func (a *audience) await(it <-chan struct{}, trouble string) {
	select {
	case <-it:
	case <-a.part.over():
	case <-time.After(longestWait):
		a.t.Errorf("%s after %v", trouble, longestWait)
	}
}

// awaitAnswers waits until each reader has made some more answers.
func (a *audience) awaitAnswers() {
	late := time.After(longestWait)
	before := a.answers()
	for !a.isOver() {
		a.mu.Lock()
		news := a.news
		a.mu.Unlock()
		if haveGrown(before, a.answers()) {
			return
		}
		select {
		case <-news:
		case <-a.part.over():
		case <-late:
			a.t.Errorf("answers %v after a fault: %v, before %v", longestWait, a.answers(), before)
		}
	}
}

func (a *audience) answers() (of []int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range a.readers {
		of = append(of, p.report.answers)
	}
	return of
}

func haveGrown(before, now []int64) bool {
	for i := range before {
		if now[i] <= before[i] {
			return false
		}
	}
	return true
}

// end ends all processes, and tells what they have done.
func (a *audience) end() {
	a.owner.Kill()
	for _, p := range a.readers {
		p.mayEnd.Store(true)
		p.Say(saysStop)
		select {
		case <-p.ended:
		case <-time.After(longestWait):
			a.t.Errorf("a reader is still there %v after it was told to stop", longestWait)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sum()
	readsMade.Add(s.answers)
	a.t.Logf("%+v in %d blocks; %v", s, a.block, a.done)
	session.figures.Add(Figure{Name: "of them: long reads of the whole table", Ours: float64(s.long)})
	session.figures.Add(Figure{Name: "positions of others that readers have waited for", Ours: float64(s.waited)})
	session.figures.Add(Figure{Name: "their reads that failed: their time was up, or Redis away", Ours: float64(s.failed)})
	session.figures.Add(Figure{Name: "their long reads that ended with ErrSnapshotExpired", Ours: float64(s.expired)})
}

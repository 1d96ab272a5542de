package stress

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/faulty"
	"github.com/tablecache-go/tablecache/table"
)

// A process of this test binary that reads a table of worlds, or owns one. What it and its parent tell each other:
//
//	parent to both      ADDRESS NAME SEED           what it needs to begin
//	parent to a reader  shown POSITION REVISION     answers from now on must show that, once the position is waited for
//	parent to a reader  stop
//	reader to parent    seen POSITION REVISION and the counts of a readerReport
//	owner to parent     block                       it owns the table, and asks for the number of the next block
//	parent to an owner  NUMBER
//	owner to parent     done POSITION REVISION      a change was acknowledged
//	both to parent      wrong ...                   what must not be
const (
	saysShown = "shown"
	saysSeen  = "seen"
	saysStop  = "stop"
	saysBlock = "block"
	saysDone  = "done"
	saysWrong = "wrong"
)

// readerReport is what a reader has done since it began: answers that were right, those of them that are the whole table, reads that
// failed as faults excuse it, those that expired, and positions of others that were waited for.
type readerReport struct{ answers, long, failed, expired, waited int64 }

// askers is how many goroutines of a process share one Reader.
const askers = 3

// readerProcess is a process that reads.
type readerProcess struct {
	reader *table.Reader[member, string]
	ctx    context.Context
	stop   context.CancelFunc
	seed   uint64

	answers, long, failed, expired, waited atomic.Int64

	mu     sync.Mutex // guards what follows
	parent *faulty.Talk
	shown  *world // what the reader has shown, at least
}

// processClient returns a client that gives up soon, as its server often is not there.
func processClient(addr string) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: addr, DialTimeout: 200 * time.Millisecond, ReadTimeout: 300 * time.Millisecond,
		WriteTimeout: 300 * time.Millisecond, MinRetryBackoff: time.Millisecond, MaxRetryBackoff: 10 * time.Millisecond})
}

// processPageBytes makes many pages of a table.
const processPageBytes = 500

// readWorlds is the role of a reader.
func readWorlds(parent *faulty.Talk) error {
	redis.SetLogger(silent{})
	p := &readerProcess{parent: parent, shown: emptyWorld()}
	line, _ := parent.Hear()
	var addr, name string
	if _, err := fmt.Sscan(line, &addr, &name, &p.seed); err != nil {
		return err
	}
	p.ctx, p.stop = context.WithCancel(context.Background())
	rdb := processClient(addr)
	lines, opened := make(chan string), make(chan struct{})
	go p.hear(lines, opened) // until the parent ends
	for p.reader == nil {
		if p.ctx.Err() != nil {
			return rdb.Close()
		}
		var err error
		p.reader, err = table.OpenReader(p.ctx, rdb, memberTable(name, worldGroups), table.WithWait(), table.WithPageBytes(processPageBytes))
		p.excuse("open", err)
	}
	close(opened)
	var all sync.WaitGroup
	for k := range uint64(askers) {
		all.Go(func() { p.ask(rand.New(rand.NewPCG(p.seed, k))) })
	}
	p.listen(lines)
	p.stop()
	all.Wait()
	p.report()
	return errors.Join(p.reader.Close(), rdb.Close())
}

// hear passes on what the parent says, until that is enough: then the reader stops, also one that is still opening. What is said before the
// reader has opened it has no use for.
func (p *readerProcess) hear(lines chan<- string, opened <-chan struct{}) {
	defer close(lines)
	for {
		line, heard := p.parent.Hear()
		if !heard || line == saysStop {
			p.stop()
			return
		}
		select {
		case <-opened:
			lines <- line
		default:
		}
	}
}

// listen does what the parent says, until that is enough.
func (p *readerProcess) listen(lines <-chan string) {
	for line := range lines {
		var word, position string
		var revision int64
		if _, err := fmt.Sscan(line, &word, &position, &revision); err != nil || word != saysShown {
			p.wrong(fmt.Errorf("the parent says %q: %w", line, err))
			return
		}
		p.waitFor(position, revision)
	}
}

// waitFor waits for a position at which another handle has shown or done a revision.
func (p *readerProcess) waitFor(text string, revision int64) {
	position, err := table.ParsePosition(text)
	for err == nil && p.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
		err := p.reader.WaitFor(ctx, position)
		cancel()
		if err == nil {
			p.waited.Add(1)
			p.show(func(w *world) *world {
				for next := *w; ; next.step() {
					if next.revision >= revision {
						return &next
					}
				}
			})
			return
		}
		p.excuse("wait for "+text, err)
	}
	if err != nil {
		p.wrong(err)
	}
}

// show moves what was shown on.
func (p *readerProcess) show(to func(*world) *world) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := to(p.shown); w.revision > p.shown.revision {
		p.shown = w
	}
}

func (p *readerProcess) least() *world {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shown
}

// ask reads until the process ends, and checks each answer: it is of one world, and that is none before what was shown when it
// was asked for.
func (p *readerProcess) ask(r *rand.Rand) {
	q := &inquiry{reader: p.reader, rand: r}
	for n := 1; p.ctx.Err() == nil; n++ {
		since := p.least()
		ctx, cancel := p.mayBeShort(r)
		what, fits, err := q.ask(ctx)
		cancel()
		if err == nil {
			var found *world
			if found, err = since.find(fits); err == nil {
				p.show(func(*world) *world { return found })
				p.answers.Add(1)
				if what == wholeTable {
					p.long.Add(1)
				}
			} else {
				err = wrong{err}
			}
		}
		p.excuse(what, err)
		if n%50 == 0 {
			p.report()
		}
	}
}

// mayBeShort returns the context of one read. Some of them end soon.
func (p *readerProcess) mayBeShort(r *rand.Rand) (context.Context, context.CancelFunc) {
	if r.IntN(20) > 0 {
		return context.WithCancel(p.ctx)
	}
	return context.WithTimeout(p.ctx, time.Duration(r.IntN(5000))*time.Microsecond)
}

// excuse counts an error that a fault explains, and tells the parent of any other.
func (p *readerProcess) excuse(what string, err error) {
	switch {
	case err == nil, p.ctx.Err() != nil:
	case errors.Is(err, table.ErrSnapshotExpired):
		p.expired.Add(1)
	case isInexcusable(err):
		p.wrong(fmt.Errorf("%s: %w", what, err))
	default:
		p.failed.Add(1)
	}
}

// isInexcusable tells whether an error must not come while Redis keeps its data.
func isInexcusable(err error) bool {
	return errors.As(err, &wrong{}) || errors.As(err, new(*table.CodingError)) || errors.Is(err, table.ErrLost) || errors.Is(err, table.ErrNoTable) ||
		errors.Is(err, table.ErrSchemaMismatch) || errors.Is(err, table.ErrPanic) || errors.Is(err, table.ErrInvalidSpec) ||
		errors.Is(err, table.ErrInvalidPosition) || errors.Is(err, table.ErrFenced)
}

func (p *readerProcess) wrong(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parent.Say(saysWrong, strings.ReplaceAll(err.Error(), "\n", "; "))
	p.stop()
}

// report tells the parent how far the reader is. The position is not older than the revision.
func (p *readerProcess) report() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parent.Say(saysSeen, positionOrNone(p.reader.Position()), p.shown.revision,
		p.answers.Load(), p.long.Load(), p.failed.Load(), p.expired.Load(), p.waited.Load())
}

// noPosition stands for the text of the zero position, which is no word.
const noPosition = "-"

func positionOrNone(p table.Position) string {
	if p.IsZero() {
		return noPosition
	}
	return p.String()
}

package stress

import (
	"context"
	"sync"
	"testing"
	"time"
)

const (
	longest   = 30 * time.Minute // no part of any run goes on for longer than this after the run began
	reference = 10 * time.Minute // the time that a full run's volume is set for, and a shortened one is measured by
)

// run is one run of this package's tests. A full run goes on until its volume is done, however slow the machine is. A
// shortened run goes on for a time.
type run struct {
	full     bool
	duration time.Duration // of a shortened run
	end      time.Time     // all parts stop now at the latest
	seed     uint64
	figures  Figures
}

// scale is the size of this run, where a full one is 1.
func (r *run) scale() float64 {
	if r.full {
		return 1
	}
	return float64(r.duration) / float64(reference)
}

// note notes what was done of the volume of a full run. A shortened run on a busy machine only has to show that it did
// something.
func (r *run) note(name string, ours, volume float64) {
	f := Figure{Name: name, Ours: ours, Target: volume * r.scale(), Floor: volume}
	if !r.full {
		f.Floor = f.Target / 20
	}
	r.figures.Add(f)
}

// part is what one test does of a run. It is over when its volume is done (in a full run) or its time is up (in a
// shortened one). It is safe for concurrent use.
type part struct {
	run    *run
	volume float64   // of a full run
	end    time.Time // it is over now at the latest
	ctx    context.Context
	stop   context.CancelFunc // ends ctx: the part is over

	mu   sync.Mutex // guards done
	done float64
}

// begin begins a part of the run, which takes this share of a shortened run's duration. What it has done is noted under
// its name when the test ends. The parts run one after the other, since each of them takes the whole machine.
func (r *run) begin(t testing.TB, name string, volume, share float64) *part {
	p := &part{run: r, volume: volume, end: r.end}
	if end := time.Now().Add(time.Duration(share * float64(r.duration))); !r.full && end.Before(r.end) {
		p.end = end
	}
	p.ctx, p.stop = context.WithDeadline(t.Context(), p.end)
	t.Cleanup(func() {
		p.stop()
		r.note(name, p.reached(), volume)
	})
	return p
}

// reach says how much the part has done since it began.
func (p *part) reach(done float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done = max(p.done, done) // goroutines may overtake each other on their way here
	if p.run.full && p.done >= p.volume {
		p.stop()
	}
}

func (p *part) reached() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done
}

func (p *part) isOver() bool { return p.ctx.Err() != nil }

// over returns a channel that is closed when the part is over.
func (p *part) over() <-chan struct{} { return p.ctx.Done() }

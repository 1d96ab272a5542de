package engine

import (
	"sync/atomic"
	"time"
)

// Pin keeps what readers see of one generation as it is: Put, Delete, Apply, Update, Clear and Repair, and the fold of
// the next generation, wait for it. It lasts until it is released, or until its grace period is over,
// which begins when the first of these waits for it. It is safe for concurrent use.
type Pin struct {
	actor    *Actor
	ticket   ticket // the actor's alone
	view     View
	hurry    chan struct{} // closed by the actor
	expired  chan struct{} // closed by the actor
	err      error         // written by the actor before expired is closed
	released atomic.Bool
}

// View returns the table's view at the moment of the grant.
func (p *Pin) View() View { return p.view }

// Hurry returns a channel that is closed when an effect or a fold begins to wait for the pin.
func (p *Pin) Hurry() <-chan struct{} { return p.hurry }

// Expired returns a channel that is closed when the pin ends without having been released.
func (p *Pin) Expired() <-chan struct{} { return p.expired }

// Err returns, once Expired is closed, ErrSnapshotExpired, or why the table can no longer be written.
func (p *Pin) Err() error {
	select {
	case <-p.expired:
		return p.err
	default:
		return nil
	}
}

// Release ends the pin. It may be called more than once, and does not wait for Redis.
func (p *Pin) Release() {
	if p.released.CompareAndSwap(false, true) {
		p.actor.postControl(func() { p.actor.handleUnpin(p) })
	}
}

// gracePeriod is the grace period of one pin, which expires at its end.
type gracePeriod struct {
	end    time.Time
	ticket ticket
}

// gracePeriods are the grace periods that are running. All are equally long, so the first to begin ends first.
type gracePeriods struct {
	length time.Duration
	queue  []gracePeriod
	timer  *time.Timer
}

func (g *gracePeriods) begin(t ticket) {
	g.queue = append(g.queue, gracePeriod{end: time.Now().Add(g.length), ticket: t})
	if len(g.queue) == 1 {
		g.timer.Reset(g.length)
	}
}

// takeEnded removes the grace periods that are over, returns their tickets, and sets the timer for
// the next.
func (g *gracePeriods) takeEnded() (over []ticket) {
	now := time.Now()
	for len(g.queue) > 0 && !g.queue[0].end.After(now) {
		over = append(over, g.queue[0].ticket)
		g.queue = g.queue[1:]
	}
	if len(g.queue) > 0 {
		g.timer.Reset(g.queue[0].end.Sub(now))
	}
	return over
}

// newStoppedTimer returns a timer that does not run.
func newStoppedTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

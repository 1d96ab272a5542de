package engine

import (
	"sync/atomic"
	"time"
)

// Pin keeps what readers see of one generation as it is: Put, Delete and Clear, and the fold of
// the next generation, wait for it. It lasts until it is released, or until the grace period is
// over that begins when the first of these waits for it. It is safe for concurrent use.
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

// Hurry is closed when an effect begins to wait for the pin.
func (p *Pin) Hurry() <-chan struct{} { return p.hurry }

// Expired is closed when the pin no longer protects, without having been released.
func (p *Pin) Expired() <-chan struct{} { return p.expired }

// Err returns, once Expired is closed, ErrSnapshotExpired, or ErrClosed when the table was closed.
func (p *Pin) Err() error {
	select {
	case <-p.expired:
		return p.err
	default:
		return nil
	}
}

// Release lets go of the pin. It may be called more than once, and does not wait for Redis.
func (p *Pin) Release() {
	if p.released.CompareAndSwap(false, true) {
		p.actor.post(func() { p.actor.handleUnpin(p) })
	}
}

// grace is the moment at which a hurried pin expires.
type grace struct {
	at     time.Time
	ticket ticket
}

// graces are the running grace periods. All last equally long, so the first to begin ends first.
type graces struct {
	length time.Duration
	queue  []grace
	alarm  *time.Timer
}

func (g *graces) begin(t ticket) {
	g.queue = append(g.queue, grace{at: time.Now().Add(g.length), ticket: t})
	if len(g.queue) == 1 {
		g.alarm.Reset(g.length)
	}
}

// ended returns the tickets whose grace period is over, and sets the alarm for the next.
func (g *graces) ended() (over []ticket) {
	now := time.Now()
	for len(g.queue) > 0 && !g.queue[0].at.After(now) {
		over = append(over, g.queue[0].ticket)
		g.queue = g.queue[1:]
	}
	if len(g.queue) > 0 {
		g.alarm.Reset(g.queue[0].at.Sub(now))
	}
	return over
}

// newAlarm returns a timer that does not run.
func newAlarm() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

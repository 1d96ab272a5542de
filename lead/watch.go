package lead

import (
	"time"

	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/table"
)

// watch is what a candidate has seen of the leases of others. The server's clock decides whether a lease is over. But a candidate also
// waits until it is over by its own clock, from the last renewal that it has seen, and at first sight until there would have been one:
// then a server's clock that jumps forward makes no second owner while the first still works.
type watch struct {
	own     string      // as whom this process held the lease before
	looked  bool        // it has seen something
	asked   bool        // the table was asked, and has said that it is held
	seen    table.Lease // at the last look
	until   time.Time   // the lease that was seen may last until then
	renewed time.Time   // when it was last seen to be another than before
	held    time.Time   // when somebody was last seen to hold one
	before  string      // who that was
}

// renewedWithin says in which part of its length a lease is renewed: a fifth, as an owner does so six times in it.
const renewedWithin = 5

// see notes the lease as it is stored now, and returns for how long it may last.
func (w *watch) see(l table.Lease, now time.Time) time.Duration {
	if l != w.seen || !w.looked {
		w.until = now.Add(w.mayLast(l))
		w.looked, w.seen, w.renewed = true, l, now
	}
	if l.Holder == "" {
		return 0
	}
	w.held, w.before = now, l.Holder
	return w.until.Sub(now)
}

// mayLast tells for how long a lease may last that was not seen before.
func (w *watch) mayLast(l table.Lease) time.Duration {
	switch {
	case l.Holder == w.own:
		return 0
	case !w.looked:
		return l.Length / renewedWithin
	case !w.asked: // it was just renewed, so the server's clock says so: if waiting is of no use the table tells why
		return 0
	}
	return l.Length
}

// refused notes that the lease lasts so long by the server's clock.
func (w *watch) refused(left time.Duration, now time.Time) {
	w.asked, w.until = true, now.Add(left)
}

// history tells for the log how the table was before it was taken over.
func (w *watch) history(now time.Time) []zap.Field {
	switch {
	case w.before == "":
		return []zap.Field{zap.String("why", "nobody held it")}
	case w.seen.Holder == "":
		return []zap.Field{zap.String("why", "it was given up"), zap.String("before", w.before), zap.Duration("without_owner_at_most", now.Sub(w.held))}
	}
	return []zap.Field{zap.String("why", "the lease ran out"), zap.String("before", w.before), zap.Duration("without_owner_at_most", now.Sub(w.renewed))}
}

package lead

import (
	"time"

	"go.uber.org/zap"

	"github.com/tablecache-go/tablecache/table"
)

// watch is what a candidate has seen of the leases of others. The server's clock decides whether a lease is over. But a candidate that
// has seen it renewed also waits until it is over by its own clock: then a server's clock that jumps forward makes no second owner
// while the first still works.
type watch struct {
	own     string      // as whom this process held the lease before
	looked  bool        // it has seen something
	seen    table.Lease // at the last look
	until   time.Time   // the lease that was seen may last until then
	renewed time.Time   // when it was last seen to be another than before
	held    time.Time   // when somebody was last seen to hold one
	before  string      // who that was
}

// see notes the lease as it is stored now, and returns for how long it may last.
func (w *watch) see(l table.Lease, now time.Time) time.Duration {
	first := !w.looked
	if first || l != w.seen {
		w.looked, w.seen, w.renewed, w.until = true, l, now, now
		if !first && l.Holder != w.own {
			w.until = now.Add(l.Length)
		}
	}
	if l.Holder == "" {
		return 0
	}
	w.held, w.before = now, l.Holder
	return w.until.Sub(now)
}

// refused notes that the lease lasts so long by the server's clock.
func (w *watch) refused(left time.Duration, now time.Time) { w.until = now.Add(left) }

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

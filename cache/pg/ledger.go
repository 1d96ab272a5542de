package pg

import (
	"maps"
	"slices"
	"sync"
)

// ledger holds the ids of the pending rows that the cache was told of and that are not known to be done. A set, and not the highest id: ids are
// given before a transaction commits, so that one that is lower may come later.
type ledger struct {
	added chan struct{} // by add, for the refresher; one is enough

	mu   sync.Mutex // guards what follows
	told map[int64]struct{}
	done map[int64]struct{} // taken off: only a page that was asked for before has these rows
}

func newLedger() *ledger {
	return &ledger{added: make(chan struct{}, 1), told: map[int64]struct{}{}, done: map[int64]struct{}{}}
}

// begin begins a pass: what was done before it is not read any more.
func (l *ledger) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.done)
}

// untold returns the rows that are not in it.
func (l *ledger) untold(page []row) (rows []row) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range page {
		_, told := l.told[r.ID]
		if _, done := l.done[r.ID]; !told && !done {
			rows = append(rows, r)
		}
	}
	return rows
}

func (l *ledger) add(rows []row) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range rows {
		l.told[r.ID] = struct{}{}
	}
	hint(l.added)
}

// all returns the ids that are in it, in order.
func (l *ledger) all() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.told))
}

// finish takes in that rows are taken off.
func (l *ledger) finish(ids []int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		delete(l.told, id)
		l.done[id] = struct{}{}
	}
}

// hint leaves word in a channel of capacity 1, unless there is word already.
func hint(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

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

	mu   sync.Mutex // guards told
	told map[int64]struct{}
}

func newLedger() *ledger {
	return &ledger{added: make(chan struct{}, 1), told: map[int64]struct{}{}}
}

// untold returns the rows that are not in it.
func (l *ledger) untold(page []row) (rows []row) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range page {
		if _, told := l.told[r.ID]; !told {
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

func (l *ledger) forget(ids []int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		delete(l.told, id)
	}
}

// hint leaves word in a channel of capacity 1, unless there is word already.
func hint(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

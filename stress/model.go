package stress

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/tablecache-go/tablecache/table"
)

// Model is a table as a map in memory: what the library promises, without Redis, goroutines,
// pages, pins and folds. It has no fold because a fold changes no answer, and nobody waits because
// its caller asks MayWrite first. Its zero value is a new table.
type Model struct {
	Rows       map[string]Item  // what readers see
	Staged     map[string]*Item // what they will see after a merge; nil is a tombstone
	Generation uint32           // how many merges there were
}

// Active tells whether scratch is active: something is staged.
func (m *Model) Active() bool { return len(m.Staged) > 0 }

// MayWrite tells whether regular writes run rather than wait.
func (m *Model) MayWrite() bool { return !m.Active() }

// Put stores items in place of those with the same keys; of two with one key the last wins.
func (m *Model) Put(items ...Item) {
	for _, i := range items {
		set(&m.Rows, i.Key, i)
	}
}

// Delete deletes what s finds, and returns it.
func (m *Model) Delete(s Spec) []Item {
	gone := m.Read(s)
	m.DeleteKeys(keysOf(gone)...)
	return gone
}

// DeleteKeys deletes the items with these keys and returns how many there were.
func (m *Model) DeleteKeys(keys ...string) (n int) {
	for _, k := range keys {
		if _, there := m.Rows[k]; there {
			delete(m.Rows, k)
			n++
		}
	}
	return n
}

// Stage stages items. It revives what was discarded.
func (m *Model) Stage(items ...Item) {
	for _, i := range items {
		set(&m.Staged, i.Key, &i)
	}
}

// Discard stages the deletion of what s finds in the view that a merge now would show.
func (m *Model) Discard(s Spec) []Item {
	gone := find(m.Preview(), s)
	for _, i := range gone {
		set(&m.Staged, i.Key, nil)
	}
	return gone
}

// Preview returns what readers would see after a merge now.
func (m *Model) Preview() map[string]Item {
	rows := maps.Clone(m.Rows)
	for k, i := range m.Staged {
		if i == nil {
			delete(rows, k)
		} else {
			set(&rows, k, *i)
		}
	}
	return rows
}

// Merge shows all that is staged, at once. With nothing staged it does nothing.
func (m *Model) Merge() {
	if m.Active() {
		m.Rows, m.Staged, m.Generation = m.Preview(), nil, m.Generation+1
	}
}

// Abort drops what is staged.
func (m *Model) Abort() { m.Staged = nil }

// Clear drops everything.
func (m *Model) Clear() { m.Rows, m.Staged = nil, nil }

// Reopen is what a new owner finds: what was staged is gone.
func (m *Model) Reopen() { m.Abort() }

// Read returns what s finds, in its order.
func (m *Model) Read(s Spec) []Item { return find(m.Rows, s) }

// Lookup returns the items with these keys in the order given: twice once, missing ones skipped.
func (m *Model) Lookup(keys ...string) (found []Item) {
	seen := make(map[string]bool)
	for _, k := range keys {
		if i, there := m.Rows[k]; there && !seen[k] {
			found = append(found, i)
		}
		seen[k] = true
	}
	return found
}

// Clone returns a copy that shares nothing with m that changes.
func (m *Model) Clone() *Model {
	return &Model{Rows: maps.Clone(m.Rows), Staged: maps.Clone(m.Staged), Generation: m.Generation}
}

// find is the meaning of a Spec: interval after interval as given, inside one by score, then by
// key bytes; each item that has its score there and for which the predicate holds. Reverse turns
// the whole answer round, then Limit cuts it.
func find(rows map[string]Item, s Spec) (found []Item) {
	for _, in := range s.Intervals {
		var part []Item
		for _, i := range rows {
			if contains(in, i.Score(s.Index)) && (s.Recheck == nil || s.Recheck(&i)) {
				part = append(part, i)
			}
		}
		slices.SortFunc(part, func(a, b Item) int {
			return cmp.Or(cmp.Compare(a.Score(s.Index), b.Score(s.Index)), cmp.Compare(a.Key, b.Key))
		})
		found = append(found, part...)
	}
	if s.Reverse {
		slices.Reverse(found)
	}
	if s.Limit > 0 && len(found) > s.Limit {
		found = found[:s.Limit]
	}
	return found
}

// contains: from GE up to but not LT; an LT of +Inf includes +Inf.
func contains(i table.Interval, score float64) bool {
	return score >= i.GE && (score < i.LT || math.IsInf(i.LT, 1))
}

func keysOf(items []Item) (keys []string) {
	for _, i := range items {
		keys = append(keys, i.Key)
	}
	return keys
}

func set[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = make(map[string]V)
	}
	(*m)[key] = v
}

// difference says where two answers part, or nothing.
func difference(got, want []Item) error {
	for k := range max(len(got), len(want)) {
		if k >= len(got) || k >= len(want) || got[k] != want[k] {
			return fmt.Errorf("answers part at record %d\n got %v\nwant %v", k, got, want)
		}
	}
	return nil
}

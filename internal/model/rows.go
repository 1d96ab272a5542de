package model

import (
	"cmp"
	"slices"
)

// row is a record under its key; among staged rows it may be a tombstone, which has no record.
type row[R any] struct {
	key       string
	record    R
	tombstone bool
}

// rows are in the order of their keys, and no key comes twice. Nobody changes them in place: what changes a table makes
// new rows, so that its clones may share the old ones.
type rows[R any] []row[R]

// with returns these rows and the others. Of rows with one key the last wins.
func (all rows[R]) with(others rows[R]) rows[R] {
	joined := slices.Concat(all, others)
	slices.SortStableFunc(joined, func(a, b row[R]) int { return cmp.Compare(a.key, b.key) })
	last := joined[:0]
	for i, r := range joined {
		if i+1 == len(joined) || joined[i+1].key != r.key {
			last = append(last, r)
		}
	}
	return last
}

// live returns the rows that are no tombstones.
func (all rows[R]) live() rows[R] {
	return slices.DeleteFunc(slices.Clone(all), func(r row[R]) bool { return r.tombstone })
}

// get returns the row with this key.
func (all rows[R]) get(key string) (r row[R], there bool) {
	i, there := slices.BinarySearchFunc(all, key, func(r row[R], key string) int { return cmp.Compare(r.key, key) })
	if there {
		r = all[i]
	}
	return r, there
}

// tombstones returns a tombstone for each of the keys that has a row here.
func (all rows[R]) tombstones(keys []string) (some rows[R]) {
	for _, key := range keys {
		if _, there := all.get(key); there {
			some = append(some, row[R]{key: key, tombstone: true})
		}
	}
	return rows[R](nil).with(some) // a key that came twice has one
}

func (all rows[R]) keys() (keys []string) {
	for _, r := range all {
		keys = append(keys, r.key)
	}
	return keys
}

func (all rows[R]) records() (records []R) {
	for _, r := range all {
		records = append(records, r.record)
	}
	return records
}

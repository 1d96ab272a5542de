package model

import (
	"slices"
	"strings"
)

// row is a record under its key; among staged rows it may be a tombstone, which has no record. Nobody changes it.
type row[R any] struct {
	key       string
	record    R
	tombstone bool
}

// rows are in the order of their keys, and no key comes twice. Nobody changes them in place: what changes a table makes
// new rows, so that its clones may share the old ones.
type rows[R any] []*row[R]

// with returns these rows and others, which may come in any order, in place of those with the same keys. Of two others
// with one key the last wins.
func (all rows[R]) with(others []*row[R]) rows[R] {
	next := append(make(rows[R], 0, len(all)+len(others)), all...)
	for _, r := range others {
		if at, there := next.find(r.key); there {
			next[at] = r
		} else {
			next = slices.Insert(next, at, r)
		}
	}
	return next
}

// live returns the rows that are no tombstones.
func (all rows[R]) live() rows[R] {
	return slices.DeleteFunc(slices.Clone(all), func(r *row[R]) bool { return r.tombstone })
}

// without returns the rows but those with these keys, in their order.
func (all rows[R]) without(keys []string) rows[R] {
	if len(keys) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(r *row[R]) bool { return slices.Contains(keys, r.key) })
}

// find returns the place of a key, and whether a row is there.
func (all rows[R]) find(key string) (at int, there bool) {
	return slices.BinarySearchFunc(all, key, func(r *row[R], key string) int { return strings.Compare(r.key, key) })
}

// tombstonesFor returns a tombstone for each key.
func tombstonesFor[R any](keys []string) (all []*row[R]) {
	for _, key := range keys {
		all = append(all, &row[R]{key: key, tombstone: true})
	}
	return all
}

// tombstones returns a tombstone for each of the keys that has a row here.
func (all rows[R]) tombstones(keys []string) rows[R] {
	var some []*row[R]
	for _, key := range keys {
		if _, there := all.find(key); there {
			some = append(some, &row[R]{key: key, tombstone: true})
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
	if len(all) > 0 {
		records = make([]R, 0, len(all))
	}
	for _, r := range all {
		records = append(records, r.record)
	}
	return records
}

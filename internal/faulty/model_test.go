//go:build unix

package faulty_test

import (
	"encoding/binary"
	"maps"
	"testing"

	"github.com/redis/go-redis/v9"
)

// tombstone is the version of what is discarded.
const tombstone = 0

// model is what a table must hold, and how often it must have been changed: an effect that was had twice is counted twice.
type model struct {
	merged, staged  contents
	active          bool
	changes, merges int
}

func newModel() model { return model{merged: contents{}, staged: contents{}} }

func (m *model) clone() model {
	c := *m
	c.merged, c.staged = maps.Clone(m.merged), maps.Clone(m.staged)
	return c
}

func (m *model) equals(o model) bool {
	return maps.Equal(m.merged, o.merged) && maps.Equal(m.staged, o.staged) && m.active == o.active &&
		m.changes == o.changes && m.merges == o.merges
}

func (m *model) put(all []entry) {
	having(all)(m.merged)
	m.changes++
}

func (m *model) delete(ids ...int64) int {
	had := len(m.merged)
	lacking(ids...)(m.merged)
	if len(m.merged) < had {
		m.changes++
	}
	return had - len(m.merged)
}

func (m *model) stage(all []entry) {
	m.active = true
	having(all)(m.staged)
}

func (m *model) discard(from, to int64) (n int) {
	for id := range m.view() {
		if id >= from && id < to {
			m.active, m.staged[id] = true, tombstone
			n++
		}
	}
	return n
}

// view is what a merge now would show.
func (m *model) view() contents {
	seen := maps.Clone(m.merged)
	maps.Copy(seen, m.staged)
	maps.DeleteFunc(seen, func(_, version int64) bool { return version == tombstone })
	return seen
}

func (m *model) merge() {
	if m.active {
		m.merged, m.staged, m.active = m.view(), contents{}, false
		m.merges++
	}
}

func (m *model) abort() { m.staged, m.active = contents{}, false }

func (m *model) drop() {
	m.merged = contents{}
	m.abort()
	m.changes++
}

// observe reads a table of entries raw, at one moment. What is merged and not folded yet counts as merged.
func observe(t testing.TB, rdb *redis.Client, name string) model {
	t.Helper()
	tx := rdb.TxPipeline()
	truth, rows, tombs := tx.HGetAll(t.Context(), name+":m"), tx.HKeys(t.Context(), name+":r"), tx.HKeys(t.Context(), name+":s")
	index, shadow := tx.ZRangeWithScores(t.Context(), name+":i:version", 0, -1), tx.ZRangeWithScores(t.Context(), name+":x:version", 0, -1)
	_, err := tx.Exec(t.Context())
	ok(t, err)
	m := model{merged: versions(rows.Val(), index.Val()), staged: versions(tombs.Val(), shadow.Val())}
	var counts struct {
		State   string `redis:"state"`
		Changes int    `redis:"rver"`
		Merges  int    `redis:"gen"`
	}
	ok(t, truth.Scan(&counts))
	m.active, m.changes, m.merges = counts.State == "active", counts.Changes, counts.Merges
	if counts.State == "merging" {
		m.merged, m.staged = m.view(), contents{}
	}
	return m
}

// versions returns the version of each key: its score, or none for a tombstone.
func versions(keys []string, scores []redis.Z) contents {
	c := make(contents)
	for _, key := range keys {
		c[id(key)] = tombstone
	}
	for _, z := range scores {
		c[id(z.Member.(string))] = int64(z.Score)
	}
	return c
}

func id(key string) int64 { return int64(binary.BigEndian.Uint64([]byte(key))) }

//go:build unix

package faulty_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/tablecache-go/tablecache/internal/model"
)

// entryModel is the reference model of a table of entries.
type entryModel = model.Table[entry]

func newModel() *entryModel {
	return model.New(model.Schema[entry]{
		Key: func(e *entry) string { return rawKey(e.ID) },
		Score: func(e *entry, index string) float64 {
			if index == "id" {
				return float64(e.ID)
			}
			return float64(e.Version)
		},
		Equal: func(a, b *entry) bool { return *a == *b },
	})
}

// between finds the entries with keys from..to-1.
func between(from, to int64) model.Spec[entry] {
	return model.Spec[entry]{Index: "id", Intervals: []model.Interval{{GE: float64(from), LT: float64(to)}}}
}

// allBy finds all entries, in the order of an index.
func allBy(index string) model.Spec[entry] {
	return model.Spec[entry]{Index: index, Intervals: []model.Interval{model.Everything()}}
}

// rawKey returns a key as Redis has it.
func rawKey(id int64) string { return string(binary.BigEndian.AppendUint64(nil, uint64(id))) }

func rawKeys(ids ...int64) (keys []string) {
	for _, id := range ids {
		keys = append(keys, rawKey(id))
	}
	return keys
}

// observe reads a table of entries raw, at one moment, and returns the model that is like it: also in how many writes and
// merges it has seen, so that an effect that was had twice shows. What is merged and not folded yet counts as folded.
func observe(t testing.TB, rdb *redis.Client, name string) *entryModel {
	t.Helper()
	tx := rdb.TxPipeline()
	truth, rows, staged := tx.HGetAll(t.Context(), name+":m"), tx.HKeys(t.Context(), name+":r"), tx.HKeys(t.Context(), name+":s")
	index, shadow := tx.ZRangeWithScores(t.Context(), name+":i:version", 0, -1), tx.ZRangeWithScores(t.Context(), name+":x:version", 0, -1)
	_, err := tx.Exec(t.Context())
	ok(t, err)
	var counts struct {
		State      string `redis:"state"`
		Version    uint64 `redis:"rver"`
		Generation uint32 `redis:"gen"`
		Notes      uint64 `redis:"notes"`
	}
	ok(t, truth.Scan(&counts))
	m := newModel()
	m.Put(asEntries(rows.Val(), index.Val())...)
	state, whole := strings.CutSuffix(counts.State, "-whole")
	if counts.State = state; whole { // what is staged stands for the whole table
		m.Discard(allBy("id"))
	}
	m.Stage(asEntries(staged.Val(), shadow.Val())...)
	m.DiscardKeys(without(staged.Val(), shadow.Val())...)
	if counts.State == model.StateMerging.String() {
		m.Merge()
		m.Fold()
		counts.State = model.StateClear.String()
	}
	if m.State.String() != counts.State {
		t.Fatalf("redis says %s of a table that is %v", counts.State, m)
	}
	m.Generation, m.Version, m.Notes = counts.Generation, counts.Version, counts.Notes
	if note, there := truth.Val()["note"]; there {
		m.Note = []byte(note)
	}
	return m
}

// asEntries returns an entry for each key and each score. A key without a score has version 0, which nobody writes.
func asEntries(keys []string, scores []redis.Z) (all []entry) {
	for _, key := range keys {
		all = append(all, entry{ID: id(key)})
	}
	for _, z := range scores {
		all = append(all, entry{ID: id(z.Member.(string)), Version: int64(z.Score)})
	}
	return all
}

// without returns the keys that have no score: those of tombstones.
func without(keys []string, scores []redis.Z) (rest []string) {
	scored := make(map[string]bool)
	for _, z := range scores {
		scored[z.Member.(string)] = true
	}
	for _, key := range keys {
		if !scored[key] {
			rest = append(rest, key)
		}
	}
	return rest
}

func id(key string) int64 { return int64(binary.BigEndian.Uint64([]byte(key))) }

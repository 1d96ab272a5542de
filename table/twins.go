package table

import (
	"bytes"
	"hash/maphash"

	"github.com/tablecache-go/tablecache/engine"
)

// twins finds rows that have the same key. It is a hash table of their numbers: a map would copy each key.
type twins struct {
	seed  maphash.Seed
	slots []int32 // 1 + the number of a row; 0: free. A power of two, at least half of them free
}

func newTwins(rows int) *twins {
	size := 1
	for size < 2*rows {
		size *= 2
	}
	return &twins{seed: maphash.MakeSeed(), slots: make([]int32, size)}
}

// before returns the number of the last row before row i that has its key, or -1. Rows are asked for in order.
func (t *twins) before(rows []engine.Row, i int) int {
	last := uint64(len(t.slots) - 1)
	for at := maphash.Bytes(t.seed, rows[i].Key) & last; ; at = (at + 1) & last {
		j := int(t.slots[at]) - 1
		if j >= 0 && !bytes.Equal(rows[j].Key, rows[i].Key) {
			continue
		}
		t.slots[at] = int32(i + 1)
		return j
	}
}

package table

import (
	"bytes"
	"hash/maphash"

	"github.com/tablecache-go/tablecache/engine"
)

// dedup finds rows that have the same key. It is a hash table of the rows' numbers, because a map would copy each key.
type dedup struct {
	seed  maphash.Seed
	slots []int32 // 1 + the number of a row, or 0 if the slot is free. Their number is a power of two, and at least half are free
}

func newDedup(rows int) *dedup {
	size := 1
	for size < 2*rows {
		size *= 2
	}
	return &dedup{seed: maphash.MakeSeed(), slots: make([]int32, size)}
}

// replace notes row i under its key, and returns the number of the row that was noted there before, or -1. Rows come in order.
func (d *dedup) replace(rows []engine.Row, i int) int {
	mask := uint64(len(d.slots) - 1)
	for at := maphash.Bytes(d.seed, rows[i].Key) & mask; ; at = (at + 1) & mask {
		j := int(d.slots[at]) - 1
		if j >= 0 && !bytes.Equal(rows[j].Key, rows[i].Key) {
			continue
		}
		d.slots[at] = int32(i + 1)
		return j
	}
}

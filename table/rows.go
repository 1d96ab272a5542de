package table

import (
	"bytes"
	"unsafe"

	"github.com/redis/go-redis/v9"
)

// Rows that are decoded are memory of their own each, so that what a record keeps of its row keeps no page in memory.

// own copies rows that lie in one answer, if records share their memory. A row that is nil stays so.
func (t *Table[R, K]) own(rows [][]byte) {
	if !t.keeps {
		return
	}
	for i := range rows {
		rows[i] = bytes.Clone(rows[i])
	}
}

// ownRows returns the rows of an answer to hmget, nil for one that is missing, or empty, which none should be. go-redis makes
// a string of each, to which nobody writes.
func ownRows(cmd *redis.StringSliceCmd) ([][]byte, error) {
	texts, err := cmd.Result()
	rows := make([][]byte, len(texts))
	for i, s := range texts {
		if s != "" {
			rows[i] = unsafe.Slice(unsafe.StringData(s), len(s))
		}
	}
	return rows, err
}

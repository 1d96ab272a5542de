package wire

import (
	"unsafe"

	"github.com/redis/go-redis/v9"
)

// OwnRows returns the rows of an answer to HMGET, each memory of its own, so that a record that keeps its row keeps no page.
// A row that is missing, or empty, which none should be, is nil. go-redis makes a string of each, to which nobody writes.
func OwnRows(cmd *redis.StringSliceCmd) ([][]byte, error) {
	texts, err := cmd.Result()
	rows := make([][]byte, len(texts))
	for i, s := range texts {
		if s != "" {
			rows[i] = unsafe.Slice(unsafe.StringData(s), len(s))
		}
	}
	return rows, err
}

package wire

import (
	"unsafe"

	"github.com/redis/go-redis/v9"
)

// OwnRows returns the rows of an answer to HMGET. Each has memory of its own, the string that go-redis has made of it, so that a
// record that shares its row's memory keeps no page in memory. A row is nil if it is missing, or empty, which no sound row is.
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

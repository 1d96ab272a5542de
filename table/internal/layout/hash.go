package layout

import (
	"fmt"
	"hash/fnv"
)

// KeyHash returns the hash by which errors and logs name a primary key.
func KeyHash[T ~[]byte | ~string](key T) string {
	h := fnv.New64a()
	h.Write([]byte(key))
	return fmt.Sprintf("%016x", h.Sum64())
}

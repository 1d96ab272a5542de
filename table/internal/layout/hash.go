package layout

import (
	"fmt"
	"hash/fnv"
)

// KeyHash is how a primary key appears in errors and logs.
func KeyHash[T ~[]byte | ~string](key T) string {
	h := fnv.New64a()
	h.Write([]byte(key))
	return fmt.Sprintf("%016x", h.Sum64())
}

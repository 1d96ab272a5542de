package codec_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/tablecache-go/tablecache/codec"
)

func TestUUID(t *testing.T) {
	t.Parallel()
	conformance[uuid.UUID]{
		codec: codec.UUID,
		name:  "uuid",
		good: []pair[uuid.UUID]{
			{uuid.MustParse("01234567-89ab-cdef-0123-456789abcdef"), unhex("0123456789abcdef0123456789abcdef")},
			{uuid.Nil, unhex("00000000000000000000000000000000")}, {uuid.Max, unhex("ffffffffffffffffffffffffffffffff")}},
		badBytes: []string{"", unhex("0123456789abcdef0123456789abcd"), unhex("0123456789abcdef0123456789abcdef00"), "01234567-89ab-cdef-0123-456789abcdef"},
	}.check(t)
}

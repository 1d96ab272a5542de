package codec_test

import (
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

func TestBool(t *testing.T) {
	t.Parallel()
	conformance[bool]{
		codec:    codec.Bool,
		name:     "bool",
		good:     []pair[bool]{{false, "\x00"}, {true, "\x01"}},
		badBytes: []string{"", "\x02", "\xff", "\x00\x00", "\x01\x00", "1"},
	}.check(t)
}

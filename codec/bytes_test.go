package codec_test

import (
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

func TestBytes(t *testing.T) {
	t.Parallel()
	conformance[[]byte]{
		codec: codec.Bytes,
		name:  "bytes",
		good:  []pair[[]byte]{{[]byte{}, ""}, {[]byte("abc"), "abc"}, {[]byte{0, 0xff}, "\x00\xff"}},
	}.check(t)
}

func TestBytesNilIsEmpty(t *testing.T) {
	t.Parallel()
	if b, err := codec.Bytes.Append(nil, nil); err != nil || len(b) != 0 {
		t.Errorf("nil became %x, %v", b, err)
	}
	if v, err := codec.Bytes.Decode(nil); err != nil || v == nil || len(v) != 0 {
		t.Errorf("no bytes became %#v, %v", v, err)
	}
}

// The value keeps nothing of Append's argument either.
func TestBytesAreCopied(t *testing.T) {
	t.Parallel()
	v := []byte("abc")
	b, err := codec.Bytes.Append(nil, v)
	v[0] = 'x'
	if err != nil || string(b) != "abc" {
		t.Errorf("%q, %v", b, err)
	}
}

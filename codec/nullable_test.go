package codec_test

import (
	"errors"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

func TestNullable(t *testing.T) {
	t.Parallel()
	conformance[*int8]{
		codec:    codec.Nullable(codec.Int8),
		name:     "nullable(int8)",
		good:     []pair[*int8]{{nil, "\x00"}, {new(int8(5)), "\x01\x05"}, {new(int8(-1)), "\x01\xff"}},
		badBytes: []string{"", "\x02", "\x02\x05", "\x00\x00", "\x00\x05", "\x01", "\x01\x05\x00", "\xff"},
	}.check(t)
}

func TestNullableOfNullable(t *testing.T) {
	t.Parallel()
	inner := new("é")
	conformance[**string]{
		codec:     codec.Nullable(codec.Nullable(codec.String)),
		name:      "nullable(nullable(string))",
		good:      []pair[**string]{{nil, "\x00"}, {new((*string)(nil)), "\x01\x00"}, {&inner, "\x01\x01é"}},
		badValues: []**string{new(new("\xff"))},
		badBytes:  []string{"\x01", "\x01\x02", "\x01\x01\xff"},
	}.check(t)
}

func TestNullableOfForeign(t *testing.T) {
	t.Parallel()
	own := errors.New("own")
	c := codec.Nullable[string](foreign{own})
	if b, err := c.Append([]byte("x"), new("v")); !errors.Is(err, own) || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
	if v, err := c.Decode([]byte("\x01v")); !errors.Is(err, own) || v != nil {
		t.Errorf("%v, %v", v, err)
	}
	conformance[*string]{codec: codec.Nullable[string](foreign{}), name: "nullable(codec_test.foreign)",
		good: []pair[*string]{{new("v"), "\x01v"}}}.check(t)
}

func TestNullableOfNil(t *testing.T) {
	t.Parallel()
	mustPanic(t, "Nullable", func() { codec.Nullable[int](nil) })
}

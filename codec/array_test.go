package codec_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

func TestArray(t *testing.T) {
	t.Parallel()
	conformance[[]int8]{
		codec: codec.Array(codec.Int8),
		name:  "array(int8)",
		good:  []pair[[]int8]{{[]int8{}, ""}, {[]int8{1, 2}, unhex("000101 000102")}, {[]int8{-1}, unhex("0001ff")}},
		badBytes: []string{"\x00", "\x00\x01", unhex("000101 00"), unhex("000101 0001"),
			unhex("000101 000202"), unhex("0000"), unhex("00020102"), unhex("ffff01")},
	}.check(t)
}

func TestArrayOfStrings(t *testing.T) {
	t.Parallel()
	most := strings.Repeat("x", 65535)
	conformance[[]string]{
		codec:     codec.Array(codec.String),
		name:      "array(string)",
		good:      []pair[[]string]{{[]string{"", "é", ""}, unhex("0000 0002c3a9 0000")}},
		alsoGood:  []pair[[]string]{{[]string{most, "y"}, "\xff\xff" + most + "\x00\x01y"}},
		badValues: [][]string{{most + "x"}, {"fine", most + "x"}, {"\xff"}, {"fine", "\xff"}},
		badBytes:  []string{"\x00\x01\xff", "\x00\x01a\x00\x01\xff", "\x00\x02a"},
	}.check(t)
	if b, err := codec.Array(codec.String).Append(nil, []string{most}); err != nil || string(b) != "\xff\xff"+most {
		t.Errorf("an element of 65,535 bytes became %d bytes, %v", len(b), err)
	}
}

func TestArrayOfArrays(t *testing.T) {
	t.Parallel()
	conformance[[][]*bool]{
		codec:    codec.Array(codec.Array(codec.Nullable(codec.Bool))),
		name:     "array(array(nullable(bool)))",
		good:     []pair[[][]*bool]{{[][]*bool{{}, {nil, new(true)}}, unhex("0000 0007 000100 00020101")}},
		badBytes: []string{unhex("0003 000102"), unhex("0001 00")},
	}.check(t)
}

func TestArrayNilIsEmpty(t *testing.T) {
	t.Parallel()
	c := codec.Array(codec.Int8)
	if b, err := c.Append(nil, nil); err != nil || len(b) != 0 {
		t.Errorf("nil became %x, %v", b, err)
	}
	if v, err := c.Decode(nil); err != nil || v == nil || len(v) != 0 {
		t.Errorf("no bytes became %#v, %v", v, err)
	}
}

func TestArrayOfForeign(t *testing.T) {
	t.Parallel()
	own := errors.New("own")
	c := codec.Array[string](foreign{own})
	if b, err := c.Append([]byte("x"), []string{"v"}); !errors.Is(err, own) || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
	if v, err := c.Decode([]byte("\x00\x01v")); !errors.Is(err, own) || v != nil {
		t.Errorf("%v, %v", v, err)
	}
}

func TestArrayOfNil(t *testing.T) {
	t.Parallel()
	mustPanic(t, "Array", func() { codec.Array[int](nil) })
}

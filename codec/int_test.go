package codec_test

import (
	"math"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

func TestIntegers(t *testing.T) {
	t.Parallel()
	conformance[int8]{codec: codec.Int8, name: "int8", badBytes: []string{"", "\x00\x00"}, good: []pair[int8]{
		{0, "\x00"}, {5, "\x05"}, {-1, "\xff"}, {math.MinInt8, "\x80"}, {math.MaxInt8, "\x7f"}}}.check(t)
	conformance[int16]{codec: codec.Int16, name: "int16", badBytes: []string{"", "\x00", "\x00\x00\x00"}, good: []pair[int16]{
		{-2, unhex("fffe")}, {513, unhex("0201")}, {math.MinInt16, unhex("8000")}, {math.MaxInt16, unhex("7fff")}}}.check(t)
	conformance[int32]{codec: codec.Int32, name: "int32", badBytes: []string{"", "\x00\x00\x00", "\x00\x00\x00\x00\x00"}, good: []pair[int32]{
		{-2, unhex("fffffffe")}, {0x01020304, unhex("01020304")}, {math.MinInt32, unhex("80000000")}, {math.MaxInt32, unhex("7fffffff")}}}.check(t)
	conformance[int64]{codec: codec.Int64, name: "int64", badBytes: []string{"", "\x00\x00\x00\x00", unhex("000000000000000000")}, good: []pair[int64]{
		{-2, unhex("fffffffffffffffe")}, {0x0102030405060708, unhex("0102030405060708")},
		{math.MinInt64, unhex("8000000000000000")}, {math.MaxInt64, unhex("7fffffffffffffff")}}}.check(t)
}

func TestUnsignedIntegers(t *testing.T) {
	t.Parallel()
	conformance[uint8]{codec: codec.Uint8, name: "uint8", badBytes: []string{"", "\x00\x00"}, good: []pair[uint8]{
		{0, "\x00"}, {5, "\x05"}, {math.MaxUint8, "\xff"}}}.check(t)
	conformance[uint16]{codec: codec.Uint16, name: "uint16", badBytes: []string{"", "\x00", "\x00\x00\x00"}, good: []pair[uint16]{
		{513, unhex("0201")}, {math.MaxUint16, unhex("ffff")}}}.check(t)
	conformance[uint32]{codec: codec.Uint32, name: "uint32", badBytes: []string{"", "\x00\x00", "\x00\x00\x00\x00\x00"}, good: []pair[uint32]{
		{0x01020304, unhex("01020304")}, {math.MaxUint32, unhex("ffffffff")}}}.check(t)
	conformance[uint64]{codec: codec.Uint64, name: "uint64", badBytes: []string{"", "\x00\x00\x00\x00", unhex("000000000000000000")}, good: []pair[uint64]{
		{0x0102030405060708, unhex("0102030405060708")}, {math.MaxUint64, unhex("ffffffffffffffff")}}}.check(t)
}

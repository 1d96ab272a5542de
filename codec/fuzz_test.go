package codec_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

// erased is a codec without its type, and what may be asked of all alike.
type erased struct {
	name      string
	perByte   int  // how many bytes Decode may allocate for one of input
	canonical bool // no two inputs decode to one value
	settle    func(src []byte) error
	decode    func(src []byte) error
	again     func(src []byte) ([]byte, error) // decode and encode
}

func erase[T any](c codec.Codec[T], perByte int, canonical bool) erased {
	return erased{
		name:      c.(fmt.Stringer).String(),
		perByte:   perByte,
		canonical: canonical,
		settle:    func(src []byte) error { return settle(c, src) },
		decode:    func(src []byte) error { _, err := c.Decode(src); return err },
		again: func(src []byte) ([]byte, error) {
			v, err := c.Decode(src)
			if err != nil {
				return nil, err
			}
			return c.Append(nil, v)
		},
	}
}

// all are our codecs, and some that are made of them. An element of an array has at least two bytes; a string takes 16, a
// pointer 8 and what it points to, an empty slice 24.
var all = []erased{
	erase(codec.Bool, 2, true), erase(codec.String, 2, true), erase(codec.Bytes, 2, true),
	erase(codec.Int8, 2, true), erase(codec.Int16, 2, true), erase(codec.Int32, 2, true), erase(codec.Int64, 2, true),
	erase(codec.Uint8, 2, true), erase(codec.Uint16, 2, true), erase(codec.Uint32, 2, true), erase(codec.Uint64, 2, true),
	erase(codec.Float32, 2, true), erase(codec.Float64, 2, true),
	erase(codec.IntAsString, 2, true), erase(codec.BigIntAsString, 2, true), erase(codec.FloatAsString, 2, false),
	erase(codec.UUID, 2, true), erase(codec.UTCDatetime, 2, false), erase(codec.Time, 2, true),
	erase(codec.Nullable(codec.Int8), 2, true), erase(codec.Nullable(codec.String), 2, true),
	erase(codec.Nullable(codec.Nullable(codec.Bytes)), 2, true),
	erase(codec.Array(codec.Int8), 2, true), erase(codec.Array(codec.String), 2+16/2, true),
	erase(codec.Array(codec.Nullable(codec.Int64)), 2+8, true), erase(codec.Array(codec.Array(codec.String)), 2+24/2+16/2, true),
	erase(codec.Array(codec.FloatAsString), 2+8/2, false),
	erase(columnsCodec(), 2, true), erase(codec.Array(columnsCodec()), 2+64, true),
	erase(codec.JSON[document](), 64, false), erase(codec.Text[netip.Addr](), 2, false),
}

// slack is what Decode may allocate whatever the input: an error, a pointer, a rounded size.
const slack = 4 << 10

var seeds = []string{
	"", "\x00", "\x01", "\x02", "\x01\x05", "\xc3\xa9", "\xff", "0", "-17", "-0", " 1_000 ", "9223372036854775808", "1.0", "1e+16", "1e-05", "inf", "nan",
	"0x1p4", "\x00\x01\x01\x00\x01\x02", "\x00\x00\x00\x00", "\xff\xff", "\x01a\x02\x00\x00", "\x80\x00", "127.0.0.1", `{"Name":"a","Tags":["b"]}`, "{} {}",
	"\x41\xcd\x27\xe9\xc2\x00\x00\x00", "\x7f\xf8\x00\x00\x00\x00\x00\x01", "\xff\xf0\x00\x00\x00\x00\x00\x00", "0123456789abcdef",
	"\x42\x4d\x7f\xfa\x20\xbf\x80\x00", "\x00\x07\x00\x01\x00\x00\x02\x01\x01", "\x00\x06\x01a\x02\x00\x00",
}

// FuzzDecode gives any bytes to all codecs: none panics, none allocates more than it may, and what one accepts stays what it is.
func FuzzDecode(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, c := range all {
			c.check(t, src)
		}
		checkAllocated(t, all, src)
	})
}

func (c erased) check(t *testing.T, src []byte) {
	t.Helper()
	before := bytes.Clone(src)
	if err := c.settle(src); err != nil {
		if !errors.Is(err, codec.ErrData) {
			t.Errorf("%s: %v", c.name, err)
		}
	} else if got, err := c.again(src); c.canonical && (err != nil || !bytes.Equal(got, src)) {
		t.Errorf("%s: %x is another form of %x, %v", c.name, src, got, err)
	}
	if !bytes.Equal(before, src) {
		t.Errorf("%s: the input was changed", c.name)
	}
}

// checkAllocated compares what all decoders together allocate with what they may. Others allocate meanwhile: too much is measured
// again before it counts.
func checkAllocated(t *testing.T, codecs []erased, src []byte) {
	t.Helper()
	var limit uint64
	for _, c := range codecs {
		limit += uint64(c.perByte*len(src) + slack)
	}
	var got uint64
	for range 5 {
		if got = allocated(codecs, src); got <= limit {
			return
		}
	}
	t.Errorf("%s and %d others allocate %d bytes for %d, more than %d", codecs[0].name, len(codecs)-1, got, len(src), limit)
}

func allocated(codecs []erased, src []byte) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, c := range codecs {
		_ = c.decode(src) // an error allocates too
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

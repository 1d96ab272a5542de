package codec_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/tablecache-go/tablecache/codec"
)

// conformance is what every codec must pass.
type conformance[T any] struct {
	codec     codec.Codec[T]
	name      string
	good      []pair[T] // encode to these bytes, and decode from them
	alsoGood  []pair[T] // decode only: no encoder of ours writes these bytes
	badValues []T
	badBytes  []string          // raw
	same      func(a, b T) bool // nil: reflect.DeepEqual
}

type pair[T any] struct {
	value T
	bytes string // raw
}

// unhex makes golden bytes readable.
func unhex(s string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return string(b)
}

func (c conformance[T]) check(t *testing.T) {
	t.Helper()
	if c.same == nil {
		c.same = func(a, b T) bool { return reflect.DeepEqual(a, b) }
	}
	c.checkName(t)
	for _, p := range c.good {
		c.checkAppend(t, p)
		c.checkDecode(t, p)
		c.checkNeighbours(t, p.bytes)
	}
	for _, p := range c.alsoGood {
		c.checkDecode(t, p)
	}
	for _, v := range c.badValues {
		c.checkRefusedValue(t, v)
	}
	for _, b := range c.badBytes {
		c.checkRefusedBytes(t, b)
	}
}

func (c conformance[T]) checkName(t *testing.T) {
	t.Helper()
	s, ok := c.codec.(fmt.Stringer)
	if !ok || s.String() != c.name {
		t.Errorf("%v is not named %q", c.codec, c.name)
	}
}

// prefixed returns a slice with something in it, and marked room for more.
func prefixed() []byte {
	b := append(make([]byte, 0, 64), "prefix"...)
	for i := range b[len(b):cap(b)] {
		b[len(b):cap(b)][i] = 0xaa
	}
	return b
}

func (c conformance[T]) checkAppend(t *testing.T, p pair[T]) {
	t.Helper()
	for _, dst := range [][]byte{nil, {}, slices.Clip(prefixed()), prefixed()} {
		before := string(dst)
		got, err := c.codec.Append(dst, p.value)
		if err != nil || string(got) != before+p.bytes {
			t.Errorf("Append(%q, %v) = %x, %v, want %x behind it", before, p.value, got, err, p.bytes)
		}
		if string(dst) != before {
			t.Errorf("Append(%q, %v) changed dst: %q", before, p.value, dst)
		}
	}
}

func (c conformance[T]) checkDecode(t *testing.T, p pair[T]) {
	t.Helper()
	src := []byte(p.bytes)
	got, err := c.codec.Decode(src)
	if err != nil || !c.same(got, p.value) {
		t.Errorf("Decode(%x) = %v, %v, want %v", p.bytes, got, err, p.value)
		return
	}
	if string(src) != p.bytes {
		t.Errorf("Decode(%x) changed its input", p.bytes)
	}
	c.checkKept(t, p)
	for i := range src {
		src[i] ^= 0xff
	}
	if !c.same(got, p.value) {
		t.Errorf("Decode(%x) kept its input: %v after a change", p.bytes, got)
	}
}

// checkKept checks that a Keeper decodes the same from memory that it may share.
func (c conformance[T]) checkKept(t *testing.T, p pair[T]) {
	t.Helper()
	k, ok := c.codec.(codec.Keeper[T])
	if !ok {
		return
	}
	src := []byte(p.bytes)
	if got, err := k.DecodeKept(src); err != nil || !c.same(got, p.value) || string(src) != p.bytes {
		t.Errorf("DecodeKept(%x) = %v, %v, want %v and the input as it was", p.bytes, got, err, p.value)
	}
}

// checkNeighbours cuts off and adds bytes: that is refused, or is the encoding of something else.
func (c conformance[T]) checkNeighbours(t *testing.T, good string) {
	t.Helper()
	for i := range good {
		c.checkSettled(t, good[:i])
	}
	for _, more := range []string{"\x00", "\x01", "\xff", "0", "."} {
		c.checkSettled(t, good+more)
	}
}

// checkSettled checks that bytes are refused, or become a value whose own encoding stays what it is.
func (c conformance[T]) checkSettled(t *testing.T, src string) {
	t.Helper()
	if err := settle(c.codec, []byte(src)); err != nil && !errors.Is(err, codec.ErrData) {
		t.Errorf("%v", err)
	}
}

// settle returns what Decode says, or what is wrong with what it accepted.
func settle[T any](c codec.Codec[T], src []byte) error {
	v, err := c.Decode(src)
	if err != nil {
		return err
	}
	first, err := c.Append(nil, v)
	if err != nil {
		return fmt.Errorf("%v from %x is not encoded: %v", v, src, err)
	}
	w, err := c.Decode(first)
	if err != nil {
		return fmt.Errorf("%v from %x is not decoded again: %v", v, src, err)
	}
	if second, err := c.Append(nil, w); err != nil || !bytes.Equal(first, second) {
		return fmt.Errorf("%x became %x, then %x, %v", src, first, second, err)
	}
	return nil
}

func (c conformance[T]) checkRefusedValue(t *testing.T, v T) {
	t.Helper()
	for _, dst := range [][]byte{slices.Clip(prefixed()), prefixed()} {
		got, err := c.codec.Append(dst, v)
		if !errors.Is(err, codec.ErrValue) || errors.Is(err, codec.ErrData) {
			t.Errorf("Append(%v) says %v, want ErrValue", v, err)
		}
		if string(got) != "prefix" || unsafe.SliceData(got) != unsafe.SliceData(dst) || cap(got) != cap(dst) {
			t.Errorf("Append(%v) = %q, not what it was given", v, got)
		}
	}
}

func (c conformance[T]) checkRefusedBytes(t *testing.T, src string) {
	t.Helper()
	got, err := c.codec.Decode([]byte(src))
	if !errors.Is(err, codec.ErrData) || errors.Is(err, codec.ErrValue) {
		t.Errorf("Decode(%x) = %v, %v, want ErrData", src, got, err)
	}
	if !reflect.ValueOf(&got).Elem().IsZero() {
		t.Errorf("Decode(%x) = %v beside its error", src, got)
	}
	if k, ok := c.codec.(codec.Keeper[T]); ok {
		if _, err := k.DecodeKept([]byte(src)); !errors.Is(err, codec.ErrData) {
			t.Errorf("DecodeKept(%x) says %v, want ErrData", src, err)
		}
	}
}

// foreign is a codec that is not ours: no name, and errors of its own.
type foreign struct{ err error }

func (c foreign) Append(dst []byte, v string) ([]byte, error) {
	if c.err != nil {
		return append(dst, "half of it"...), c.err
	}
	return append(dst, v...), nil
}

func (c foreign) Decode(src []byte) (string, error) { return string(src), c.err }

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if p := recover(); p == nil || !strings.HasPrefix(fmt.Sprint(p), "codec: ") {
			t.Errorf("%s: panic is %v", what, p)
		}
	}()
	f()
}

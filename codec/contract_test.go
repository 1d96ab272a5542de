package codec_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/tablecache-go/tablecache/codec"
)

// broken is a codec of strings whose Append does something else than it must.
type broken func(dst []byte, v string) ([]byte, error)

func (c broken) Append(dst []byte, v string) ([]byte, error) { return c(dst, v) }
func (broken) Decode(src []byte) (string, error)             { return string(src), nil }

var errBroken = errors.New("broken")

// scribbled returns dst after something was written to it.
func scribbled(dst []byte) []byte {
	for i := range dst {
		dst[i] ^= 0x55
	}
	return dst
}

var brokenCodecs = map[string]broken{
	"its own bytes":                func(_ []byte, v string) ([]byte, error) { return []byte(v), nil },
	"its own bytes, many":          func(_ []byte, v string) ([]byte, error) { return slices.Repeat([]byte(v), 100), nil },
	"zeros":                        func([]byte, string) ([]byte, error) { return make([]byte, 1000), nil },
	"nothing":                      func([]byte, string) ([]byte, error) { return nil, nil },
	"in place of dst":              func(dst []byte, v string) ([]byte, error) { return append(dst[:0], v...), nil },
	"a byte less":                  func(dst []byte, v string) ([]byte, error) { return dst[:max(len(dst)-1, 0)], nil },
	"in place of the last byte":    func(dst []byte, v string) ([]byte, error) { return append(dst[:max(len(dst)-1, 0)], v...), nil },
	"dst scribbled on":             func(dst []byte, v string) ([]byte, error) { return append(scribbled(dst), v...), nil },
	"a copy of dst, scribbled on":  func(dst []byte, v string) ([]byte, error) { return append(scribbled(slices.Clone(dst)), v...), nil },
	"its bytes in front of dst":    func(dst []byte, v string) ([]byte, error) { return append([]byte(v), dst...), nil },
	"dst without its first byte":   func(dst []byte, v string) ([]byte, error) { return append(dst[min(len(dst), 1):], v...), nil },
	"an error, with nil":           func([]byte, string) ([]byte, error) { return nil, errBroken },
	"an error, with other bytes":   func([]byte, string) ([]byte, error) { return []byte("other"), errBroken },
	"an error, after it scribbled": func(dst []byte, v string) ([]byte, error) { return append(scribbled(dst), v...), errBroken },
}

// P12: a codec that breaks its contract is refused wherever it is called, with dst as it was.
func TestP12_ACodecThatBreaksItsContractIsRefused(t *testing.T) {
	t.Parallel()
	type two struct{ A, B string }
	for what, c := range brokenCodecs {
		parts := codec.Struct(codec.PartOf(codec.String, func(v *two) *string { return &v.A }),
			codec.PartOf(codec.Codec[string](c), func(v *two) *string { return &v.B }))
		v := "a value"
		refused(t, what+" alone", codec.Appender[string](c), v)
		refused(t, what+" in Nullable", codec.Appender(codec.Nullable[string](c)), &v)
		refused(t, what+" in Array", codec.Appender(codec.Array[string](c)), []string{v, v})
		refused(t, what+" in Struct", codec.Appender(parts), two{v, v})
		refused(t, what+" in Array in Nullable", codec.Appender(codec.Nullable(codec.Array[string](c))), &[]string{v})
	}
}

func refused[T any](t *testing.T, what string, appendTo func([]byte, T) ([]byte, error), v T) {
	t.Helper()
	for _, dst := range [][]byte{nil, {}, slices.Clip(prefixed()), prefixed(), make([]byte, 20), make([]byte, 20, 5000)} {
		before := string(dst)
		got, err := appendTo(dst, v)
		if !errors.Is(err, errBroken) && (!errors.Is(err, codec.ErrContract) || !errors.Is(err, codec.ErrValue)) {
			t.Errorf("%s: got %v, want ErrContract or its own error", what, err)
		}
		if string(got) != before || string(dst) != before || cap(got) != cap(dst) {
			t.Errorf("%s: got %q behind %q, which is %q now", what, got, before, dst)
		}
	}
}

// P12: a codec that keeps its contract passes, whatever it does with memory.
func TestP12_ACodecThatKeepsItsContractPasses(t *testing.T) {
	t.Parallel()
	sound := map[string]broken{
		"in place": func(dst []byte, v string) ([]byte, error) { return append(dst, v...), nil },
		"moved":    func(dst []byte, v string) ([]byte, error) { return append(slices.Clone(dst), v...), nil },
		"clipped":  func(dst []byte, v string) ([]byte, error) { return slices.Clip(append(slices.Clip(dst), v...)), nil },
		"large":    func(dst []byte, v string) ([]byte, error) { return append(slices.Grow(dst, 1<<16), v...), nil },
	}
	for what, c := range sound {
		for _, dst := range [][]byte{nil, slices.Clip(prefixed()), prefixed()} {
			for _, v := range []string{"", "x", "more than there is room for behind the prefix, more than there is room for behind the prefix"} {
				got, err := codec.Appender[string](c)(slices.Clone(dst), v)
				if err != nil || string(got) != string(dst)+v {
					t.Errorf("%s: got %q, %v, want %q", what, got, err, string(dst)+v)
				}
			}
		}
	}
}

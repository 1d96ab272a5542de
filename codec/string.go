package codec

import (
	"fmt"
	"unicode/utf8"
	"unsafe"
)

// String encodes a string as its UTF-8 bytes. Both directions refuse what is not valid UTF-8; use Bytes for that.
// String is a Keeper.
var String Codec[string] = text{}

type text struct{}

func (text) String() string { return "string" }

func (text) Append(dst []byte, v string) ([]byte, error) {
	if !utf8.ValidString(v) {
		return dst, fmt.Errorf("%w: string of %d bytes is not valid UTF-8", ErrValue, len(v))
	}
	return append(dst, v...), nil
}

func (text) Decode(src []byte) (string, error) {
	if err := validText(src); err != nil {
		return "", err
	}
	return string(src), nil
}

func (text) DecodeKept(src []byte) (string, error) {
	if err := validText(src); err != nil {
		return "", err
	}
	return unsafe.String(unsafe.SliceData(src), len(src)), nil
}

func validText(src []byte) error {
	if !utf8.Valid(src) {
		return fmt.Errorf("%w: string of %d bytes is not valid UTF-8", ErrData, len(src))
	}
	return nil
}

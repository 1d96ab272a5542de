package codec

import (
	"fmt"
	"unicode/utf8"
)

// String encodes a string as its UTF-8 bytes. Both directions refuse what is not valid UTF-8; use Bytes for that.
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
	if !utf8.Valid(src) {
		return "", fmt.Errorf("%w: string of %d bytes is not valid UTF-8", ErrData, len(src))
	}
	return string(src), nil
}

package codec

import (
	"bytes"
	"fmt"
	"strconv"
)

// IntAsString encodes an integer as decimal text, such as -17. Encoding never fails. Decode refuses a number that does not fit an
// int64, and any other way to write one: a plus sign, leading zeros, -0, spaces, underscores.
var IntAsString Codec[int64] = intAsString{}

type intAsString struct{}

func (intAsString) String() string { return "int-as-string" }

func (intAsString) Append(dst []byte, v int64) ([]byte, error) {
	return strconv.AppendInt(dst, v, 10), nil
}

func (intAsString) Decode(src []byte) (int64, error) {
	if len(src) > len("-9223372036854775808") || !isInteger(src) {
		return 0, notText(src, "integer")
	}
	v, err := strconv.ParseInt(string(src), 10, 64)
	if err != nil { // the error is not wrapped, because it quotes the input
		return 0, notText(src, "integer of 64 bits")
	}
	return v, nil
}

// isInteger tells whether text is an integer in the one way that encoders write it.
func isInteger(text []byte) bool {
	digits := bytes.TrimPrefix(text, []byte("-"))
	if len(digits) == 0 || digits[0] == '0' && len(text) > 1 {
		return false
	}
	for _, d := range digits {
		if d < '0' || d > '9' {
			return false
		}
	}
	return true
}

func notText(text []byte, what string) error {
	return fmt.Errorf("%w: %d bytes of text are no %s", ErrData, len(text), what)
}

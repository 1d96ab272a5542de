package codec

import "fmt"

// Bool encodes false as 00 and true as 01. Decode refuses anything else.
var Bool Codec[bool] = boolean{}

type boolean struct{}

func (boolean) String() string { return "bool" }

func (boolean) Append(dst []byte, v bool) ([]byte, error) {
	if v {
		return append(dst, 1), nil
	}
	return append(dst, 0), nil
}

func (boolean) Decode(src []byte) (bool, error) {
	if len(src) != 1 {
		return false, wrongLength(len(src), 1)
	}
	if src[0] > 1 {
		return false, fmt.Errorf("%w: unknown bool", ErrData)
	}
	return src[0] == 1, nil
}

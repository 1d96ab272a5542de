package codec

import (
	"fmt"
	"math/big"
	"math/bits"
)

// maxBigDigits is the number of digits up to which Python converts between integers and text by default: the work grows with its
// square.
const maxBigDigits = 4300

// BigIntAsString encodes an integer of up to 4,300 digits as decimal text, as IntAsString does. Both directions refuse a longer one,
// as Python does, and Append refuses nil: see Nullable.
var BigIntAsString Codec[*big.Int] = bigIntAsString{}

type bigIntAsString struct{}

func (bigIntAsString) String() string { return "bigint-as-string" }

func (bigIntAsString) Append(dst []byte, v *big.Int) ([]byte, error) {
	if v == nil {
		return dst, fmt.Errorf("%w: nil integer", ErrValue)
	}
	if v.BitLen() > 4*maxBigDigits { // too long for certain: do not write it first
		return dst, tooManyDigits(ErrValue)
	}
	out := v.Append(dst, 10)
	if tooLong(out[len(dst):]) {
		return dst, tooManyDigits(ErrValue)
	}
	return out, nil
}

func (bigIntAsString) Decode(src []byte) (*big.Int, error) {
	if tooLong(src) {
		return nil, tooManyDigits(ErrData)
	}
	if !isInteger(src) {
		return nil, notText(src, "integer")
	}
	room := make([]big.Word, 0, len(src)*10/3/bits.UintSize+1) // a digit takes less than 10/3 bits; without this room the words would grow one by one
	v, ok := new(big.Int).SetBits(room).SetString(string(src), 10)
	if !ok {
		return nil, notText(src, "integer")
	}
	return v, nil
}

func tooLong(text []byte) bool {
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	return len(text) > maxBigDigits
}

func tooManyDigits(kind error) error {
	return fmt.Errorf("%w: integer of more than %d digits", kind, maxBigDigits)
}

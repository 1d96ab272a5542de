package codec

import (
	"errors"
	"fmt"
)

var (
	// ErrValue: this value cannot be encoded. It comes from Append.
	ErrValue = errors.New("codec: value cannot be encoded")
	// ErrData: these bytes cannot be decoded. It comes from Decode.
	ErrData = errors.New("codec: bytes cannot be decoded")
	// ErrContract: a codec has returned something else than what it was to append to with an encoding behind it. It is an ErrValue.
	ErrContract = fmt.Errorf("%w: its codec breaks the contract of Append", ErrValue)
)

func wrongLength(got, want int) error {
	return fmt.Errorf("%w: %d bytes where %d belong", ErrData, got, want)
}

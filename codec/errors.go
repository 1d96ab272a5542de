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
	// ErrContract: the Append of a codec did not return the given bytes with an encoding behind them. The error Is ErrValue, too.
	ErrContract = fmt.Errorf("%w: its codec breaks the contract of Append", ErrValue)
)

func wrongLength(got, want int) error {
	return fmt.Errorf("%w: %d bytes where %d belong", ErrData, got, want)
}

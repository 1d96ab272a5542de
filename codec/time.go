package codec

import (
	"fmt"
	"math"
	"time"
)

// Time encodes a moment as the nanoseconds since 1970 in an Int64: exact, from 1677 to 2262. Append takes any zone and refuses a time out
// of that range; the zone is not kept, and Decode returns UTC. For keys use times in UTC alone: Go's == tells zones apart, the bytes do not.
var Time Codec[time.Time] = moment{}

type moment struct{}

var (
	firstMoment = time.Unix(0, math.MinInt64)
	lastMoment  = time.Unix(0, math.MaxInt64)
)

func (moment) String() string { return "time" }

func (moment) Append(dst []byte, v time.Time) ([]byte, error) {
	if v.Before(firstMoment) || v.After(lastMoment) {
		return dst, fmt.Errorf("%w: the time is not within 64 bits of nanoseconds", ErrValue)
	}
	return Int64.Append(dst, v.UnixNano())
}

func (moment) Decode(src []byte) (time.Time, error) {
	nanos, err := Int64.Decode(src)
	if err != nil {
		return time.Time{}, err
	}
	return time.Unix(0, nanos).UTC(), nil
}

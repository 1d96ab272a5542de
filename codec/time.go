package codec

import (
	"fmt"
	"math"
	"time"
)

// Time encodes a time as the nanoseconds since 1970 in an Int64, exactly, from 1677 to 2262. Append accepts any zone, and refuses a time
// outside that range. The zone is not stored: Decode returns UTC. Use only times in UTC as keys, because Go's == compares zones too, and
// the bytes have none.
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

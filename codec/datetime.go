package codec

import (
	"fmt"
	"math"
	"time"
)

// UTCDatetime encodes a time as the seconds since 1970 in a Float64. It is as exact as Python's datetime: it cuts off what is below a
// microsecond. A float64 holds single microseconds from 1698 to 2242 only: a time further away may be decoded some microseconds off
// (16 at most, in the year 9999). Use Time if that is too coarse.
//
// Append refuses a time whose Location is not time.UTC, whatever its name, and a year outside 1 to 9999. Decode refuses
// those years, NaN and infinities, and rounds to the microsecond, half to even; its result is in UTC.
var UTCDatetime Codec[time.Time] = utcDatetime{}

type utcDatetime struct{}

func (utcDatetime) String() string { return "utc-datetime" }

func (utcDatetime) Append(dst []byte, v time.Time) ([]byte, error) {
	if v.Location() != time.UTC {
		return dst, fmt.Errorf("%w: the time is not in UTC", ErrValue)
	}
	if !isPythonYear(v) {
		return dst, fmt.Errorf("%w: the year is not in 1 to 9999", ErrValue)
	}
	return Float64.Append(dst, epochSeconds(v))
}

func (utcDatetime) Decode(src []byte) (time.Time, error) {
	seconds, err := Float64.Decode(src)
	if err != nil {
		return time.Time{}, err
	}
	if !(math.Abs(seconds) < 1e12) { // false for NaN too; below 1e12 time.Unix is safe
		return time.Time{}, fmt.Errorf("%w: the time is out of range", ErrData)
	}
	whole, part := math.Modf(seconds)
	v := time.Unix(int64(whole), int64(math.RoundToEven(part*1e6))*1000).UTC()
	if !isPythonYear(v) {
		return time.Time{}, fmt.Errorf("%w: the year is not in 1 to 9999", ErrData)
	}
	return v, nil
}

func isPythonYear(v time.Time) bool { return v.Year() >= 1 && v.Year() <= 9999 }

// epochSeconds rounds once, as Python does. If a float64 holds all microseconds it divides those. Else it adds the fraction to the
// seconds: the fraction is then so small beside them that its own rounding does not matter.
func epochSeconds(v time.Time) float64 {
	const exact = 1 << 53
	seconds, micros := v.Unix(), int64(v.Nanosecond()/1000)
	if all := seconds*1e6 + micros; -exact <= all && all <= exact {
		return float64(all) / 1e6
	}
	return float64(seconds) + float64(micros)/1e6
}

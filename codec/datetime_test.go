package codec_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/codec"
)

func utc(year int, month time.Month, day, hour, minute, second, micros int) time.Time {
	return time.Date(year, month, day, hour, minute, second, micros*1000, time.UTC)
}

// seconds is what a datetime of that many seconds is stored as.
func seconds(v float64) string {
	b, err := codec.Float64.Append(nil, v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestUTCDatetime(t *testing.T) {
	t.Parallel()
	conformance[time.Time]{
		codec: codec.UTCDatetime,
		name:  "utc-datetime",
		good: []pair[time.Time]{ // the bytes are struct.pack('>d', datetime.timestamp()) of Python 3
			{utc(2001, 1, 1, 0, 47, 0, 0), unhex("41cd27e9c2000000")},
			{utc(1970, 1, 1, 0, 0, 0, 0), unhex("0000000000000000")},
			{utc(1970, 1, 1, 0, 0, 0, 1), unhex("3eb0c6f7a0b5ed8d")},
			{utc(1969, 12, 31, 23, 59, 59, 999999), unhex("beb0c6f7a0b5ed8d")},
			{utc(1, 1, 1, 0, 0, 0, 0), unhex("c22cef23ee000000")},
			{time.Time{}, unhex("c22cef23ee000000")},
			{utc(9999, 12, 31, 23, 59, 59, 0), unhex("424d7ffa20bf8000")},
			{utc(2242, 3, 16, 12, 56, 31, 999999), unhex("41ffffffffffffff")},
			{utc(1697, 10, 17, 11, 3, 28, 1), unhex("c1ffffffffffffff")}},
		alsoGood: []pair[time.Time]{ // rounded to the microsecond, half to even; no encoder writes these
			{utc(1970, 1, 1, 0, 0, 0, 0), seconds(math.Copysign(0, -1))},
			{utc(1970, 1, 1, 0, 0, 0, 0), seconds(0.4e-6)},
			{utc(1970, 1, 1, 0, 0, 0, 1), seconds(0.6e-6)},
			{utc(1970, 1, 1, 0, 0, 2, 7812), seconds(2.0078125)},  // 7812.5
			{utc(1970, 1, 1, 0, 0, 2, 23438), seconds(2.0234375)}, // 23437.5
			{utc(1969, 12, 31, 23, 59, 57, 992188), seconds(-2.0078125)},
			{utc(1970, 1, 1, 0, 0, 1, 0), seconds(0.9999999)}},
		badValues: []time.Time{time.Unix(0, 0), // local, and so refused even where that is UTC
			utc(2001, 1, 1, 0, 0, 0, 0).In(time.FixedZone("CET", 3600)), utc(2001, 1, 1, 0, 0, 0, 0).In(time.FixedZone("UTC", 0)),
			utc(0, 12, 31, 23, 59, 59, 999999), utc(10000, 1, 1, 0, 0, 0, 0), utc(-5, 1, 1, 0, 0, 0, 0), utc(292277026596, 1, 1, 0, 0, 0, 0)},
		badBytes: []string{"", unhex("41cd27e9"), unhex("41cd27e9c200000000"), seconds(math.NaN()), seconds(math.Inf(1)), seconds(math.Inf(-1)),
			seconds(math.MaxFloat64), seconds(-math.MaxFloat64), seconds(1e12), seconds(-62135596801), seconds(253402300800), seconds(-62135596800.5),
			seconds(math.Nextafter(-62135596800, -1e12))},
	}.check(t)
}

func TestUTCDatetimeKeepsMicroseconds(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		v := time.UnixMicro(rng.Int64N(2<<33*1e6) - 1<<33*1e6).UTC() // 1697 to 2242
		if w := throughDatetime(t, v); !w.Equal(v) {
			t.Fatalf("%v came back as %v", v, w)
		}
		if w := throughDatetime(t, v.Add(999)); !w.Equal(v) {
			t.Fatalf("%v and 999 ns came back as %v", v, w)
		}
	}
}

// Where a float64 has no single microseconds left, a time comes back as near as it can.
func TestUTCDatetimeFarAway(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	first, last := utc(1, 1, 1, 0, 0, 0, 0).UnixMicro(), utc(9999, 12, 31, 23, 59, 59, 0).UnixMicro()
	for range 20_000 {
		v := time.UnixMicro(first + rng.Int64N(last-first)).UTC()
		w := throughDatetime(t, v)
		if w.Sub(v).Abs() > 16*time.Microsecond {
			t.Fatalf("%v came back as %v", v, w)
		}
		if again := throughDatetime(t, w); !again.Equal(w) {
			t.Fatalf("%v came back as %v", w, again)
		}
	}
}

func throughDatetime(t *testing.T, v time.Time) time.Time {
	t.Helper()
	b, err := codec.UTCDatetime.Append(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	w, err := codec.UTCDatetime.Decode(b)
	if err != nil || w.Location() != time.UTC {
		t.Fatalf("%v came back as %v, %v", v, w, err)
	}
	return w
}

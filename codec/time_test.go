package codec_test

import (
	"math"
	"testing"
	"time"

	"github.com/tablecache-go/tablecache/codec"
)

func TestTime(t *testing.T) {
	t.Parallel()
	first, last := time.Unix(0, math.MinInt64).UTC(), time.Unix(0, math.MaxInt64).UTC()
	conformance[time.Time]{
		codec: codec.Time,
		name:  "time",
		good: []pair[time.Time]{{time.Unix(0, 0).UTC(), unhex("0000000000000000")}, {time.Unix(0, -1).UTC(), unhex("ffffffffffffffff")},
			{time.Date(2001, 1, 1, 0, 47, 0, 123456789, time.UTC), unhex("0d93a7c7ada9f515")},
			{first, unhex("8000000000000000")}, {last, unhex("7fffffffffffffff")}},
		badValues: []time.Time{{}, first.Add(-1), last.Add(1), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)},
		badBytes:  []string{"", unhex("00000000"), unhex("000000000000000000")},
	}.check(t)
}

func TestTimeTakesAnyZone(t *testing.T) {
	t.Parallel()
	v := time.Date(2001, 1, 1, 1, 47, 0, 123456789, time.FixedZone("CET", 3600))
	b, err := codec.Time.Append(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	w, err := codec.Time.Decode(b)
	if err != nil || !w.Equal(v) || w.Location() != time.UTC {
		t.Errorf("%v came back as %v, %v", v, w, err)
	}
}
